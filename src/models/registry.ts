import { createHash } from 'node:crypto';
import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { AppError } from '../errors.ts';
import { Value } from '../schema.ts';
import { DerivedManifest, inherit } from './derived.ts';
import {
  contradiction,
  Manifest,
  type ModelFile,
  type ModelTask,
  type NetworkFile,
  type Precision,
  type Scale,
  type Suffering,
  type Tier,
  type Tile,
} from './manifest.ts';

export interface ModelEntry {
  readonly manifest: Manifest;
  readonly dir: string;
  readonly origin: 'shipped' | 'imported';
  /** The model whose network files it uses, where it has none of its own. */
  readonly base?: ModelEntry;
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
  /**
   * The model for a picture: by name; for `auto` the default one, or with an enlargement that it does
   * not offer the first one that does.
   * @throws AppError PARAM_VALUE_ERROR for an unknown name, a scale nobody offers, a model of the face stage
   */
  choose(name: string, scale: Scale, fallback: string): ModelEntry;
  /** The fast and the best tier of a model, imported ones before shipped ones, as far as there are any. */
  tiers(entry: ModelEntry): { readonly fast?: ModelEntry; readonly best?: ModelEntry };
  /**
   * The network of the face stage for a task: by name, for `auto` the shipped one if there is any, for `none` none.
   * @throws AppError PARAM_VALUE_ERROR for an unknown name, or a model of another task
   */
  forFaces(task: 'face' | 'face-detect', name: string): ModelEntry | undefined;
  /** Compares every model file with its manifest's checksum. */
  verify(): readonly Verification[];
  /** The model card as Markdown; undefined when the model has none. */
  card(name: string): string | undefined;
}

/**
 * Reads the model folders; `importedDir` need not exist. Imported models are read again when one was
 * added or removed, so a running server knows them from the next picture on.
 */
export function createRegistry(dirs: { readonly shippedDir: string; readonly importedDir?: string }): Registry {
  const shipped = readModels(dirs.shippedDir, 'shipped');
  const imported = dirs.importedDir === undefined ? () => NONE : fresh(dirs.importedDir);
  const entries = () => [...shipped.entries, ...imported().entries];
  /** With a task, a wrong name is answered with the models of that task alone. */
  const get = (name: string, task?: ModelTask) => {
    const known = entries();
    const found = known.find((entry) => entry.manifest.name === name);
    if (found) return found;
    const offered = known.filter(({ manifest }) => task === undefined || manifest.task === task).map(({ manifest }) => manifest.name);
    throw new AppError(
      'PARAM_VALUE_ERROR',
      `There is no model ${JSON.stringify(name.slice(0, 64))}; there are: ${[...(task ? ['auto'] : []), ...offered].join(', ')}.`,
    );
  };
  return {
    list: entries,
    get: (name) => get(name),
    choose: (name, scale, fallback) => choose(entries(), get(name === 'auto' ? fallback : name, 'restore'), name, scale),
    tiers({ manifest }) {
      const at = (level: Tier['level']) =>
        entries().findLast(({ manifest: { tier } }) => tier?.of === manifest.name && tier.level === level);
      const [fast, best] = [at('fast'), at('best')];
      return { ...(fast ? { fast } : {}), ...(best ? { best } : {}) };
    },
    forFaces: (task, name) => {
      if (name === 'none') return undefined;
      return name === 'auto' ? shippedFor(entries(), task) : checkedFor(get(name, task), task);
    },
    verify: () => [...entries().map(verifyEntry), ...shipped.problems, ...imported().problems],
    card(name) {
      const file = join(get(name).dir, 'CARD.md');
      return existsSync(file) ? readFileSync(file, 'utf8') : undefined;
    },
  };
}

/** What a folder of models holds. */
interface Models {
  readonly entries: readonly ModelEntry[];
  /** Folders that are no models. */
  readonly problems: readonly Verification[];
}

const NONE: Models = { entries: [], problems: [] };
/** Two changes so close (ms) may bear the same time; what was read so soon after one is read again. */
const SETTLED = 1000;

/** A folder's models as they are now. Adding and removing is one rename in the folder each, which sets its time. */
function fresh(dir: string): () => Models {
  let seen = Number.NaN;
  let models = NONE;
  return () => {
    const changed = statSync(dir, { throwIfNoEntry: false })?.mtimeMs ?? 0;
    if (changed !== seen) {
      models = readModels(dir, 'imported');
      seen = Date.now() - changed > SETTLED ? changed : Number.NaN;
    }
    return models;
  };
}

function choose(entries: readonly ModelEntry[], named: ModelEntry, asked: string, scale: Scale): ModelEntry {
  const { name, task, scale: offered } = named.manifest;
  if (task !== 'restore')
    throw new AppError('PARAM_VALUE_ERROR', `The model ${name} is for faces (${task}), not for whole pictures; choose another model.`);
  if (offered === scale) return named;
  const other = asked === 'auto' ? entries.find(({ manifest }) => manifest.task === 'restore' && manifest.scale === scale) : undefined;
  if (other) return other;
  throw new AppError('PARAM_VALUE_ERROR', `scale ${scale} is not offered by the model ${name}; it offers ${offered}.`);
}

const shippedFor = (entries: readonly ModelEntry[], task: ModelTask) =>
  entries.find(({ manifest, origin }) => manifest.task === task && origin === 'shipped');

function checkedFor(entry: ModelEntry, task: ModelTask): ModelEntry {
  const { manifest } = entry;
  if (manifest.task === task) return entry;
  throw new AppError('PARAM_VALUE_ERROR', `The model ${manifest.name} is for ${manifest.task}, not for ${task}; choose another model.`);
}

/** The folder of the networks in this package, from `src/` as from `dist/`. */
export const shippedModelsDir = () => join(import.meta.dirname, '..', '..', 'models');

function readModels(dir: string, origin: ModelEntry['origin']): Models {
  if (!existsSync(dir)) return NONE;
  const entries: ModelEntry[] = [];
  const problems: Verification[] = [];
  const derived: { readonly own: DerivedManifest; readonly dir: string; readonly folder: string }[] = [];
  for (const folder of readdirSync(dir, { withFileTypes: true })) {
    const path = join(dir, folder.name);
    // A leading dot: an import that is not finished, or was cut short.
    if (!folder.isDirectory() || folder.name.startsWith('.') || !existsSync(join(path, 'manifest.json'))) continue;
    const read = readManifest(join(path, 'manifest.json'));
    if ('problem' in read) problems.push({ name: folder.name, ok: false, problem: read.problem });
    else if ('derived' in read) derived.push({ own: read.derived, dir: path, folder: folder.name });
    else entries.push({ manifest: read.manifest, dir: path, origin });
  }
  for (const { own, dir: path, folder } of derived) {
    const base = entries.find((entry) => entry.manifest.name === own.derivedFrom && !entry.base);
    if (base) entries.push({ manifest: inherit(base.manifest, own), dir: path, origin, base });
    else problems.push({ name: folder, ok: false, problem: `manifest.json: derivedFrom: there is no model ${own.derivedFrom}` });
  }
  return { entries: entries.sort((a, b) => a.manifest.name.localeCompare(b.manifest.name)), problems };
}

function readManifest(file: string): { manifest: Manifest } | { derived: DerivedManifest } | { problem: string } {
  try {
    const parsed: unknown = JSON.parse(readFileSync(file, 'utf8'));
    if (Value.Check(DerivedManifest, parsed)) return { derived: parsed };
    if (Value.Check(Manifest, parsed)) {
      const problem = contradiction(parsed);
      return problem === undefined ? { manifest: parsed } : { problem: `manifest.json: ${problem}` };
    }
    const [first] = Value.Errors(Manifest, parsed);
    return { problem: `manifest.json: ${first?.instancePath ?? ''} ${first?.message ?? 'is not valid'}`.trim() };
  } catch {
    return { problem: 'manifest.json is no JSON' };
  }
}

/** The network of a model for a picture that suffers from this, in this precision where the model has it. */
export function networkFor(entry: ModelEntry, suffering: Suffering, precision: Precision = 'fp32'): NetworkFile {
  const suitable = (wanted: Precision): NetworkFile | undefined => {
    const networks = entry.manifest.networks.filter((network) => (network.precision ?? 'fp32') === wanted);
    return networks.find((network) => network.when === suffering) ?? networks.find((network) => network.when === 'any');
  };
  return suitable(precision) ?? suitable('fp32') ?? (entry.manifest.networks[0] as NetworkFile);
}

/** Tells a loaded network from every other: a model may be replaced by another of its name, and one file serve two models. */
export function networkKey({ dir, manifest }: ModelEntry, { file }: NetworkFile): string {
  return createHash('sha256')
    .update(JSON.stringify([dir, file, manifest]))
    .digest('hex');
}

/** How a picture is cut for one of a model's networks. */
export function tileRuleFor({ manifest }: ModelEntry, network: NetworkFile): Tile {
  return network.halo === undefined ? manifest.tile : { ...manifest.tile, halo: network.halo };
}

/** @throws AppError PROCESS_ERROR when the file is missing or not the one the manifest names */
export function readVerified(entry: ModelEntry, network: ModelFile): Uint8Array {
  const problem = problemOf(entry, network);
  if (problem) throw new AppError('PROCESS_ERROR', `The model ${entry.manifest.name} cannot be used: ${problem}.`);
  return readFileSync(join(entry.dir, network.file));
}

function problemOf(entry: ModelEntry, network: ModelFile): string | undefined {
  const path = join(entry.dir, network.file);
  if (!existsSync(path)) return `${network.file} is missing`;
  const digest = createHash('sha256').update(readFileSync(path)).digest('hex');
  return digest === network.sha256 ? undefined : `${network.file} is not the file its manifest names (checksum differs)`;
}

function verifyEntry(entry: ModelEntry): Verification {
  const { name, networks, refiner } = entry.manifest;
  if (entry.base) return { ...verifyEntry(entry.base), name };
  const files: readonly ModelFile[] = [...networks, ...(refiner ? [refiner] : [])];
  const found = files.map((file) => problemOf(entry, file)).filter((problem) => problem !== undefined);
  return { name, ok: found.length === 0, ...(found.length > 0 ? { problem: found.join('; ') } : {}) };
}
