import type { Pixels } from './forms.ts';

/** Side of a part of the sample, px, and how many there are each way at most. */
export const PART = 128;
const PARTS = 3;

/**
 * Up to 3×3 parts of 128×128 px, spread over HWC uint8 RGB and put side by side: enough to tell, whatever the
 * picture's size. Each begins at a coding block of a JPEG file. `training/weigh.py` takes the same.
 */
export function sampleOf({ rgb, width, height }: Pixels): Pixels {
  const [across, down] = [placesOf(width), placesOf(height)];
  const [columns, rows] = [across.starts.length * across.side, down.starts.length * down.side];
  const sample = new Uint8Array(columns * rows * 3);
  let to = 0;
  for (const top of down.starts) {
    for (let y = top; y < top + down.side; y++) {
      for (const left of across.starts) {
        const from = (y * width + left) * 3;
        sample.set(rgb.subarray(from, from + across.side * 3), to);
        to += across.side * 3;
      }
    }
  }
  return { rgb: sample, width: columns, height: rows };
}

function placesOf(length: number): { starts: number[]; side: number } {
  const side = Math.min(PART, Math.floor(length / 8) * 8);
  const count = Math.max(1, Math.min(PARTS, Math.floor(length / PART)));
  const part = (i: number) => (count > 1 ? i / (count - 1) : 0.5);
  return { starts: Array.from({ length: count }, (_, i) => Math.floor(Math.round((length - side) * part(i)) / 8) * 8), side };
}
