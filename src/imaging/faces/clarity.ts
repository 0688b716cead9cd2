import { blurOf } from '../blur.ts';
import { rawNoiseSigma } from '../noise.ts';
import { cutOut, partOf } from './cut.ts';
import { FACE_LIMITS } from './limits.ts';

/** How a face looks at its own size, before anything was restored. */
export interface Clarity {
  /** `rawNoiseSigma` of the box, and of what is round it where the box is small. */
  readonly noise: number;
  /** `blurOf` of the box, 0 sharp … 1 blurred. */
  readonly blur: number;
}

/**
 * Noise is a low percentile over blocks of 16 px: of the four of a small box it is another number with every pixel
 * that the box is wider. Five blocks a side and the border they need are steady.
 */
const NOISE_SIDE = 5 * 16 + 2;

/** Looks at the part of a face's box that lies in the picture (HWC uint8 RGB, as it came); for the noise of a small one, round it too. */
export function clarityOf(rgb: Uint8Array, width: number, height: number, box: readonly [number, number, number]): Clarity {
  const part = partOf(width, height, box);
  const pixels = cutOut(rgb, width, part);
  const blur = blurOf(pixels, part.width, part.height);
  if (box[2] >= NOISE_SIDE) return { noise: rawNoiseSigma(pixels, part.width, part.height), blur };
  const more = (NOISE_SIDE - box[2]) / 2;
  const wide = partOf(width, height, [box[0] - more, box[1] - more, NOISE_SIDE]);
  return { noise: rawNoiseSigma(cutOut(rgb, width, wide), wide.width, wide.height), blur };
}

/** Nothing in this face, with a box of this side (px), is worth the risk of changing it. */
export function isClear({ noise, blur }: Clarity, size: number): boolean {
  const { clear } = FACE_LIMITS;
  const doublings = Math.log2(Math.min(384, Math.max(64, size)) / 150);
  return noise < clear.noise + doublings * clear.noiseDoubled && blur < clear.blur + doublings * clear.blurDoubled;
}
