import { type Difference, differenceOf } from '../../imaging/noise-or-texture.ts';
import { sampleOf } from '../../imaging/sample.ts';
import type { Analysis, Context } from '../context.ts';
import { believed, isOwn, isQuiet, mayBeTexture } from './gate.ts';
import { restoredSample } from './restore.ts';
import { trustOf } from './trust.ts';

/**
 * Quality by a file's own tables or by those found in its pixels, coarse noise estimate and evenness from which on noise may be
 * the greater harm. Below that quality what noise there is was quantised, and of ten pictures taken for noisy one would lose.
 */
export const WEIGH_QUALITY = 80;
export const WEIGH_COARSE_SIGMA = 2;
export const WEIGH_EVEN = 0.6;
/**
 * What is taken away beyond compression is noise: at least this many levels, this part of the coarse estimate, and following
 * the contrast by no more than the logarithm of these levels less this.
 */
export const NOISE_SIZE = 2;
export const NOISE_PART = 0.45;
export const NOISE_FOLLOWS = 1;
/**
 * The least size in a grey picture: less is the grain of film and old scans, which belongs to the picture and has no colours to be
 * known by.
 */
export const NOISE_SIZE_GREY = 4;

/**
 * Expects `picture`, `analysis`, `gate`, `model`; guarantees `suffering` and `gate`. In a lightly compressed picture, as a camera
 * writes it, noise and texture read alike. So both halves of the network restore a sample of it, and what the noise half takes
 * away beyond the other tells which of both it is. Where nothing but the coarse estimate reads noise, the sample tells whether
 * there is any.
 */
export async function weigh(context: Context): Promise<void> {
  const { picture, analysis, gate, model, task, suffering } = context;
  if (!isOwn(model) || gate.action === 'copy' || task.options.strength === 0) return;
  const eitherHalf = suffering === 'compression' && mayBeNoise(analysis);
  if (!eitherHalf && !(isQuiet(analysis) && mayBeTexture(context))) return;
  const sample = sampleOf(picture);
  const bold = await restoredSample(context, sample, 'noise');
  if (eitherHalf) {
    if (!isNoise(differenceOf(bold, await restoredSample(context, sample, 'compression'), sample), analysis)) return;
    context.suffering = 'noise';
    context.weighed = true;
    context.gate = believed(context);
  } else {
    const taken = differenceOf(bold, sample.rgb, sample);
    if (taken && trustOf(taken, analysis.evenness) > 0) return;
    context.trust = 0;
    context.gate = believed(context);
  }
}

function mayBeNoise({ jpeg, earlier, drawn, coarseSigma, evenness }: Analysis): boolean {
  const tables = earlier ?? jpeg;
  if (!tables || drawn || tables.quality < WEIGH_QUALITY) return false;
  return coarseSigma >= WEIGH_COARSE_SIGMA && evenness >= WEIGH_EVEN;
}

const isNoise = (difference: Difference | undefined, { coarseSigma, grey }: Analysis) =>
  difference !== undefined &&
  difference.size >= Math.max(grey ? NOISE_SIZE_GREY : NOISE_SIZE, NOISE_PART * coarseSigma) &&
  difference.follows <= Math.log(difference.size) - NOISE_FOLLOWS;
