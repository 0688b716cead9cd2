import { existsSync } from 'node:fs';
import { access, constants, statfs } from 'node:fs/promises';
import { availableParallelism, cpus, freemem, totalmem } from 'node:os';
import { dirname, resolve } from 'node:path';
import { listSupportedBackends } from 'onnxruntime-node';
import ort from 'onnxruntime-node/package.json' with { type: 'json' };
import sharp from 'sharp';
import { type Config, loadConfig, threadsPerWorker } from '../../config.ts';
import { AppError } from '../../errors.ts';
import { findPrecision, hasInt8, type PrecisionWish, precisionFor } from '../../inference/precision.ts';
import type { Precision } from '../../models/manifest.ts';
import { createRegistry, shippedModelsDir, type Verification } from '../../models/registry.ts';
import { packageVersion } from '../../version.ts';
import type { DoctorFlags } from '../doctor.ts';
import { EXIT } from '../exit.ts';
import { importedModelsDir } from '../pool-of.ts';
import { printJson } from '../print.ts';
import { describeProbe, type Probe } from './probe.ts';
import { probeDatabase } from './probe-database.ts';
import { type Arrangement, advise, measureArrangements } from './threads.ts';

/** Everything `doctor` found; its JSON form. Sizes in bytes. */
interface Findings {
  readonly mingxi: string;
  readonly node: string;
  readonly platform: string;
  readonly onnxruntime: string;
  readonly sharp: string;
  readonly libvips: string;
  readonly providers: readonly string[];
  readonly provider: { readonly configured: string; readonly available: boolean };
  readonly processor: { readonly model: string; readonly cores: number };
  readonly memory: { readonly total: number; readonly free: number };
  readonly data: { readonly path: string; readonly writable: boolean; readonly free: number };
  readonly database: Probe;
  readonly limits: Readonly<Record<string, number>>;
  readonly models: readonly Verification[];
  /** Of the default model; `speedup`: how many times as fast its 8-bit networks are here, where that was measured. */
  readonly precision: { readonly configured: string; readonly used: Precision; readonly speedup: number | null } | null;
  readonly threads: {
    readonly configured: { readonly workers: number; readonly threads: number };
    readonly measured: readonly Arrangement[];
    readonly advice: { readonly workers: number; readonly threads: number } | null;
  };
  /** What must be put right; empty: all is well. */
  readonly problems: readonly string[];
}

/** The whole command; returns the exit status. */
export async function runDoctor(flags: DoctorFlags): Promise<number> {
  const config = loadConfig(process.env, { data: flags.data });
  const findings = await examine(config, flags.measure);
  if (flags.json) printJson(findings);
  else print(findings);
  return findings.problems.length > 0 ? EXIT.failed : EXIT.ok;
}

async function examine(config: Config, measure: boolean): Promise<Findings> {
  const cores = availableParallelism();
  const backends = listSupportedBackends();
  const providers = backends.filter((backend) => backend.bundled).map((backend) => backend.name);
  const models = createRegistry({ shippedDir: shippedModelsDir(), importedDir: importedModelsDir(config) }).verify();
  const [data, database] = await Promise.all([examineFolder(config.data), probeDatabase(config)]);
  const available = backends.some((backend) => backend.name === config.provider);
  const problems = [
    ...models.filter((model) => !model.ok).map((model) => `the model ${model.name} cannot be used: ${model.problem}`),
    ...(models.length === 0 ? ['there is no model at all'] : []),
    ...(models.length > 0 && !models.some((model) => model.name === config.model)
      ? [`the default model ${config.model} is not there`]
      : []),
    ...(available
      ? []
      : [
          `the provider ${config.provider} does not exist on this platform; there are: ${backends.map((backend) => backend.name).join(', ')}`,
        ]),
    ...(data.writable ? [] : [`the data folder ${data.path} cannot be written`]),
    ...database.problems,
  ];
  const measured: Arrangement[] = [];
  try {
    if (measure && problems.length === 0) measured.push(...(await measureArrangements(config, cores)));
  } catch (error) {
    if (!(error instanceof AppError)) throw error;
    problems.push(`no picture can be restored: ${error.message}`);
  }
  const best = advise(measured);
  const precision = measure && problems.length === 0 ? await examinePrecision(config) : null;
  return {
    mingxi: packageVersion(),
    node: process.version,
    platform: `${process.platform} ${process.arch}`,
    onnxruntime: ort.version,
    sharp: sharp.versions.sharp ?? 'unknown',
    libvips: sharp.versions.vips,
    providers,
    provider: { configured: config.provider, available },
    processor: { model: cpus()[0]?.model.trim() ?? 'unknown', cores },
    memory: { total: totalmem(), free: freemem() },
    data,
    database,
    limits: {
      max_file_bytes: config.maxFileBytes,
      min_side: config.minSide,
      max_side: config.maxSide,
      v2_max_file_bytes: config.v2MaxFileBytes,
      v2_max_pixels: config.v2MaxPixels,
      body_limit: config.bodyLimit,
      queue_limit: config.queueLimit,
      sync_timeout_seconds: config.syncTimeout,
    },
    models,
    precision,
    threads: {
      configured: { workers: config.workers, threads: threadsPerWorker(config) },
      measured,
      advice: best ? { workers: best.workers, threads: best.threads } : null,
    },
    problems,
  };
}

/** What the default model runs in; with auto as measured here, or as it was found before. */
async function examinePrecision(config: Config): Promise<Findings['precision']> {
  const entry = createRegistry({ shippedDir: shippedModelsDir(), importedDir: importedModelsDir(config) }).get(config.model);
  const wish = config.precision as PrecisionWish;
  const used = await precisionFor(entry, { wish, provider: config.provider, dir: config.data });
  const measured = wish === 'auto' && config.provider === 'cpu' && hasInt8(entry);
  return { configured: wish, used, speedup: measured ? (await findPrecision(entry, config.data)).speedup : null };
}

/** The folder, or where it would be made. */
async function examineFolder(path: string): Promise<Findings['data']> {
  let there = resolve(path);
  while (!existsSync(there) && dirname(there) !== there) there = dirname(there);
  const writable = await access(there, constants.W_OK).then(
    () => true,
    () => false,
  );
  const disk = await statfs(there);
  return { path: resolve(path), writable, free: disk.bavail * disk.bsize };
}

function print(found: Findings): void {
  const { configured, measured, advice } = found.threads;
  const rows: [string, string][] = [
    ['mingxi', found.mingxi],
    ['node', `${found.node} (${found.platform})`],
    ['onnxruntime', `${found.onnxruntime}; providers: ${found.providers.join(', ')}; in use: ${found.provider.configured}`],
    ['sharp', `${found.sharp} (libvips ${found.libvips})`],
    ['processor', `${found.processor.model}, ${found.processor.cores} cores`],
    ['memory', `${gigabytes(found.memory.free)} free of ${gigabytes(found.memory.total)}`],
    ['data', `${found.data.path}: ${found.data.writable ? 'writable' : 'NOT WRITABLE'}, ${gigabytes(found.data.free)} free`],
    ['database', describeProbe(found.database)],
    ...found.models.map((model): [string, string] => ['model', `${model.name}: ${model.ok ? 'ok' : `FAILED, ${model.problem}`}`]),
    ...Object.entries(found.limits).map(([name, value]): [string, string] => ['limit', `${name.replaceAll('_', ' ')}: ${value}`]),
    ...measured.map((one): [string, string] => ['measured', describe(one)]),
    ...(found.precision ? [['precision', precisionText(found.precision)] as [string, string]] : []),
    ['threads', adviceText(configured, advice)],
    ...found.problems.map((problem): [string, string] => ['PROBLEM', problem]),
  ];
  for (const [name, value] of rows) console.log(`${name.padEnd(12)} ${value}`);
}

function describe({ workers, threads, megapixelsPerSecond, secondsPerPicture }: Arrangement): string {
  return `${workers} children × ${threads} threads: ${megapixelsPerSecond.toFixed(2)} MP/s, ${secondsPerPicture.toFixed(2)} s for 0.25 MP`;
}

function adviceText(configured: Findings['threads']['configured'], advice: Findings['threads']['advice']): string {
  const now = `configured ${configured.workers} children × ${configured.threads} threads`;
  if (!advice) return `${now}; not measured`;
  if (advice.workers === configured.workers && advice.threads === configured.threads) return `${now}: right for this machine`;
  return `${now}; better here: MINGXI_WORKERS=${advice.workers} MINGXI_THREADS=${advice.threads}`;
}

function precisionText({ configured, used, speedup }: NonNullable<Findings['precision']>): string {
  const why = speedup === null ? '' : `; 8-bit networks are ${speedup.toFixed(1)} times as fast here`;
  return `${used} (configured ${configured}${why})`;
}

function gigabytes(bytes: number): string {
  return `${(bytes / 2 ** 30).toFixed(1)} GB`;
}
