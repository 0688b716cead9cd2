import { conditionVector } from '../../imaging/conditions.ts';
import type { EarlierJpeg } from '../../imaging/earlier-jpeg.ts';
import type { Pixels } from '../../imaging/forms.ts';
import type { Lead } from '../../imaging/tiles.ts';
import type { Suffering } from '../../models/manifest.ts';
import type { Analysis, Context } from '../context.ts';

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
  const { analysis } = context;
  context.restored = await network.restore(picture, conditionVector(network.conditions, known(analysis)), {
    onProgress: (done) => context.progress(0.05 + 0.65 * done),
    ...(analysis.earlier ? { lead: leadTo(analysis.earlier) } : {}),
  });
}

/** What a network is told: of the compression that is to be repaired. */
export const known = (analysis: Analysis): Analysis => ({ ...analysis, jpeg: analysis.earlier ?? analysis.jpeg });

/** What one of the model's networks makes of a sample of the picture, or of what was restored of it, in one form: the best tier's eight would tell no more. */
export async function restoredSample({ engine, model, analysis }: Context, sample: Pixels, suffering: Suffering): Promise<Uint8Array> {
  const network = await engine.network(model.base ?? model, suffering);
  return network.restore(sample, conditionVector(network.conditions, known(analysis)));
}

/** The networks know blocks that begin at multiples of 8; one that begins at 3 has its first five columns missing. */
/** Where tiles begin so that blocks of an earlier compression lie in them as a file's do. */
export function leadTo({ phaseX, phaseY }: EarlierJpeg): Lead {
  return { x: (8 - phaseX) % 8, y: (8 - phaseY) % 8 };
}
