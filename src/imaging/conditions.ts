import type { JpegQuality } from './jpeg-quality.ts';

/** What is known about a source that a network may be conditioned on. */
export interface Knowledge {
  readonly jpeg: JpegQuality | undefined;
  /** `rawNoiseSigma` of the picture. */
  readonly rawSigma: number;
  /** `coarseNoise` of the picture. */
  readonly coarseSigma: number;
}

const FULL = Math.log2(1 + 16 * 10);
const coarseness = (scale: number) => Math.min(Math.log2(1 + 16 * scale) / FULL, 1);

/** One function per condition a manifest may name; the same formulas as `training/analysis.py`. */
const CONDITIONS: Readonly<Record<string, (known: Knowledge) => number>> = {
  luma_quantiser: ({ jpeg }) => (jpeg ? coarseness(jpeg.lumaScale) : 0),
  chroma_quantiser: ({ jpeg }) => (jpeg ? coarseness(jpeg.chromaScale) : 0),
  chroma_subsampling: ({ jpeg }) => jpeg?.subsampling ?? 0,
  noise_sigma: ({ rawSigma }) => Math.min(rawSigma / 64, 1),
  coarse_noise_sigma: ({ coarseSigma }) => Math.min(coarseSigma / 64, 1),
};

/** The conditioning vector in the order of the manifest, each value in [0,1]; unknown names read 0. */
export function conditionVector(names: readonly string[], known: Knowledge): Float32Array {
  return Float32Array.from(names, (name) => CONDITIONS[name]?.(known) ?? 0);
}
