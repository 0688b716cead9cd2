import { type Blockiness, blockinessOf } from './blockiness.ts';
import { blurOf } from './blur.ts';
import { type CoarseNoise, coarseNoise, rawNoiseSigma } from './noise.ts';

/** What takes nothing but the pixels to know: noise, blocks and blur, together about as long as the rest of what is looked at. */
export interface FineStructure {
  readonly rawSigma: number;
  readonly coarse: CoarseNoise;
  readonly blocks: Blockiness;
  /** 0 (sharp) … 1 */
  readonly blur: number;
}

/** Of HWC uint8 RGB; about 17 ms for any size from 1 MP on. */
export function fineStructureOf(rgb: Uint8Array, width: number, height: number): FineStructure {
  return {
    rawSigma: rawNoiseSigma(rgb, width, height),
    coarse: coarseNoise(rgb, width, height),
    blocks: blockinessOf(rgb, width, height),
    blur: blurOf(rgb, width, height),
  };
}
