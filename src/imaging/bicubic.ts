import type { Pixels } from './forms.ts';

/** R. Keys, Cubic convolution interpolation for digital image processing, IEEE TASSP 29 (1981), a = −½. */
function keys(distance: number): number {
  const x = Math.abs(distance);
  if (x >= 2) return 0;
  return x < 1 ? 1.5 * x ** 3 - 2.5 * x ** 2 + 1 : -0.5 * x ** 3 + 2.5 * x ** 2 - 4 * x + 2;
}

/** Where a sample comes from: places along the other row, the ends repeated, and their weights, which add up to 1. */
interface Source {
  readonly places: Int32Array;
  readonly weights: Float64Array;
}

/** Of so many samples from one on. Made smaller, the kernel is as wide as what it averages. */
function sourcesOf(from: number, to: number, begin: number, length: number): Source[] {
  const wide = Math.max(1, from / to);
  return Array.from({ length }, (_, i) => {
    const middle = ((begin + i + 0.5) * from) / to - 0.5;
    const first = Math.ceil(middle - 2 * wide);
    const steps = Array.from({ length: Math.floor(middle + 2 * wide) - first + 1 }, (_, tap) => first + tap);
    const weights = steps.map((place) => keys((place - middle) / wide));
    const total = weights.reduce((sum, weight) => sum + weight, 0);
    return {
      places: Int32Array.from(steps, (place) => Math.min(from - 1, Math.max(0, place))),
      weights: Float64Array.from(weights, (weight) => weight / total),
    };
  });
}

/** Place and size of a part of a picture, px. */
export interface Part {
  readonly left: number;
  readonly top: number;
  readonly width: number;
  readonly height: number;
}

/**
 * HWC uint8 RGB at another size, larger or smaller, bicubic, the middles of the pixels where they were; or no more of that than a
 * part. What libvips enlarges lies half a pixel of the larger picture beside it at twice the size, which no restoration can mend
 * and PSNR takes for harm.
 */
export function resized(
  { rgb, width, height }: Pixels,
  to: Pick<Pixels, 'width' | 'height'>,
  part: Part = { left: 0, top: 0, ...to },
): Pixels {
  const columns = sourcesOf(width, to.width, part.left, part.width);
  const rows = sourcesOf(height, to.height, part.top, part.height);
  const first = Math.min(...rows.map(({ places }) => places[0] as number));
  const last = Math.max(...rows.map(({ places }) => places.at(-1) as number));
  const row = part.width * 3;
  // Rows of the source, as wide as the result.
  const across = new Float64Array(row * (last - first + 1));
  for (let y = first, at = 0; y <= last; y++)
    for (const source of columns) {
      addAcross(rgb, y * width * 3, source, across, at);
      at += 3;
    }
  const out = new Uint8Array(row * part.height);
  const sums = new Float64Array(row);
  for (const [y, { places, weights }] of rows.entries()) {
    sums.fill(0);
    for (let tap = 0; tap < places.length; tap++) addRow(across, ((places[tap] as number) - first) * row, weights[tap] as number, sums);
    for (let i = 0; i < row; i++) out[y * row + i] = Math.min(255, Math.max(0, Math.round(sums[i] as number)));
  }
  return { rgb: out, width: part.width, height: part.height };
}

function addAcross(rgb: Uint8Array, from: number, { places, weights }: Source, sums: Float64Array, at: number): void {
  let red = 0;
  let green = 0;
  let blue = 0;
  for (let tap = 0; tap < places.length; tap++) {
    const weight = weights[tap] as number;
    const place = from + (places[tap] as number) * 3;
    red += weight * (rgb[place] as number);
    green += weight * (rgb[place + 1] as number);
    blue += weight * (rgb[place + 2] as number);
  }
  sums[at] = red;
  sums[at + 1] = green;
  sums[at + 2] = blue;
}

function addRow(values: Float64Array, from: number, weight: number, sums: Float64Array): void {
  for (let i = 0; i < sums.length; i++) sums[i] = (sums[i] as number) + weight * (values[from + i] as number);
}
