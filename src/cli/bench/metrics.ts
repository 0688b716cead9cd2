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
  sameSize(a, b);
  const { width, height } = a;
  if (width < WINDOW || height < WINDOW) throw new Error(`SSIM needs ${WINDOW} pixels on each side, received ${width}×${height}`);
  const x = lumaPlane(a);
  const y = lumaPlane(b);
  const product = (p: Float64Array, q: Float64Array) => p.map((value, i) => value * (q[i] ?? 0));
  const [mx, my, xx, yy, xy] = [x, y, product(x, x), product(y, y), product(x, y)].map((plane) => smooth(plane, width, height)) as [
    Float64Array,
    Float64Array,
    Float64Array,
    Float64Array,
    Float64Array,
  ];
  let sum = 0;
  for (let i = 0; i < mx.length; i++) {
    const ux = mx[i] ?? 0;
    const uy = my[i] ?? 0;
    const vx = (xx[i] ?? 0) - ux * ux;
    const vy = (yy[i] ?? 0) - uy * uy;
    const cov = (xy[i] ?? 0) - ux * uy;
    sum += ((2 * ux * uy + C1) * (2 * cov + C2)) / ((ux * ux + uy * uy + C1) * (vx + vy + C2));
  }
  return sum / mx.length;
}

function lumaPlane({ data }: Pixels): Float64Array {
  const plane = new Float64Array(data.length / 3);
  for (let i = 0; i < plane.length; i++) plane[i] = exactLumaAt(data, i * 3);
  return plane;
}

/** The Gaussian window over every place where it fits whole; separable. */
function smooth(plane: Float64Array, width: number, height: number): Float64Array {
  const kernel = gaussianKernel();
  const outWidth = width - WINDOW + 1;
  const outHeight = height - WINDOW + 1;
  const rows = new Float64Array(outWidth * height);
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < outWidth; x++) {
      let sum = 0;
      for (let k = 0; k < WINDOW; k++) sum += (kernel[k] as number) * (plane[y * width + x + k] as number);
      rows[y * outWidth + x] = sum;
    }
  }
  const out = new Float64Array(outWidth * outHeight);
  for (let y = 0; y < outHeight; y++) {
    for (let x = 0; x < outWidth; x++) {
      let sum = 0;
      for (let k = 0; k < WINDOW; k++) sum += (kernel[k] as number) * (rows[(y + k) * outWidth + x] as number);
      out[y * outWidth + x] = sum;
    }
  }
  return out;
}

function gaussianKernel(): Float64Array {
  const middle = (WINDOW - 1) / 2;
  const kernel = Float64Array.from({ length: WINDOW }, (_, i) => Math.exp(-((i - middle) ** 2) / (2 * SIGMA * SIGMA)));
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
