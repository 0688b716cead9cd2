import { conditionVector } from '../../imaging/conditions.ts';
import type { Context } from '../context.ts';

/**
 * Expects `picture`, `analysis`, `gate`; guarantees `precision` and `restored`: HWC uint8 RGB of `scale` times the size, by
 * the network in tiles, or the picture's own pixels where the gate says copy. Memory is that of the tiles in
 * work and of the result; with the shipped networks it equals the untiled one within 1/255.
 */
export async function restore(context: Context): Promise<void> {
  const { picture, model, gate, suffering, task } = context;
  if (gate.action === 'copy' || task.options.strength === 0) {
    context.restored = picture.rgb;
    return;
  }
  const network = await context.engine.network(model, suffering);
  context.precision = network.precision;
  const conditions = conditionVector(network.conditions, context.analysis);
  context.restored = await network.restore(picture, conditions, { onProgress: (done) => context.progress(0.05 + 0.85 * done) });
}
