import { blurOf } from '../blur.ts';
import { rawNoiseSigma } from '../noise.ts';
import { cutOut, partOf } from './cut.ts';
import { FACE_LIMITS } from './limits.ts';

/** How a face looks at its own size, before anything was restored. */
export interface Clarity {
  /** `rawNoiseSigma` of the box. */
  readonly noise: number;
  /** `blurOf` of the box, 0 sharp … 1 blurred. */
  readonly blur: number;
}

/** Looks at the part of a face's box that lies in the picture (HWC uint8 RGB, as it came). */
export function clarityOf(rgb: Uint8Array, width: number, height: number, box: readonly [number, number, number]): Clarity {
  const part = partOf(width, height, box);
  const pixels = cutOut(rgb, width, part);
  return { noise: rawNoiseSigma(pixels, part.width, part.height), blur: blurOf(pixels, part.width, part.height) };
}

/** Nothing in this face, with a box of this side (px), is worth the risk of changing it. */
export function isClear({ noise, blur }: Clarity, size: number): boolean {
  const { clear } = FACE_LIMITS;
  const doublings = Math.log2(Math.min(384, Math.max(64, size)) / 150);
  return noise < clear.noise + doublings * clear.noiseDoubled && blur < clear.blur + doublings * clear.blurDoubled;
}
