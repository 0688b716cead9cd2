import { conditionVector } from '../../imaging/conditions.ts';
import { readTile, writeTile } from '../../imaging/tile-pixels.ts';
import { planTiles } from '../../imaging/tiles.ts';
import type { Context } from '../context.ts';

/**
 * Expects `picture`, `analysis`, `gate`; guarantees `restored`: HWC uint8 RGB of `scale` times the size, by
 * the network in tiles, or the picture's own pixels where the gate says copy. Memory is one tile's and
 * the result's; with the shipped networks it equals the untiled one within 1/255.
 */
export async function restore(context: Context): Promise<void> {
  const { picture, model, gate, suffering, task } = context;
  if (gate.action === 'copy' || task.options.strength === 0) {
    context.restored = picture.rgb;
    return;
  }
  const network = await context.engine.network(model, suffering);
  const conditions = conditionVector(network.conditions, context.analysis);
  const tiles = planTiles(picture.width, picture.height, model.manifest.tile);
  const restored = new Uint8Array(picture.rgb.length * network.scale ** 2);
  let done = 0;
  for (const tile of tiles) {
    const output = await network.run(readTile(picture.rgb, picture.width, picture.height, tile), tile.width, tile.height, conditions);
    writeTile(restored, picture.width, output, tile, network.scale);
    context.progress(0.05 + (0.85 * ++done) / tiles.length);
  }
  context.restored = restored;
}
