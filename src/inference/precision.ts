import { createHash, randomUUID } from 'node:crypto';
import { existsSync, linkSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { cpus } from 'node:os';
import { join } from 'node:path';
import ort from 'onnxruntime-node/package.json' with { type: 'json' };
import { type NetworkFile, Precision } from '../models/manifest.ts';
import { type ModelEntry, networkFor } from '../models/registry.ts';
import { type Static, Type, Value } from '../schema.ts';
import { type Network, openNetwork } from './session.ts';

/** What is asked for: a precision, or whichever is faster here. */
export type PrecisionWish = 'auto' | Precision;

/** What was measured on this machine. */
export const PrecisionFinding = Type.Object({
  precision: Precision,
  /** How many times as fast the 8-bit networks are, one run of each together. */
  speedup: Type.Number(),
  /** Root mean square difference of the two results, in levels of 255, the largest. */
  difference: Type.Number(),
});
export type PrecisionFinding = Static<typeof PrecisionFinding>;

export interface PrecisionOptions {
  readonly wish: PrecisionWish;
  /** Execution provider. Others than the processor run full precision: they are built for it. */
  readonly provider: string;
  /** Folder where findings are kept, if it exists; without it every process measures. */
  readonly dir?: string;
}

/** Side of the measured picture: its tensors are beyond the caches, as a tile's are, and it takes 50 ms. */
const SIDE = 192;
const ROUNDS = 3;
/** Less gain is not worth the last hundredths of a decibel. Measured 2.0-2.9 with VNNI instructions, 1.2-2.1 with AVX2 alone. */
const WORTH = 1.25;
/**
 * Root mean square, in levels; the shipped networks are 0.7-3.1 apart on this picture. It finds what computes them wrongly
 * altogether. It does not find sums that overflow now and then, as pairs of products may in x86 instructions before VNNI
 * (measured: 0.93 for 0.79 levels, 3.1 for 1.6, and 2.4 dB lost on noise): the weights of our 8-bit networks are such that
 * no pair can (`weight_steps` in training/quantised.py; test/inference/exact-sums.test.ts). ONNX Runtime's own cure, the
 * option `session.x64quantprecision`, takes the whole gain (measured 1.1 with AVX2, 1.0 with VNNI).
 */
const CLOSE = 6;

/** Whether a model has 8-bit networks at all; imported ones have none. */
export const hasInt8 = ({ manifest }: ModelEntry) => manifest.networks.some((network) => network.precision === 'int8');

/**
 * The precision a model runs in on this machine. With `auto` both are measured once and the finding is
 * kept: the same machine always decides the same, whatever else it is doing.
 * @throws AppError PROCESS_ERROR when a network cannot be loaded
 */
export async function precisionFor(entry: ModelEntry, { wish, provider, dir }: PrecisionOptions): Promise<Precision> {
  if (!hasInt8(entry)) return 'fp32';
  if (wish !== 'auto') return wish;
  if (provider !== 'cpu') return 'fp32';
  return (await findPrecision(entry, dir)).precision;
}

/** The finding for a model with 8-bit networks: the one that was kept, or a new one. */
export async function findPrecision(entry: ModelEntry, dir?: string): Promise<PrecisionFinding> {
  const file = dir !== undefined && existsSync(dir) ? join(dir, `precision-${machineKey(entry)}.json`) : undefined;
  return (file === undefined ? undefined : read(file)) ?? keep(await measure(entry), file);
}

/** Changes with everything that may change the answer. */
function machineKey({ manifest }: ModelEntry): string {
  const parts = [process.arch, cpus()[0]?.model ?? '', ort.version, ...manifest.networks.map((network) => network.sha256)];
  return createHash('sha256').update(parts.join('\n')).digest('hex').slice(0, 16);
}

function read(file: string): PrecisionFinding | undefined {
  try {
    const found: unknown = JSON.parse(readFileSync(file, 'utf8'));
    return Value.Check(PrecisionFinding, found) ? found : undefined;
  } catch {
    return undefined;
  }
}

/** The first of several processes that measure at once decides for all: `link` fails when the file is there. */
function keep(finding: PrecisionFinding, file: string | undefined): PrecisionFinding {
  if (file === undefined) return finding;
  const own = `${file}.${randomUUID()}`;
  try {
    writeFileSync(own, `${JSON.stringify(finding)}\n`, { mode: 0o600 });
    if (existsSync(file) && read(file) === undefined) renameSync(own, file);
    else linkSync(own, file);
  } catch {
    // A folder that cannot be written only costs the next process its measurement; a finding that is there wins.
  }
  rmSync(own, { force: true });
  return read(file) ?? finding;
}

/** Every network that comes in both precisions; their times together decide, and the results that are furthest apart. */
async function measure(entry: ModelEntry): Promise<PrecisionFinding> {
  let [full, small, difference] = [0, 0, 0];
  for (const network of entry.manifest.networks.filter(({ precision }) => precision === 'int8')) {
    const pair = await compare(entry, networkFor(entry, network.when === 'any' ? 'compression' : network.when), network);
    full += pair.full;
    small += pair.small;
    difference = Math.max(difference, pair.difference);
  }
  const speedup = full / small;
  return { precision: speedup >= WORTH && difference <= CLOSE ? 'int8' : 'fp32', speedup, difference };
}

/** Both forms of a network in turns on one thread: seconds of the fastest round of each, and how far the results are apart. */
async function compare(entry: ModelEntry, ...forms: readonly [full: NetworkFile, small: NetworkFile]) {
  const networks = await Promise.all(forms.map((form) => openNetwork(entry, form, { threads: 1, provider: 'cpu' })));
  const picture = testPicture();
  const best = [Infinity, Infinity];
  const results: Uint8Array[] = [];
  for (let round = 0; round < ROUNDS; round++) {
    for (const [i, network] of networks.entries()) {
      const { seconds, result } = await timed(network, picture);
      best[i] = Math.min(best[i] as number, seconds);
      results[i] = result;
    }
  }
  for (const network of networks) await network.close();
  const [full, small] = best as [number, number];
  return { full, small, difference: rootMeanSquare(results[0] as Uint8Array, results[1] as Uint8Array) };
}

/** Processor time, not the clock: neighbours on a busy machine would decide otherwise. */
async function timed(network: Network, picture: Uint8Array): Promise<{ seconds: number; result: Uint8Array }> {
  const before = process.cpuUsage();
  const result = await network.run(picture, SIDE, SIDE, new Float32Array(network.conditions.length).fill(0.3));
  const { user, system } = process.cpuUsage(before);
  return { seconds: (user + system) / 1e6, result };
}

/** Ramps with fine texture: values and differences of every size, the same on every machine. */
function testPicture(): Uint8Array {
  const picture = new Uint8Array(SIDE * SIDE * 3);
  for (let i = 0, state = 1; i < picture.length; i++) {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    const x = Math.floor(i / 3) % SIDE;
    const y = Math.floor(i / 3 / SIDE);
    picture[i] = 16 + ((x * (1 + (i % 3)) + y) % 208) + (state >>> 28);
  }
  return picture;
}

function rootMeanSquare(a: Uint8Array, b: Uint8Array): number {
  let sum = 0;
  for (let i = 0; i < a.length; i++) sum += ((a[i] as number) - (b[i] as number)) ** 2;
  return Math.sqrt(sum / a.length);
}
