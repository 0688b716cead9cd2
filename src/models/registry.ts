import { createHash } from 'node:crypto';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Value } from 'typebox/value';
import { AppError } from '../errors.ts';
import { Manifest } from './manifest.ts';

export interface ModelEntry {
  readonly manifest: Manifest;
  readonly dir: string;
  readonly modelFile: string;
  readonly origin: 'shipped' | 'imported';
}

export interface Verification {
  readonly name: string;
  readonly ok: boolean;
  readonly problem?: string;
}

export interface Registry {
  /** Every readable model, shipped ones first; damaged folders appear in `verify` only. */
  list(): readonly ModelEntry[];
  /** @throws AppError PARAM_VALUE_ERROR naming the models there are */
  get(name: string): ModelEntry;
  /** Compares every model file with its manifest's checksum. */
  verify(): readonly Verification[];
  /** The model card as Markdown; undefined when the model has none. */
  card(name: string): string | undefined;
}

/** Reads the model folders once. `importedDir` need not exist. */
export function createRegistry(dirs: { readonly shippedDir: string; readonly importedDir?: string }): Registry {
  const problems: Verification[] = [];
  const entries = [
    ...scan(dirs.shippedDir, 'shipped', problems),
    ...(dirs.importedDir ? scan(dirs.importedDir, 'imported', problems) : []),
  ];
  const get = (name: string) => {
    const found = entries.find((entry) => entry.manifest.name === name);
    if (found) return found;
    throw new AppError(
      'PARAM_VALUE_ERROR',
      `There is no model ${JSON.stringify(name.slice(0, 64))}; there are: auto, ${entries.map((entry) => entry.manifest.name).join(', ')}.`,
    );
  };
  return {
    list: () => entries,
    get,
    verify: () => [...entries.map(verifyEntry), ...problems],
    card(name) {
      const file = join(get(name).dir, 'CARD.md');
      return existsSync(file) ? readFileSync(file, 'utf8') : undefined;
    },
  };
}

/** The folder of the networks in this package, from `src/` as from `dist/`. */
export const shippedModelsDir = () => join(import.meta.dirname, '..', '..', 'models');

function scan(dir: string, origin: ModelEntry['origin'], problems: Verification[]): ModelEntry[] {
  if (!existsSync(dir)) return [];
  const entries: ModelEntry[] = [];
  for (const folder of readdirSync(dir, { withFileTypes: true })) {
    const path = join(dir, folder.name);
    if (!folder.isDirectory() || !existsSync(join(path, 'manifest.json'))) continue;
    const read = readManifest(join(path, 'manifest.json'));
    if ('problem' in read) problems.push({ name: folder.name, ok: false, problem: read.problem });
    else entries.push({ manifest: read.manifest, dir: path, modelFile: join(path, read.manifest.file), origin });
  }
  return entries.sort((a, b) => a.manifest.name.localeCompare(b.manifest.name));
}

function readManifest(file: string): { manifest: Manifest } | { problem: string } {
  try {
    const parsed: unknown = JSON.parse(readFileSync(file, 'utf8'));
    if (Value.Check(Manifest, parsed)) return { manifest: parsed };
    const [first] = Value.Errors(Manifest, parsed);
    return { problem: `manifest.json: ${first?.instancePath ?? ''} ${first?.message ?? 'is not valid'}`.trim() };
  } catch {
    return { problem: 'manifest.json is no JSON' };
  }
}

/** @throws AppError PROCESS_ERROR when the file is missing or not the one the manifest names */
export function readVerified(entry: ModelEntry): Uint8Array {
  const check = verifyEntry(entry);
  if (!check.ok) throw new AppError('PROCESS_ERROR', `The network ${entry.manifest.name} cannot be used: ${check.problem}.`);
  return readFileSync(entry.modelFile);
}

function verifyEntry(entry: ModelEntry): Verification {
  const name = entry.manifest.name;
  if (!existsSync(entry.modelFile)) return { name, ok: false, problem: `${entry.manifest.file} is missing` };
  const digest = createHash('sha256').update(readFileSync(entry.modelFile)).digest('hex');
  return digest === entry.manifest.sha256
    ? { name, ok: true }
    : { name, ok: false, problem: `${entry.manifest.file} is not the file its manifest names (checksum differs)` };
}
