import { readTile, writeTile } from '../imaging/tile-pixels.ts';
import type { Tile } from '../imaging/tiles.ts';
import type { Network } from './session.ts';

/**
 * One picture's tiles, as every lane sees them: the arrays are on shared memory where there is more than
 * one lane, so nothing but these references is sent.
 */
export interface TileWork {
  /** HWC uint8 RGB, only read. */
  readonly source: Uint8Array;
  readonly width: number;
  readonly height: number;
  readonly tiles: readonly Tile[];
  readonly conditions: Float32Array;
  /** HWC uint8 RGB of the result; lanes write disjoint parts of it. */
  readonly result: Uint8Array;
  /** Two int32: how many tiles were taken, and how many are done. */
  readonly counters: Int32Array;
}

const TAKEN = 0;
const DONE = 1;

/** Empty work for these tiles; `lanes` above one puts it on shared memory. */
export function tileWork(
  picture: { readonly rgb: Uint8Array; readonly width: number; readonly height: number },
  tiles: readonly Tile[],
  conditions: Float32Array,
  scale: number,
  lanes: number,
): TileWork {
  const { rgb, width, height } = picture;
  const size = rgb.length * scale ** 2;
  if (lanes === 1) return { source: rgb, width, height, tiles, conditions, result: new Uint8Array(size), counters: new Int32Array(2) };
  const source = new Uint8Array(new SharedArrayBuffer(rgb.length));
  source.set(rgb);
  const result = new Uint8Array(new SharedArrayBuffer(size));
  return { source, width, height, tiles, conditions, result, counters: new Int32Array(new SharedArrayBuffer(8)) };
}

/**
 * One lane's part: takes the next tile that nobody has until none is left. Which lane computes a tile
 * does not change it. After a failure the others find nothing left to take.
 */
export async function doTiles(network: Network, work: TileWork, onTile: (done: number) => void = () => {}): Promise<void> {
  const { source, width, height, tiles, conditions, result, counters } = work;
  try {
    for (;;) {
      const tile = tiles[Atomics.add(counters, TAKEN, 1)];
      if (!tile) return;
      const output = await network.run(readTile(source, width, height, tile), tile.width, tile.height, conditions);
      writeTile(result, width, output, tile, network.scale);
      onTile((Atomics.add(counters, DONE, 1) + 1) / tiles.length);
    }
  } catch (error) {
    Atomics.store(counters, TAKEN, tiles.length);
    throw error;
  }
}
