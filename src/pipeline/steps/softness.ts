import { sampleOf } from '../../imaging/sample.ts';
import { changeOf, type Structure, structureOf } from '../../imaging/softness.ts';
import type { Context } from '../context.ts';
import { describe, isClean, isCompressed, isOwn, isQuiet, mayBeTexture } from './gate.ts';
import { restoredSample } from './restore.ts';

/** Quality by the file's own tables or by found ones from which on blur may be the greater harm. */
export const SOFT_QUALITY = 80;
/** From this part of the finest structure on a picture is sharp: nothing more is asked. */
export const SHARP = 0.4;
/**
 * How much of a restoration is believed: the more, the less of the structure is the finest and the more the network would
 * change; what it would change a lot is soft whatever its structure is like, as noise and coding add to the finest. A sharp
 * picture is changed by 0.01 to 0.15 of its structure. Fitted on 30 training photographs in eighteen forms (sharp, sharpened,
 * eight strengths of blur, eight kinds of resizing and of blur in one direction; each as it is, with a little noise, and
 * compressed at quality 95, 90 and 80), tried on the 24 validation ones (`training/LOG.md`).
 */
export const SOFT_TRUST = 1.5;
export const SOFT_FINEST = 4.3;
export const SOFT_CHANGE = 0.3;
/** What is changed by more than this is soft for that alone. */
export const SOFT_CHANGED = 0.36;
/** Less belief is not worth the network's time. */
export const SOFT_LEAST = 0.1;
/** Least belief with which compression is left to the network for soft pictures, which repairs it along with the blur. */
export const SOFT_SURE = 0.5;

/**
 * Expects `picture`, `analysis`, `gate`, `suffering`, `trust`, `model`; guarantees `suffering`, `trust` and `gate`. Whether a
 * picture that is to be copied, or was compressed a little, is soft: by how little of its fine structure is the finest, and by
 * how much the network for soft pictures would change a sample of it.
 */
export async function softness(context: Context): Promise<void> {
  const { picture, analysis, model, task } = context;
  if (!isOwn(model) || !model.manifest.networks.some(({ when }) => when === 'blur')) return;
  if (task.options.face === 'only' || task.options.strength === 0 || !mayBeSoft(context)) return;
  const sample = sampleOf(picture);
  const structure = structureOf(sample);
  if (!structure || structure.finest >= SHARP) return;
  const trust = softTrust(structure, changeOf(sample, await restoredSample(context, sample, 'blur'), structure));
  if (trust < (isCompressed(analysis) ? SOFT_SURE : SOFT_LEAST)) return;
  context.suffering = 'blur';
  context.trust = trust;
  const seen = `soft: ${describe(analysis)}`;
  context.gate =
    trust < 1 ? { action: 'soften', reason: `restored by ${Math.round(trust * 100)} %, ${seen}` } : { action: 'restore', reason: seen };
}

/** What reads as coarse noise and was found to be none is often blurred texture. */
function mayBeSoft({ analysis, suffering, trust }: Context): boolean {
  const tables = analysis.earlier ?? analysis.jpeg;
  if (analysis.drawn || !isQuiet(analysis)) return false;
  if (tables && isCompressed(analysis)) return suffering === 'compression' && tables.quality >= SOFT_QUALITY;
  return isClean(analysis) || (mayBeTexture({ analysis, suffering }) && trust === 0);
}

/** Share of the restoration of a soft picture to be believed, 0…1. */
export function softTrust({ finest }: Pick<Structure, 'finest'>, change: number): number {
  return Math.min(1, Math.max(0, SOFT_TRUST - SOFT_FINEST * finest + SOFT_CHANGE * change, change - SOFT_CHANGED));
}
