import { conditionVector } from '../../imaging/conditions.ts';
import { mixInto } from '../../imaging/mix.ts';
import type { Context } from '../context.ts';
import { known } from './restore.ts';

/**
 * Expects `restored`, `softness`; guarantees `restored` without its blur, by the network for soft pictures in tiles and as far
 * as it is believed. A new array where anything was done.
 */
export async function deblur(context: Context): Promise<void> {
  const { engine, model, picture, restored, analysis, softness } = context;
  if (softness === undefined) return;
  const network = await engine.network(model, 'blur');
  context.precision ??= network.precision;
  const { width, height } = picture;
  context.restored = await network.restore({ rgb: restored, width, height }, conditionVector(network.conditions, known(analysis)), {
    onProgress: (done) => context.progress(0.7 + 0.2 * done),
  });
  mixInto(context.restored, restored, softness);
}
