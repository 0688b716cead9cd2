import { conditionVector } from '../../imaging/conditions.ts';
import { sampleOf } from '../../imaging/sample.ts';
import { changeOf, type Structure, structureOf } from '../../imaging/softness.ts';
import type { Context } from '../context.ts';
import { describe, isOwn, isQuiet } from './gate.ts';
import { known, restoredSample } from './restore.ts';
import { inHurry } from './tier.ts';

/** From this part of the finest structure on a picture is sharp: nothing more is asked. */
export const SHARP = 0.36;
/**
 * How much of a restoration is believed: the more, the less of the structure is the finest; of two pictures alike in that the
 * one of which the network would change more has hard edges and nothing fine beside them, as resizers leave it; and the coarser
 * the compression was, the more of the finest went with that. Fitted on 24 training and 24 validation photographs in fourteen
 * forms (sharp, sharpened, eight strengths of blur, resized), each in thirteen ways (as it is, with noise, compressed at quality
 * 95 to 20, both), of what either tier's networks made of them; either half told of the other (`training/LOG.md`).
 */
export const SOFT_TRUST = 4.4;
export const SOFT_FINEST = 13;
export const SOFT_CHANGE = 0.33;
export const SOFT_CODED = 0.27;
/** A smaller part of the structure changed is not worth the network's time, nor the risk. */
export const SOFT_LEAST = 0.1;

/**
 * Expects `picture`, `analysis`, `gate`, `restored` as it is believed; guarantees `softness` and `gate`. Whether what was restored,
 * or a picture that is to be copied, is soft: by how little of its fine structure is the finest, and by how much the network for
 * soft pictures would change a sample of it.
 */
export async function softness(context: Context): Promise<void> {
  const { picture, restored, model } = context;
  if (!isOwn(model) || !model.manifest.networks.some(({ when }) => when === 'blur') || !mayBeSoft(context)) return;
  const sample = sampleOf({ rgb: restored, width: picture.width, height: picture.height });
  const structure = structureOf(sample);
  if (!structure || structure.finest >= SHARP) return;
  const change = changeOf(sample, await restoredSample(context, sample, 'blur'), structure);
  const [coarseness = 0] = conditionVector(['luma_quantiser'], known(context.analysis));
  const trust = softTrust(structure, change, coarseness);
  if (trust === 0) return;
  context.softness = trust;
  context.gate = softened(context, trust);
}

function mayBeSoft({ task, analysis, picture, restored }: Context): boolean {
  if (task.options.face === 'only' || task.options.strength === 0 || analysis.drawn) return false;
  // What reads as noise, fine and coarse, and was found to be none is sharp. Of what was restored there was time for that alone.
  return restored === picture.rgb ? isQuiet(analysis) : !inHurry(task);
}

function softened({ gate, analysis }: Context, trust: number): Context['gate'] {
  const by = `restored by ${Math.round(trust * 100)} %`;
  if (gate.action !== 'copy') return { ...gate, reason: `${gate.reason}; soft${trust < 1 ? `, ${by}` : ''}` };
  const seen = `soft: ${describe(analysis)}`;
  return trust < 1 ? { action: 'soften', reason: `${by}, ${seen}` } : { action: 'restore', reason: seen };
}

/**
 * Share of the restoration of a soft picture to be believed, 0…1.
 * @param coarseness the condition `luma_quantiser`, 0 where no table is known
 */
export function softTrust({ finest }: Pick<Structure, 'finest'>, change: number, coarseness: number): number {
  const share = SOFT_TRUST - SOFT_FINEST * finest - SOFT_CHANGE * Math.log(change + 0.01) - SOFT_CODED * coarseness;
  const trust = Math.min(1, Math.max(0, share));
  return trust * change < SOFT_LEAST ? 0 : trust;
}
