import { type CoarseNoise, coarseNoise, rawNoiseSigma } from './noise.ts';

/** Noise: what takes nothing but the pixels to know, and about as long as the rest of what is looked at. */
export interface FineStructure {
  readonly rawSigma: number;
  readonly coarse: CoarseNoise;
}

/** Of HWC uint8 RGB; about 20 ms for any size from 1 MP on. */
export function fineStructureOf(rgb: Uint8Array, width: number, height: number): FineStructure {
  return { rawSigma: rawNoiseSigma(rgb, width, height), coarse: coarseNoise(rgb, width, height) };
}
