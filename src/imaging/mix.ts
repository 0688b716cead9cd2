/**
 * Brings `result` towards `source`, in place, so that this share (0…1) of every change is left, rounded half up. HWC uint8 of
 * the same size, or with a share of 1 of any.
 */
export function mixInto(result: Uint8Array, source: Uint8Array, share: number): void {
  if (share === 1) return;
  for (let i = 0; i < result.length; i++) {
    const from = source[i] as number;
    result[i] = Math.round(from + share * ((result[i] as number) - from));
  }
}
