import { createWriteStream } from 'node:fs';
import { mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { availableParallelism, tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { fileURLToPath } from 'node:url';
import { AppError } from './errors.ts';
import type { PictureLimits } from './limits.ts';
import { shippedModelsDir } from './models/registry.ts';
import { DEFAULT_OPTIONS, RestoreOptions } from './pipeline/options.ts';
import type { RestoreReport } from './pipeline/report.ts';
import { Value } from './schema.ts';
import { createPool } from './workers/pool.ts';

/** How many processes restore, and with what. Everything has a default that suits one machine. */
export interface RestorerOptions {
  /** Child processes, each restoring one picture at a time. Default 1. */
  readonly workers?: number;
  /** Inference threads of each child. Default: processor cores divided by workers. */
  readonly threads?: number;
  /** ONNX Runtime execution provider. Default `cpu`. */
  readonly provider?: string;
  /** `fp32`, `int8` (where a network has it), or `auto`: what a short measurement finds faster. Default `auto`. */
  readonly precision?: 'auto' | 'fp32' | 'int8';
  /** Whether the model `auto` may choose the best tier where damage can be seen and time is ample. Default false. */
  readonly autoBest?: boolean;
  /** Folder of imported networks; default: only the shipped ones. */
  readonly modelsDir?: string;
  /** Imported network that restores faces, by name. Default: the shipped one. */
  readonly faceModel?: string;
  /** Imported network that finds faces, by name. Default: the shipped one. */
  readonly faceDetector?: string;
  /** Milliseconds one picture may take. Default: no limit. */
  readonly timeout?: number;
  /** What a picture may be at most. Default: 48 px a side at least, 64 megapixels, 100 MB. */
  readonly limits?: Partial<PictureLimits>;
}

/** A picture: the bytes of a file, the path of one, or a stream of its bytes. */
export type Input = Uint8Array | string | URL | Readable;

export interface RestoreCall {
  /** Aborting ends the child process that computes; the promise rejects with the signal's reason. */
  readonly signal?: AbortSignal;
  /** Called with 0…1, after each tile at most. */
  readonly onProgress?: (progress: number) => void;
}

/** A restored picture. */
export interface Restored {
  /** The result file. */
  readonly data: Buffer;
  readonly format: 'jpg' | 'png' | 'webp';
  readonly width: number;
  readonly height: number;
  /** What was found and what was done. */
  readonly report: RestoreReport;
}

export interface Restorer {
  /**
   * Restores one picture. Calls may overlap; they wait for a free child in the order they came.
   * @throws AppError with the code of what was wrong; see docs/reference/errors.md
   */
  restore(input: Input, options?: Partial<RestoreOptions>, call?: RestoreCall): Promise<Restored>;
  /** Lets accepted work end, then ends the child processes and removes temporary files. */
  close(): Promise<void>;
}

const LIMITS: PictureLimits = {
  formats: ['jpg', 'png', 'webp', 'avif', 'tiff'],
  minSide: 48,
  maxSide: 65_535,
  maxPixels: 64_000_000,
  maxBytes: 100 * 1024 * 1024,
};

/**
 * Starts the child processes that restore pictures. Nothing is shared between two restorers, and
 * nothing is left behind after `close`.
 *
 * The result keeps the source's format unless `options.format` says otherwise.
 * @throws AppError when no child can be started
 */
export async function createRestorer(options: RestorerOptions = {}): Promise<Restorer> {
  const folder = await mkdtemp(join(tmpdir(), 'mingxi-'));
  const workers = options.workers ?? 1;
  const pool = createPool({
    workers,
    threads: options.threads ?? Math.max(1, Math.floor(availableParallelism() / workers)),
    provider: options.provider ?? 'cpu',
    modelsDir: options.modelsDir ?? shippedModelsDir(),
    ...(options.autoBest === undefined ? {} : { autoBest: options.autoBest }),
    ...(options.precision === undefined ? {} : { precision: options.precision }),
    ...(options.faceModel === undefined ? {} : { faceModel: options.faceModel }),
    ...(options.faceDetector === undefined ? {} : { faceDetector: options.faceDetector }),
    queueLimit: Number.MAX_SAFE_INTEGER,
    maxTasks: 500,
    maxMemory: 1500 * 1024 * 1024,
  });
  const limits = { ...LIMITS, ...options.limits };
  let count = 0;
  const working = new Set<Promise<unknown>>();
  let closing: Promise<void> | undefined;

  const restore = async (input: Input, wanted: Partial<RestoreOptions>, { signal, onProgress }: RestoreCall): Promise<Restored> => {
    signal?.throwIfAborted();
    const picture = checked(wanted);
    const name = join(folder, String(count++));
    const result = `${name}.result`;
    try {
      const source = await toPath(input, `${name}.source`, limits);
      const { width, height, format, report } = await pool.run(
        { source, result, options: picture, limits },
        {
          ...(signal ? { signal } : {}),
          ...(onProgress ? { onProgress } : {}),
          ...(options.timeout === undefined ? {} : { timeout: options.timeout }),
        },
      );
      return { data: await readFile(result), format, width, height, report };
    } finally {
      await Promise.all([`${name}.source`, result].map((path) => rm(path, { force: true })));
    }
  };
  const close = async () => {
    await Promise.allSettled(working);
    await pool.close();
    await rm(folder, { recursive: true, force: true });
  };
  const restorer: Restorer = {
    restore(input, wanted = {}, call = {}) {
      if (closing) return Promise.reject(new AppError('ALGORITHM_OVER_CONCURRENT', 'The restorer is closed.'));
      const work = restore(input, wanted, call);
      working.add(work);
      const done = () => working.delete(work);
      work.then(done, done);
      return work;
    },
    close() {
      closing ??= close();
      return closing;
    },
  };
  try {
    await pool.ready();
  } catch (error) {
    await restorer.close();
    throw error;
  }
  return restorer;
}

function checked(wanted: Partial<RestoreOptions>): RestoreOptions {
  const options = { ...DEFAULT_OPTIONS, format: 'same' as const, ...wanted };
  if (Value.Check(RestoreOptions, options)) return options;
  const [first] = Value.Errors(RestoreOptions, options);
  const name = first?.instancePath.split('/')[1] ?? 'options';
  throw new AppError('PARAM_VALUE_ERROR', `${name}: ${first?.message ?? 'is not allowed'}.`);
}

/** Children read files: bytes and streams become one, a path stays what it is. */
async function toPath(input: Input, path: string, limits: PictureLimits): Promise<string> {
  if (typeof input === 'string' || input instanceof URL) {
    const found = await stat(input).catch(() => undefined);
    if (!found?.isFile()) throw new AppError('PARAM_VALUE_ERROR', 'input: there is no such file.');
    return typeof input === 'string' ? input : fileURLToPath(input);
  }
  if (input instanceof Uint8Array) await writeFile(path, input, { mode: 0o600 });
  else await pipeline(input, upTo(limits.maxBytes), createWriteStream(path, { mode: 0o600 }));
  return path;
}

/** A stream's end is not known beforehand: it is refused at the first byte too many. */
function upTo(limit: number) {
  return async function* (chunks: AsyncIterable<Uint8Array>) {
    let received = 0;
    for await (const chunk of chunks) {
      received += chunk.length;
      if (received > limit) throw new AppError('PICTURE_OVERRUN_ERROR', `The stream has more than ${limit} bytes.`);
      yield chunk;
    }
  };
}
