import type { Pixels } from './forms.ts';
import { exactLumaAt } from './picture.ts';
import { PART } from './sample.ts';

/** Standard deviations, px, of the Gaussians that take away the finest structure, and all that is fine. */
const FINEST = 0.6;
const FINE = 1.5;
/** Pixels at the sides of a sample's parts that are not looked at: there two places of the picture meet. */
const BORDER = 8;
/** Levels (root mean square) of fine structure, and px of each side, below which nothing is said. */
const LEAST_STRUCTURE = 0.5;
const LEAST_SIDE = 48;

/** How a sample's fine structure, its luma less what a Gaussian of 1.5 px leaves of it, is made up. */
export interface Structure {
  /** Its root mean square, in levels. */
  readonly size: number;
  /** What of it a Gaussian of 0.6 px takes away already: 0.36…0.5 in sharp photographs, 0.28 blurred by 0.8 px, 0.23 by 1.2. */
  readonly finest: number;
}

/** Of a picture's sample (`sampleOf`); undefined where there is too little to tell by. */
export function structureOf({ rgb, width, height }: Pixels): Structure | undefined {
  if (Math.min(width, height) < LEAST_SIDE) return undefined;
  const luma = new Float32Array(width * height);
  for (let i = 0; i < luma.length; i++) luma[i] = exactLumaAt(rgb, i * 3);
  const size = takenBy(FINE, luma, width, height);
  return size < LEAST_STRUCTURE ? undefined : { size, finest: takenBy(FINEST, luma, width, height) / size };
}

/** Root mean square of what a restoration changed in the luma of a sample, in parts of the structure's. */
export function changeOf({ rgb, width, height }: Pixels, restored: Uint8Array, { size }: Structure): number {
  const [rows, columns] = [placesInside(height), placesInside(width)];
  let sum = 0;
  for (const y of rows)
    for (const x of columns) {
      const at = (y * width + x) * 3;
      sum += (exactLumaAt(restored, at) - exactLumaAt(rgb, at)) ** 2;
    }
  return Math.sqrt(sum / rows.length / columns.length) / size;
}

/** Root mean square of what a Gaussian takes away from a plane. */
function takenBy(sigma: number, plane: Float32Array, width: number, height: number): number {
  const half = halfOfGaussian(sigma);
  const [rows, columns] = [placesInside(height), placesInside(width)];
  const across = new Float32Array(plane.length);
  for (let y = 0; y < height; y++) for (const x of columns) across[y * width + x] = weighted(plane, y * width + x, 1, half);
  let sum = 0;
  for (const y of rows)
    for (const x of columns) {
      const at = y * width + x;
      sum += ((plane[at] as number) - weighted(across, at, width, half)) ** 2;
    }
  return Math.sqrt(sum / rows.length / columns.length);
}

/** Its weights from the middle to the end at four standard deviations; with those on the other side they add up to 1. */
function halfOfGaussian(sigma: number): Float64Array {
  const half = Float64Array.from({ length: Math.round(4 * sigma) + 1 }, (_, i) => Math.exp(-(i ** 2) / (2 * sigma ** 2)));
  const total = 2 * half.reduce((sum, weight) => sum + weight, 0) - 1;
  return half.map((weight) => weight / total);
}

function weighted(plane: Float32Array, middle: number, step: number, half: Float64Array): number {
  let sum = (half[0] as number) * (plane[middle] as number);
  for (let i = 1, away = step; i < half.length; i++, away += step)
    sum += (half[i] as number) * ((plane[middle - away] as number) + (plane[middle + away] as number));
  return sum;
}

/** Places along one side of a sample that are away from the ends of its parts. */
function placesInside(length: number): number[] {
  const part = Math.min(PART, length);
  return Array.from({ length }, (_, place) => place).filter((place) => place % part >= BORDER && place % part < part - BORDER);
}
