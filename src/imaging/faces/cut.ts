/** A rectangle of whole pixels within a picture. */
export interface Part {
  readonly left: number;
  readonly top: number;
  readonly width: number;
  readonly height: number;
}

/** The part of a picture that a square covers; at least one pixel. */
export function partOf(width: number, height: number, [x, y, size]: readonly [number, number, number]): Part {
  const left = Math.min(width - 1, Math.max(0, Math.round(x)));
  const top = Math.min(height - 1, Math.max(0, Math.round(y)));
  return {
    left,
    top,
    width: Math.max(1, Math.min(width, Math.round(x + size)) - left),
    height: Math.max(1, Math.min(height, Math.round(y + size)) - top),
  };
}

/** The pixels of a part of HWC uint8 RGB. */
export function cutOut(rgb: Uint8Array, width: number, part: Part): Uint8Array {
  const out = new Uint8Array(part.width * part.height * 3);
  for (let j = 0; j < part.height; j++) {
    const from = ((part.top + j) * width + part.left) * 3;
    out.set(rgb.subarray(from, from + part.width * 3), j * part.width * 3);
  }
  return out;
}
