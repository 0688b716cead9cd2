import { conditionVector } from '../../imaging/conditions.ts';
import { latticeOf } from '../../imaging/lattice.ts';
import { sampleOf } from '../../imaging/sample.ts';
import { changeOf, structureOf } from '../../imaging/softness.ts';
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
/**
 * Evidence of enlarged coding blocks (`latticeOf`) from which on belief falls, to nothing at the second: what is soft in a small
 * JPEG that somebody enlarged is no blur to be taken away, and its blocks would come back sharper. Of 24 validation photographs,
 * compressed at a third to 0.87 of their size at quality 30 to 90, then enlarged, half of the versions came back worse without
 * this question and one in 32 with it (fitted there; of 24 training photographs 44 and 3 %); blurred ones lose 0.01 dB of 1.37.
 */
export const SOFT_LATTICE = 5;
export const SOFT_ENLARGED = 6;
/** A smaller part of the structure changed is not worth the network's time, nor the risk. */
export const SOFT_LEAST = 0.1;

/**
 * Expects `picture`, `analysis`, `gate`, `restored` as it is believed; guarantees `softness`, `lattice` and `gate`. Whether what was restored,
 * or a picture that is to be copied, is soft: by how little of its fine structure is the finest, and by how much the network for
 * soft pictures would change a sample of it; and whether that is what enlarging left.
 */
export async function softness(context: Context): Promise<void> {
  const { picture, restored, model } = context;
  if (!isOwn(model) || !model.manifest.networks.some(({ when }) => when === 'blur') || !mayBeSoft(context)) return;
  const sample = sampleOf({ rgb: restored, width: picture.width, height: picture.height });
  const structure = structureOf(sample);
  if (!structure || structure.finest >= SHARP) return;
  context.lattice = latticeOf(picture.rgb, picture.width, picture.height);
  const lattice = context.lattice.evidence;
  if (lattice >= SOFT_ENLARGED) return;
  const change = changeOf(sample, await restoredSample(context, sample, 'blur'), structure);
  const [coarseness = 0] = conditionVector(['luma_quantiser'], known(context.analysis));
  const trust = softTrust({ finest: structure.finest, change, coarseness, lattice });
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

/** What belief in a soft picture's restoration comes from. */
export interface Softness {
  /** `Structure.finest` */
  readonly finest: number;
  /** `changeOf` */
  readonly change: number;
  /** The condition `luma_quantiser`, 0 where no table is known. */
  readonly coarseness: number;
  /** `Lattice.evidence` */
  readonly lattice: number;
}

/** Share of the restoration of a soft picture to be believed, 0…1. */
export function softTrust({ finest, change, coarseness, lattice }: Softness): number {
  const share = within01(SOFT_TRUST - SOFT_FINEST * finest - SOFT_CHANGE * Math.log(change + 0.01) - SOFT_CODED * coarseness);
  const trust = share * within01((SOFT_ENLARGED - lattice) / (SOFT_ENLARGED - SOFT_LATTICE));
  return trust * change < SOFT_LEAST ? 0 : trust;
}

const within01 = (value: number) => Math.min(1, Math.max(0, value));
