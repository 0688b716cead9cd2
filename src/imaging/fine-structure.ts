import { blurOf } from './blur.ts';
import { type CoarseNoise, coarseNoise, rawNoiseSigma } from './noise.ts';

/** Noise and sharpness: what takes nothing but the pixels to know. */
export interface FineStructure {
  readonly rawSigma: number;
  readonly coarse: CoarseNoise;
  readonly blur: number;
}

/** Of HWC uint8 RGB; about 40 ms for any size from 1 MP on. */
export function fineStructureOf(rgb: Uint8Array, width: number, height: number): FineStructure {
  return { rawSigma: rawNoiseSigma(rgb, width, height), coarse: coarseNoise(rgb, width, height), blur: blurOf(rgb, width, height) };
}
