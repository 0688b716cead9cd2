/**
 * Turns interleaved samples upright for an Exif orientation 1-8 (CIPA DC-008 §4.6.4).
 * @param channels samples per pixel
 * @returns the same array for orientation 1, else a new one; width and height swap from 5 on
 */
export function orientSamples<T extends Uint8Array | Uint16Array>(
  samples: T,
  width: number,
  height: number,
  channels: number,
  orientation: number,
): T {
  if (orientation <= 1 || orientation > 8) return samples;
  const swapped = orientation >= 5;
  const outWidth = swapped ? height : width;
  const outHeight = swapped ? width : height;
  const out = new (samples.constructor as new (length: number) => T)(samples.length);
  // The result pixel (x, y) comes from the source pixel start + x·alongX + y·alongY.
  const right = width - 1;
  const bottom = (height - 1) * width;
  const [start, alongX, alongY] = (
    [
      [0, 1, width],
      [right, -1, width],
      [bottom + right, -1, -width],
      [bottom, 1, -width],
      [0, width, 1],
      [bottom, -width, 1],
      [bottom + right, -width, -1],
      [right, width, -1],
    ] as const
  )[orientation - 1] as readonly [number, number, number];
  const step = alongX * channels;
  let to = 0;
  for (let y = 0; y < outHeight; y++) {
    let from = (start + y * alongY) * channels;
    if (channels === 3) {
      // Written out: a loop of three turns costs more than what it does.
      for (let x = 0; x < outWidth; x++, from += step, to += 3) {
        out[to] = samples[from] as number;
        out[to + 1] = samples[from + 1] as number;
        out[to + 2] = samples[from + 2] as number;
      }
    } else {
      for (let x = 0; x < outWidth; x++, from += step, to += channels) {
        for (let c = 0; c < channels; c++) out[to + c] = samples[from + c] as number;
      }
    }
  }
  return out;
}

/** Upright size of a picture stored as width × height. */
export const uprightSize = (width: number, height: number, orientation: number): [number, number] =>
  orientation >= 5 && orientation <= 8 ? [height, width] : [width, height];
