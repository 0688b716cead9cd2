import { exactLumaAt } from '../../imaging/picture.ts';
import type { Pixels } from './pixels.ts';

/** Peak signal-to-noise ratio in dB over all samples; Infinity for equal pictures. */
export function psnr(a: Pixels, b: Pixels): number {
  sameSize(a, b);
  let sum = 0;
  for (let i = 0; i < a.data.length; i++) sum += ((a.data[i] ?? 0) - (b.data[i] ?? 0)) ** 2;
  return decibel(sum / a.data.length);
}

/** PSNR in dB of the full-range BT.601 luma of two RGB pictures. */
export function psnrLuma(a: Pixels, b: Pixels): number {
  sameSize(a, b);
  let sum = 0;
  for (let i = 0; i < a.data.length; i += 3) sum += (exactLumaAt(a.data, i) - exactLumaAt(b.data, i)) ** 2;
  return decibel(sum / (a.data.length / 3));
}

const WINDOW = 11;
const SIGMA = 1.5;
const C1 = (0.01 * 255) ** 2;
const C2 = (0.03 * 255) ** 2;

/**
 * Mean structural similarity of the luma of two RGB pictures: 11×11 Gaussian window of σ 1.5,
 * K1 0.01, K2 0.03, only whole windows. Z. Wang, A. C. Bovik, H. R. Sheikh, E. P. Simoncelli, Image
 * Quality Assessment: From Error Visibility to Structural Similarity, IEEE TIP 13 (2004).
 */
export function ssim(a: Pixels, b: Pixels): number {
  return ssimAgainst(b)(a);
}

/** {@link ssim} of any number of pictures against one reference, whose part is computed once. */
export function ssimAgainst(reference: Pixels): (picture: Pixels) => number {
  const { width, height } = reference;
  if (width < WINDOW || height < WINDOW) throw new Error(`SSIM needs ${WINDOW} pixels on each side, received ${width}×${height}`);
  const y = lumaPlane(reference);
  const [my, yy] = [smooth(y, width, height), smooth(product(y, y), width, height)];
  return (picture) => {
    sameSize(picture, reference);
    const x = lumaPlane(picture);
    const [mx, xx, xy] = [x, product(x, x), product(x, y)].map((plane) => smooth(plane, width, height)) as [Plane, Plane, Plane];
    let sum = 0;
    for (let i = 0; i < mx.length; i++) {
      const [ux, uy] = [mx[i] as number, my[i] as number];
      const vx = (xx[i] as number) - ux * ux;
      const vy = (yy[i] as number) - uy * uy;
      const cov = (xy[i] as number) - ux * uy;
      sum += ((2 * ux * uy + C1) * (2 * cov + C2)) / ((ux * ux + uy * uy + C1) * (vx + vy + C2));
    }
    return sum / mx.length;
  };
}

type Plane = Float64Array;

function lumaPlane({ data }: Pixels): Plane {
  const plane = new Float64Array(data.length / 3);
  for (let i = 0; i < plane.length; i++) plane[i] = exactLumaAt(data, i * 3);
  return plane;
}

/** Value by value. */
export function product(p: Plane, q: Plane): Plane {
  const out = new Float64Array(p.length);
  for (let i = 0; i < out.length; i++) out[i] = (p[i] as number) * (q[i] as number);
  return out;
}

/** The Gaussian window over every place where it fits whole; separable. */
function smooth(plane: Plane, width: number, height: number): Plane {
  const [across, down] = [width - WINDOW + 1, height - WINDOW + 1];
  const rows = new Float64Array(across * height);
  for (let y = 0; y < height; y++) weighted(plane, y * width, 1, rows, y * across, across);
  const out = new Float64Array(across * down);
  for (let y = 0; y < down; y++) weighted(rows, y * across, across, out, y * across, across);
  return out;
}

const MIDDLE = (WINDOW - 1) / 2;
const KERNEL = gaussianKernel();

/** `count` sums over the window, whose values are `apart` from each other. Both sides of its middle have one weight. */
function weighted(from: Plane, start: number, apart: number, to: Plane, place: number, count: number): void {
  for (let x = 0; x < count; x++) {
    const first = start + x;
    const last = first + (WINDOW - 1) * apart;
    let sum = (KERNEL[MIDDLE] as number) * (from[first + MIDDLE * apart] as number);
    for (let k = 0; k < MIDDLE; k++)
      sum += (KERNEL[k] as number) * ((from[first + k * apart] as number) + (from[last - k * apart] as number));
    to[place + x] = sum;
  }
}

function gaussianKernel(): Plane {
  const kernel = Float64Array.from({ length: WINDOW }, (_, i) => Math.exp(-((i - MIDDLE) ** 2) / (2 * SIGMA * SIGMA)));
  const total = kernel.reduce((sum, value) => sum + value, 0);
  return kernel.map((value) => value / total);
}

function decibel(meanSquare: number): number {
  return meanSquare === 0 ? Infinity : 10 * Math.log10(255 ** 2 / meanSquare);
}

function sameSize(a: Pixels, b: Pixels): void {
  if (a.width === b.width && a.height === b.height && a.channels === b.channels) return;
  throw new Error(`pictures differ in size: ${a.width}×${a.height}×${a.channels} and ${b.width}×${b.height}×${b.channels}`);
}
