/** Codec rounding leaves equal channels at most this far apart; sepia is far outside. */
const TOLERANCE = 2;

/** Whether HWC uint8 RGB holds a grey picture. Stops at the first coloured pixel. */
export function isGrey(rgb: Uint8Array): boolean {
  for (let i = 0; i < rgb.length; i += 3) {
    const green = rgb[i + 1] as number;
    if (Math.abs((rgb[i] as number) - green) > TOLERANCE || Math.abs((rgb[i + 2] as number) - green) > TOLERANCE) return false;
  }
  return true;
}
