import { createHash } from 'node:crypto';
import { createReadStream, createWriteStream, existsSync } from 'node:fs';
import { mkdir, mkdtemp, readdir, rename, rm, stat, writeFile } from 'node:fs/promises';
import { basename, extname, join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { AppError } from '../errors.ts';
import { Value } from '../schema.ts';
import { cardOf } from './card.ts';
import type { Completed, Draft } from './draft.ts';
import { type Manifest, ModelName } from './manifest.ts';

export interface ImportOrder {
  /** The owner's ONNX file; read, never changed. */
  readonly file: string;
  readonly name: string;
  readonly draft: Draft;
  /** Folder of imported models. */
  readonly dir: string;
  /** Names that are taken already: the shipped models'. */
  readonly shipped: readonly string[];
  readonly maxBytes: number;
  readonly signal?: AbortSignal;
  /** Looks at the copied file in a process of its own; throws the refusal. */
  readonly check: (copy: string) => Promise<Completed>;
}

/** Unfinished work of a process that was killed is swept away after this time. */
const LEFTOVER_MS = 3_600_000;
const NETWORK = 'network.onnx';

/** A name out of a file's: `RealESRGAN x2.onnx` → `realesrgan-x2`. */
export function nameFrom(file: string): string {
  return basename(file, extname(file))
    .toLowerCase()
    .replace(/[^a-z0-9._-]+/g, '-')
    .replace(/^[^a-z0-9]+/, '')
    .slice(0, 64);
}

/**
 * Copies a network beside its manifest into a folder of its own, checks the copy, and gives the folder
 * its name in one rename: it is registered whole or not at all.
 * @throws AppError PARAM_VALUE_ERROR for a name that cannot be used, PROCESS_ERROR for a file that is refused
 */
export async function importModel(order: ImportOrder): Promise<Manifest> {
  checkName(order);
  await checkFile(order);
  await mkdir(order.dir, { recursive: true });
  await sweep(order.dir);
  const work = await mkdtemp(join(order.dir, '.adding-'));
  try {
    const copy = join(work, NETWORK);
    const sha256 = await copyFile(order, copy);
    const manifest = manifestOf(order, sha256, await order.check(copy));
    await writeFile(join(work, 'manifest.json'), `${JSON.stringify(manifest, null, 2)}\n`, { flush: true });
    await writeFile(join(work, 'CARD.md'), cardOf(manifest, basename(order.file)));
    // Over a folder that came meanwhile the rename fails, as it must.
    await rename(work, join(order.dir, order.name)).catch((cause) => {
      throw existsSync(join(order.dir, order.name)) ? taken(order.name, 'imported') : cause;
    });
    return manifest;
  } finally {
    await rm(work, { recursive: true, force: true });
  }
}

/**
 * Takes an imported model away, also a damaged one. Processes that have it loaded keep it until they end.
 * @throws AppError PARAM_VALUE_ERROR when there is none of this name, or it is a shipped one
 */
export async function removeModel(dir: string, name: string, shipped: readonly string[]): Promise<void> {
  const folder = join(dir, name);
  if (!isName(name) || !existsSync(folder)) {
    const why = shipped.includes(name) ? 'is part of Mingxi and stays' : 'is not among the imported models';
    throw new AppError('PARAM_VALUE_ERROR', `The model ${JSON.stringify(name.slice(0, 64))} ${why}.`);
  }
  await sweep(dir);
  const work = await mkdtemp(join(dir, '.removing-'));
  await rename(folder, join(work, name));
  await rm(work, { recursive: true });
}

const isName = (name: string): boolean => Value.Check(ModelName, name);

function checkName({ name, dir, shipped }: ImportOrder): void {
  if (!isName(name))
    throw new AppError(
      'PARAM_VALUE_ERROR',
      `name: expected 1 to 64 of a-z 0-9 . _ - beginning with a letter or digit, received ${JSON.stringify(name.slice(0, 80))}.`,
    );
  if (name === 'auto' || name === 'none')
    throw new AppError(
      'PARAM_VALUE_ERROR',
      `name: "${name}" means ${name === 'auto' ? 'the default model' : 'no model'} and cannot be used.`,
    );
  if (shipped.includes(name)) throw taken(name, 'shipped');
  if (existsSync(join(dir, name))) throw taken(name, 'imported');
}

function taken(name: string, by: 'shipped' | 'imported'): AppError {
  const advice = by === 'imported' ? 'remove it first, or choose another name' : 'choose another name';
  return new AppError(
    'PARAM_VALUE_ERROR',
    `name: there is ${by === 'shipped' ? 'a shipped' : 'an imported'} model ${name} already; ${advice}.`,
  );
}

async function checkFile({ file, maxBytes }: ImportOrder): Promise<void> {
  const found = await stat(file).catch(() => undefined);
  if (!found?.isFile()) throw new AppError('PARAM_VALUE_ERROR', `There is no file ${JSON.stringify(file)}.`);
  if (found.size > maxBytes) throw tooLarge(found.size, maxBytes);
}

const tooLarge = (size: number, maxBytes: number) =>
  new AppError(
    'PROCESS_ERROR',
    `The network is refused: the file has ${size} bytes; at most ${maxBytes} are accepted (MINGXI_MODEL_MAX_BYTES).`,
  );

/** Copies and counts: the file may grow after it was looked at. Returns the checksum of what was copied. */
async function copyFile({ file, maxBytes, draft, signal }: ImportOrder, copy: string): Promise<string> {
  const hash = createHash('sha256');
  let size = 0;
  await pipeline(
    createReadStream(file, { highWaterMark: 1024 * 1024 }),
    async function* (chunks: AsyncIterable<Buffer>) {
      for await (const chunk of chunks) {
        size += chunk.length;
        if (size > maxBytes) throw tooLarge(size, maxBytes);
        hash.update(chunk);
        yield chunk;
      }
    },
    createWriteStream(copy, { flags: 'wx', flush: true }),
    { signal },
  );
  const sha256 = hash.digest('hex');
  if (draft.sha256 !== undefined && draft.sha256 !== sha256)
    throw new AppError('PROCESS_ERROR', `The network is refused: expected the checksum ${draft.sha256}, received ${sha256}.`);
  return sha256;
}

function manifestOf({ name, draft }: ImportOrder, sha256: string, completed: Completed): Manifest {
  return {
    name,
    version: draft.version ?? 'imported',
    task: draft.task,
    networks: [{ file: NETWORK, sha256, when: 'any', conditions: [] }],
    description: draft.description ?? 'Imported network.',
    input: completed.input,
    output: completed.output,
    ...(completed.scalars.length > 0 ? { scalars: [...completed.scalars] } : {}),
    ...(draft.detector ? { detector: draft.detector } : {}),
    ...(draft.tier ? { tier: draft.tier } : {}),
    scale: draft.scale,
    tile: completed.tile,
    cost: { parameters: completed.parameters },
    licence: { weights: draft.licence, data: {} },
    training: {},
  };
}

async function sweep(dir: string): Promise<void> {
  for (const name of await readdir(dir)) {
    if (!/^\.(adding|removing)-/.test(name)) continue;
    const path = join(dir, name);
    const found = await stat(path).catch(() => undefined);
    if (found && Date.now() - found.mtimeMs > LEFTOVER_MS) await rm(path, { recursive: true, force: true });
  }
}
