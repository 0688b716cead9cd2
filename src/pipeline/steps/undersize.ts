import { resized } from '../../imaging/bicubic.ts';
import { conditionVector, type Knowledge } from '../../imaging/conditions.ts';
import { findEnlargedJpeg } from '../../imaging/enlarged-jpeg.ts';
import type { Pixels } from '../../imaging/forms.ts';
import { coarseNoise, rawNoiseSigma } from '../../imaging/noise.ts';
import type { Context } from '../context.ts';
import { leadTo } from './restore.ts';
import { SOFT_ENLARGED } from './softness.ts';

/**
 * From this quality on nothing is repaired so: of `mingxi bench quality --set enlarged` those of quality 75 gain a tenth of a
 * decibel and lose as much texture (SSIM −0.004, SSIMULACRA 2 −0.9; 24 validation photographs +0.17 dB and −0.001), those of 60
 * gain 0.5 dB and 1.3.
 */
export const UNDERSIZE_QUALITY = 70;

/**
 * Expects `restored`, `lattice`; guarantees `restored`, `enlarged` and `gate`. A small JPEG that somebody enlarged is repaired at the size
 * it had: there its blocks lie where the compression network knows them. What that changes is enlarged and added. A new array where
 * anything was done.
 */
export async function undersize(context: Context): Promise<void> {
  const { engine, model, picture, restored, analysis, lattice } = context;
  if (lattice === undefined || lattice.evidence < SOFT_ENLARGED) return;
  const { width, height } = picture;
  const found = findEnlargedJpeg(picture, lattice, analysis.grey);
  if (!found || found.earlier.quality >= UNDERSIZE_QUALITY) return;
  const { earlier } = found;
  const network = await engine.network(model, 'compression');
  context.precision ??= network.precision;
  const small = resized({ rgb: restored, width, height }, found);
  const repaired = await network.restore(small, conditionVector(network.conditions, knownOf(small, earlier)), { lead: leadTo(earlier) });
  const change = resized({ ...small, rgb: small.rgb.map((value, i) => byte((repaired[i] as number) - value + NONE)) }, picture);
  context.restored = restored.map((value, i) => byte(value + (change.rgb[i] as number) - NONE));
  context.enlarged = found;
  const factor = Math.round((100 * width) / found.width) / 100;
  const seen = `a JPEG of quality ${earlier.quality} enlarged ${factor} times`;
  const { action, reason } = context.gate;
  context.gate = action === 'copy' ? { action: 'restore', reason: seen } : { action, reason: `${reason}; ${seen}` };
}

/** A byte that stands for no change. */
const NONE = 128;
const byte = (value: number) => Math.min(255, Math.max(0, value));

function knownOf({ rgb, width, height }: Pixels, jpeg: Knowledge['jpeg']): Knowledge {
  return { jpeg, rawSigma: rawNoiseSigma(rgb, width, height), coarseSigma: coarseNoise(rgb, width, height).sigma };
}
