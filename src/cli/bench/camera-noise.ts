import type { Pixels } from './pixels.ts';
import { gaussian, seededRandom } from './random.ts';
import { LIGHT } from './srgb.ts';

/** Colours of a common sensor to sRGB; rows add up to one, so that grey stays grey. */
const CAMERA_TO_SRGB = [
  [1.7, -0.55, -0.15],
  [-0.25, 1.6, -0.35],
  [0.05, -0.6, 1.55],
] as const;

/** The camera that took a picture. */
interface Camera {
  /** Sensor colours, white-balanced, to linear sRGB. */
  readonly matrix: readonly (readonly number[])[];
  /** White balance of red, green, blue. */
  readonly gains: readonly [number, number, number];
  /** Variance of reading a pixel, against that of full light. */
  readonly reading: number;
}

/**
 * The picture as a camera without noise reduction would have given it: noise of the light and of the reading on a
 * Bayer mosaic, then interpolation by colour differences, white balance, colour matrix and tone curve, together with
 * the picture. So it is strongest in red and blue, reaches over several pixels and differs from tone to tone, as in
 * Brooks et al., Unprocessing Images for Learned Raw Denoising, CVPR 2019. Only the noise is interpolated: the
 * picture itself stays as sharp as it is.
 * @param sigma about the standard deviation over the whole picture, on the 0-255 scale
 */
export function addCameraNoise(pixels: Pixels, sigma: number, seed: number): Pixels {
  const random = seededRandom(seed);
  const camera = drawCamera(random);
  const light = Float32Array.from(pixels.data, (byte) => LIGHT[byte] as number);
  const noise = developed(interpolated(onSensor(light, pixels, camera, gaussian(random)), pixels), camera);
  let power = 0;
  for (const [i, value] of noise.entries()) power += (value * slope(light[i] as number)) ** 2;
  const scale = sigma / 255 / Math.sqrt(power / noise.length);
  const data = noise.map((value, i) => 255 * tone((light[i] as number) + scale * value));
  return { ...pixels, data: Uint8Array.from(data, (value) => Math.min(255, Math.round(value))) };
}

function drawCamera(random: () => number): Camera {
  const between = (low: number, high: number) => low + random() * (high - low);
  const apart = between(0, 0.9);
  const matrix = CAMERA_TO_SRGB.map((row, i) => row.map((value, k) => (i === k ? 1 - apart : 0) + apart * value));
  return { matrix, gains: [between(1.4, 2.6), 1, between(1.3, 2.4)], reading: 10 ** between(-3, -1.5) };
}

/** One number a pixel: the noise of the colour that the mosaic has there. Rows RG, GB. */
function onSensor(light: Float32Array, { width, height }: Pixels, { gains, reading }: Camera, normal: () => number): Float32Array {
  const mosaic = new Float32Array(width * height);
  for (let i = 0; i < mosaic.length; i++) {
    const channel = colourAt(i % width, Math.floor(i / width));
    mosaic[i] = normal() * Math.sqrt((light[3 * i + channel] as number) / gains[channel] + reading);
  }
  return mosaic;
}

const colourAt = (x: number, y: number) => ((x & 1) + (y & 1)) as 0 | 1 | 2;

/** Three numbers a pixel: green from its neighbours, red and blue by their difference to green. */
function interpolated(mosaic: Float32Array, { width, height }: Pixels): Float32Array {
  const out = new Float32Array(3 * mosaic.length);
  const at = placesOf(width, height);
  const green = new Float32Array(mosaic.length);
  for (let y = 0; y < height; y++)
    for (let x = 0; x < width; x++) {
      const value = (dx: number, dy: number) => mosaic[at(x + dx, y + dy)] as number;
      green[y * width + x] = colourAt(x, y) === 1 ? value(0, 0) : (value(-1, 0) + value(1, 0) + value(0, -1) + value(0, 1)) / 4;
    }
  for (let y = 0; y < height; y++)
    for (let x = 0; x < width; x++) {
      const sums = [0, 0, 0];
      for (let dy = -1; dy <= 1; dy++)
        for (let dx = -1; dx <= 1; dx++) {
          const place = at(x + dx, y + dy);
          const channel = colourAt(x + dx, y + dy);
          sums[channel] =
            (sums[channel] as number) + ((mosaic[place] as number) - (green[place] as number)) / 2 ** (Math.abs(dx) + Math.abs(dy));
        }
      const i = y * width + x;
      for (const channel of [0, 1, 2]) out[3 * i + channel] = (green[i] as number) + (channel === 1 ? 0 : (sums[channel] as number));
    }
  return out;
}

/** Index of a pixel; outside, of its mirror image, which has the same colour of the mosaic. */
function placesOf(width: number, height: number): (x: number, y: number) => number {
  const inside = (i: number, length: number) => Math.abs(i < length ? i : 2 * length - 2 - i);
  return (x, y) => inside(y, height) * width + inside(x, width);
}

/** Sensor colours to linear sRGB. */
function developed(noise: Float32Array, { matrix, gains }: Camera): Float32Array {
  return noise.map((_, i) => {
    const row = matrix[i % 3] as readonly number[];
    const first = i - (i % 3);
    return row.reduce((sum, part, k) => sum + part * (gains[k] as number) * (noise[first + k] as number), 0);
  });
}

/** Light to sRGB in [0, 1] (IEC 61966-2-1), and how steep that is. */
const tone = (light: number) => (light <= 0.0031308 ? 12.92 * Math.max(0, light) : 1.055 * light ** (1 / 2.4) - 0.055);
const slope = (light: number) => (light <= 0.0031308 ? 12.92 : (1.055 / 2.4) * light ** (1 / 2.4 - 1));
