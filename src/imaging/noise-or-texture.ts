import type { Pixels } from './forms.ts';
import { exactLumaAt } from './picture.ts';

/** Side of a part of the sample, px, and how many there are each way at most. */
const PART = 128;
const PARTS = 3;
const BLOCK = 16;
/** Blocks below which nothing is said. */
const FEWEST = 24;
/** Mean luma beyond which a block is clipped. */
const [DARKEST, BRIGHTEST] = [12, 243];

/** Where two restorations of one picture differ. */
export interface Difference {
  /** Root mean square over the usable blocks, in levels. */
  readonly size: number;
  /**
   * How it follows the picture's own contrast, −1…1: the correlation of the logarithms of both over blocks of 16×16.
   * Texture that is taken away lies where there is contrast, noise lies everywhere.
   */
  readonly follows: number;
}

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

/** Of two restorations of the same size, HWC uint8 RGB, the second the more careful one; nothing that follows in full, for too few blocks. */
export function differenceOf(bold: Uint8Array, careful: Uint8Array, width: number, height: number): Difference {
  const changed: number[] = [];
  const contrast: number[] = [];
  for (let y = 0; y + BLOCK <= height; y += BLOCK) {
    for (let x = 0; x + BLOCK <= width; x += BLOCK) {
      const { mean, deviation, change } = blockAt(bold, careful, width, x, y);
      if (mean <= DARKEST || mean >= BRIGHTEST) continue;
      changed.push(change);
      contrast.push(deviation);
    }
  }
  if (changed.length < FEWEST) return { size: 0, follows: 1 };
  const size = Math.sqrt(changed.reduce((sum, value) => sum + value ** 2, 0) / changed.length);
  const logarithms = (values: number[], floor: number) => values.map((value) => Math.log(value + floor));
  return { size, follows: correlation(logarithms(changed, 0.1), logarithms(contrast, 0.3)) };
}

/** Mean and standard deviation of the bold one's luma, and root mean square of what the careful one's is apart. */
function blockAt(bold: Uint8Array, careful: Uint8Array, width: number, x: number, y: number) {
  let [sum, squares, apart] = [0, 0, 0];
  for (let j = y; j < y + BLOCK; j++) {
    for (let i = x, at = (j * width + x) * 3; i < x + BLOCK; i++, at += 3) {
      const luma = exactLumaAt(bold, at);
      sum += luma;
      squares += luma * luma;
      apart += (exactLumaAt(careful, at) - luma) ** 2;
    }
  }
  const count = BLOCK * BLOCK;
  const mean = sum / count;
  return { mean, deviation: Math.sqrt(Math.max(0, squares / count - mean * mean)), change: Math.sqrt(apart / count) };
}

/** Sums of squares that are rounding errors. */
const TINY = 1e-9;

/** Pearson's; 0 where one of both does not vary. */
function correlation(one: readonly number[], other: readonly number[]): number {
  const mean = (values: readonly number[]) => values.reduce((sum, value) => sum + value, 0) / values.length;
  const [a, b] = [mean(one), mean(other)];
  let [both, left, right] = [0, 0, 0];
  one.forEach((value, i) => {
    const [x, y] = [value - a, (other[i] as number) - b];
    both += x * y;
    left += x * x;
    right += y * y;
  });
  return left > TINY && right > TINY ? both / Math.sqrt(left * right) : 0;
}
