import { takenFrom } from '../../imaging/noise-or-texture.ts';
import type { Context } from '../context.ts';
import { isOwn } from './gate.ts';

/**
 * The part of the weakest noise that is left, and the levels (root mean square) of what the noise network took away from which
 * on nothing is: never more than 0.9 levels, which is hard to see, but hides that fine texture went with it. PSNR
 * hardly knows the difference, SSIMULACRA 2 does. Fitted on 24 validation photographs (`training/LOG.md`).
 */
export const GRAIN_LEFT = 0.25;
export const GRAIN_ENDS = 14;

/** Expects `restored`, `picture`, `suffering`, `model`; guarantees `grain`. */
export function grain(context: Context): void {
  const { restored, picture, suffering, model } = context;
  if (restored === picture.rgb || !isOwn(model) || suffering !== 'noise') return;
  const taken = context.taken ?? takenFrom(picture, restored);
  if (taken) context.grain = grainLeft(taken.size);
}

/** Part of what was taken away that is given back, 0…1, by its size in levels. */
export const grainLeft = (size: number): number => GRAIN_LEFT * Math.max(0, 1 - size / GRAIN_ENDS);
