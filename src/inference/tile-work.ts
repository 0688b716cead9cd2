import { addBack, type Form, type Pixels, turned } from '../imaging/forms.ts';
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
  /** In which forms every tile is restored; the result is their mean. */
  readonly forms: readonly Form[];
  /** HWC uint8 RGB of the result; lanes write disjoint parts of it. */
  readonly result: Uint8Array;
  /** Two int32: how many tiles were taken, and how many are done. */
  readonly counters: Int32Array;
}

const TAKEN = 0;
const DONE = 1;

/** Where all threads see it: a copy, or the same array where it lies there already. */
export function onSharedMemory(rgb: Uint8Array): Uint8Array {
  if (rgb.buffer instanceof SharedArrayBuffer) return rgb;
  const shared = new Uint8Array(new SharedArrayBuffer(rgb.length));
  shared.set(rgb);
  return shared;
}

/** Empty work for these tiles; `lanes` above one puts it on shared memory. */
export function tileWork(
  picture: Pixels,
  tiles: readonly Tile[],
  told: Pick<TileWork, 'conditions' | 'forms'>,
  scale: number,
  lanes: number,
): TileWork {
  const { rgb, width, height } = picture;
  const size = rgb.length * scale ** 2;
  const common = { width, height, tiles, ...told };
  if (lanes === 1) return { ...common, source: rgb, result: new Uint8Array(size), counters: new Int32Array(2) };
  const source = onSharedMemory(rgb);
  const result = new Uint8Array(new SharedArrayBuffer(size));
  return { ...common, source, result, counters: new Int32Array(new SharedArrayBuffer(8)) };
}

/**
 * One lane's part: takes the next tile that nobody has until none is left. Which lane computes a tile
 * does not change it. After a failure the others find nothing left to take.
 */
export async function doTiles(network: Network, work: TileWork, onTile: (done: number) => void = () => {}): Promise<void> {
  const { source, width, height, tiles, result, counters } = work;
  try {
    for (;;) {
      const tile = tiles[Atomics.add(counters, TAKEN, 1)];
      if (!tile) return;
      const pixels = { rgb: readTile(source, width, height, tile), width: tile.width, height: tile.height };
      const output = await meanOfForms(network, pixels, work);
      writeTile(result, width, output, tile, network.scale);
      onTile((Atomics.add(counters, DONE, 1) + 1) / tiles.length);
    }
  } catch (error) {
    Atomics.store(counters, TAKEN, tiles.length);
    throw error;
  }
}

/**
 * The mean of what the network makes of the picture in each form, rounded half up. Where a network
 * errs one way for an edge and another way for its mirror image, the mean errs less (geometric
 * self-ensemble: Timofte, Rothe, Van Gool, Seven Ways to Improve Example-Based Single Image Super
 * Resolution, CVPR 2016). Sides that are multiples of 8 keep a JPEG's block grid where it is in every form.
 */
async function meanOfForms(network: Network, picture: Pixels, { conditions, forms }: TileWork): Promise<Uint8Array> {
  const [first] = forms;
  if (forms.length === 1 && first === 'as-is') return network.run(picture.rgb, picture.width, picture.height, conditions);
  const sums = new Uint16Array(picture.rgb.length * network.scale ** 2);
  for (const form of forms) {
    const { rgb, width, height } = turned(picture, form);
    const restored = await network.run(rgb, width, height, conditions);
    addBack(sums, { rgb: restored, width: width * network.scale, height: height * network.scale }, form);
  }
  const half = forms.length >> 1;
  return Uint8Array.from(sums, (sum) => Math.floor((sum + half) / forms.length));
}
