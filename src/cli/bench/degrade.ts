import { resized } from '../../imaging/bicubic.ts';
import { cropTopLeft, decodeRgb, encodeJpeg, encodePng, greyToRgb, type Pixels, raw, toGrey, toStudioGrey } from './pixels.ts';
import { gaussian, seededRandom } from './random.ts';

/** Gaussian noise, clipped and rounded to 8 bit as in every file (the literature's often is not). */
export function addNoise(pixels: Pixels, sigma: number, seed: number): Pixels {
  const next = gaussian(seededRandom(seed));
  const data = Uint8Array.from(pixels.data, (value) => Math.max(0, Math.min(255, Math.round(value + sigma * next()))));
  return { ...pixels, data };
}

/** A Gaussian, down to a hundredth of its height. */
export function blurred(rgb: Pixels, sigma: number): Promise<Pixels> {
  return through(rgb, raw(rgb).blur({ sigma, precision: 'float', minAmplitude: 0.01 }));
}

/**
 * A smaller copy, enlarged again: bicubic both ways. With a quality it was a JPEG while it was small: its coding blocks have
 * another side than 8 px.
 */
export async function smallerAndBack(rgb: Pixels, factor: number, quality?: number): Promise<Pixels> {
  const small = await smaller(rgb, factor, 'cubic');
  return enlargedTo(quality === undefined ? small : await decodeRgb(await encodeJpeg(small, quality)), rgb);
}

function enlargedTo({ data, width, height }: Pixels, to: Pixels): Pixels {
  const { rgb } = resized({ rgb: data, width, height }, to);
  return { ...to, data: rgb };
}

async function smaller(rgb: Pixels, factor: number, kernel: (typeof KERNELS)[number]): Promise<Pixels> {
  const [width, height] = [Math.round(rgb.width * factor), Math.round(rgb.height * factor)];
  return { width, height, channels: 3, data: await raw(rgb).resize({ width, height, fit: 'fill', kernel }).raw().toBuffer() };
}

/** A degraded file with the reference that belongs to it. */
export interface Degraded {
  readonly source: Buffer;
  readonly reference: Pixels;
}

/** Grey, compressed twice, the second time on a block grid shifted by four pixels. */
export async function doubleJpeg(rgb: Pixels, first: number, second: number): Promise<Degraded> {
  const grey = toStudioGrey(rgb);
  const once = toGrey(await decodeRgb(await encodeJpeg(grey, first)));
  return { source: await encodeJpeg(cropTopLeft(once, 4), second), reference: greyToRgb(cropTopLeft(grey, 4)) };
}

const KERNELS = ['nearest', 'cubic', 'mitchell', 'lanczos2', 'lanczos3'] as const;

/**
 * What a picture meets between camera and us, drawn from the seed: blur, a smaller copy enlarged
 * again, noise, compression; each with some probability and at least one of them.
 */
export async function mixedDegradation(rgb: Pixels, seed: number): Promise<Degraded> {
  const random = seededRandom(seed);
  const between = (low: number, high: number) => low + random() * (high - low);
  const pick = <T>(choices: readonly T[]) => choices[Math.floor(random() * choices.length)] as T;
  // All numbers are drawn whether used or not, so that one choice does not change the others.
  const plan = {
    blur: random() < 0.4 ? between(0.4, 1.4) : 0,
    shrink: random() < 0.4 ? between(0.5, 0.9) : 1,
    down: pick(KERNELS),
    // Decides nothing any more, but the numbers after it are drawn: enlarging is bicubic.
    up: pick(KERNELS),
    sigma: random() < 0.5 ? between(2, 20) : 0,
    quality: random() < 0.7 ? Math.round(between(20, 90)) : undefined,
    subsampling: pick(['4:2:0', '4:4:4'] as const),
  };
  if (plan.blur === 0 && plan.shrink === 1 && plan.sigma === 0) plan.quality ??= 40;
  let worse = rgb;
  if (plan.blur > 0) worse = await through(worse, raw(worse).blur(plan.blur));
  if (plan.shrink < 1) worse = enlargedTo(await smaller(worse, plan.shrink, plan.down), rgb);
  if (plan.sigma > 0) worse = addNoise(worse, plan.sigma, seed ^ 0x5eed);
  const source = plan.quality === undefined ? await encodePng(worse) : await encodeJpeg(worse, plan.quality, plan.subsampling);
  return { source, reference: rgb };
}

async function through(shape: Pixels, image: ReturnType<typeof raw>): Promise<Pixels> {
  return { ...shape, data: await image.raw().toBuffer() };
}
