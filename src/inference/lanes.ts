import { type FineStructure, fineStructureOf } from '../imaging/fine-structure.ts';
import type { Form, Pixels } from '../imaging/forms.ts';
import { type Lead, planTilesOnGrid, type TileRule } from '../imaging/tiles.ts';
import type { NetworkFile } from '../models/manifest.ts';
import { type ModelEntry, networkKey, tileRuleFor } from '../models/registry.ts';
import { once } from '../once.ts';
import { Lane } from './lane.ts';
import { factsOf, type Network, openNetwork, type SessionOptions } from './session.ts';
import { doTiles, onSharedMemory, tileWork } from './tile-work.ts';

/** A network that also restores whole pictures, in tiles on all lanes. `run` uses this thread alone. */
export interface TiledNetwork extends Network {
  /**
   * HWC uint8 RGB → HWC uint8 RGB of `scale` times the size, tile by tile as the model's rule says.
   * @throws AppError PROCESS_ERROR when a tile fails
   */
  restore(picture: Pixels, conditions: Float32Array, how?: HowToRestore): Promise<Uint8Array>;
}

export interface HowToRestore {
  /** Gets the part that is done, to 1. */
  readonly onProgress?: (done: number) => void;
  /** See `Manifest.forms`. */
  readonly forms?: readonly Form[];
  /** What is fed before the picture, so that its blocks lie where those of a JPEG file do. */
  readonly lead?: Lead;
}

const AS_IS: readonly Form[] = ['as-is'];
const NO_LEAD: Lead = { x: 0, y: 0 };

/** Threads that compute tiles of one picture side by side. */
export interface Lanes {
  /** @throws AppError PROCESS_ERROR when the file is damaged or the provider is not there */
  open(entry: ModelEntry, file: NetworkFile): Promise<TiledNetwork>;
  /**
   * A network that another lane runs, with all threads, while this thread is free for something else; this one where
   * there is no other.
   * @throws AppError PROCESS_ERROR when the file is damaged or the provider is not there
   */
  openAside(entry: ModelEntry, file: NetworkFile): Promise<Network>;
  /** HWC uint8 RGB where every lane sees it without a further copy; the same array where this thread is the only one. */
  share(rgb: Uint8Array): Uint8Array;
  /** By another lane where there is one, while this thread does something else. */
  look(picture: Pixels): Promise<FineStructure>;
  /** Ends all lanes, after the tiles they are at. */
  close(): Promise<void>;
}

/** Each lane holds its own copy of every network and cuts the picture further: more do not pay. */
const MOST_LANES = 4;

/**
 * Divides `threads` among lanes: this thread is the first, each further one a thread with sessions of
 * its own. Two sessions of one thread on two tiles are 15-20 % faster than one session of two threads:
 * shuffles and copies, which ONNX Runtime does on one thread, then run side by side, too. Other
 * providers than the processor have one device to share, so one lane.
 * @param program what the further threads run; the tests have others
 */
export function createLanes({ threads, provider }: SessionOptions, program?: string): Lanes {
  const count = provider === 'cpu' ? Math.min(threads, MOST_LANES) : 1;
  const optionsOf = (lane: number): SessionOptions => ({ threads: Math.floor((threads + lane) / count), provider });
  const others = Array.from({ length: count - 1 }, (_, i) => new Lane(optionsOf(i + 1), program));
  const networks: Network[] = [];
  /** Opened in this thread for want of another. */
  const aside = new Map<string, Promise<Network>>();
  return {
    async open(entry, file) {
      const key = networkKey(entry, file);
      // All are waited for, also after a failure: a process must not end while a thread is loading.
      const opened = await Promise.allSettled([
        openNetwork(entry, file, optionsOf(0)),
        ...others.map((lane) => lane.ask({ type: 'open', key, entry, file })),
      ]);
      const [first] = opened;
      if (first.status === 'fulfilled') networks.push(first.value);
      for (const each of opened) if (each.status === 'rejected') throw each.reason;
      const network = (first as PromiseFulfilledResult<Network>).value;
      return {
        ...network,
        restore: (picture, conditions, how = {}) =>
          restore({ network, key, others, rule: tileRuleFor(entry, file) }, picture, conditions, how),
      };
    },
    async openAside(entry, file) {
      const key = networkKey(entry, file);
      const here = () => once(aside, key, () => openNetwork(entry, file, { threads, provider }));
      const lane = others[0];
      if (!lane) return here();
      await lane.ask({ type: 'open', key, entry, file, threads });
      return asideNetwork(entry, file, { lane, key, here });
    },
    share: (rgb) => (others.length > 0 ? onSharedMemory(rgb) : rgb),
    async look(picture) {
      const { rgb, width, height } = picture;
      const answer = await others.find((lane) => !lane.gone)?.ask({ type: 'look', picture });
      return answer?.seen ?? fineStructureOf(rgb, width, height);
    },
    async close() {
      await Promise.all(others.map((lane) => lane.close()));
      for (const network of [...networks, ...(await Promise.all(aside.values()))]) await network.close();
    },
  };
}

/** By the lane as long as there is one: a lane that was lost failed its run, and the next one opens the network here. */
function asideNetwork(
  { manifest }: ModelEntry,
  file: NetworkFile,
  { lane, key, here }: { lane: Lane; key: string; here: () => Promise<Network> },
): Network {
  return {
    ...factsOf(manifest, file),
    async run(rgb, width, height, conditions, beside) {
      if (lane.gone) return (await here()).run(rgb, width, height, conditions, beside);
      const order = { type: 'run', key, picture: { rgb, width, height }, conditions } as const;
      const { pixels } = await lane.ask({ ...order, ...(beside ? { beside } : {}) });
      return pixels as Uint8Array;
    },
    // With all others of its thread.
    close: async () => {},
  };
}

interface Team {
  readonly network: Network;
  readonly key: string;
  readonly others: readonly Lane[];
  readonly rule: TileRule;
}

async function restore(
  team: Team,
  picture: Pixels,
  conditions: Float32Array,
  { onProgress, forms = AS_IS, lead = NO_LEAD }: HowToRestore,
): Promise<Uint8Array> {
  const { network, key, rule } = team;
  // A lane that was lost failed its picture; the next ones do without it.
  const others = team.others.filter((lane) => !lane.gone);
  const tiles = planTilesOnGrid(picture.width, picture.height, rule, lead, 1 + others.length);
  const helpers = others.slice(0, tiles.length - 1);
  const work = tileWork(picture, tiles, { conditions, forms }, network.scale, 1 + helpers.length);
  const parts = await Promise.allSettled([
    ...helpers.map((lane) => lane.ask({ type: 'tiles', key, work })),
    doTiles(network, work, onProgress),
  ]);
  for (const part of parts) if (part.status === 'rejected') throw part.reason;
  return work.result;
}
