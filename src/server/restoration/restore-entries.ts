import { AppError } from '../../errors.ts';
import { inSpan } from '../../observability/tracing.ts';
import type { RestoreOutcome } from '../../pipeline/report.ts';
import type { SpoolFolder } from '../../storage/spool.ts';
import type { ServerDeps } from '../deps.ts';
import type { WireRequest } from '../dialect/wire-request.ts';
import { documentedLimits } from './limits.ts';
import { type SourceFile, saveSource } from './source-file.ts';

/** One restored picture: its file in the spool and what the pipeline says of it. */
export interface RestoredEntry {
  readonly path: string;
  readonly outcome: RestoreOutcome;
}

export interface RestoreContext {
  /** Id of the calling key. */
  readonly key: string;
  readonly folder: SpoolFolder;
  /** Aborts when the client has gone. */
  readonly signal: AbortSignal;
  /** Milliseconds that are left of the call's time. */
  readonly remaining: () => number;
  /** Called when all sources are there and the pictures are about to be queued. */
  readonly onReceived?: () => void;
  /** Told the milliseconds of each phase (sources; waiting and computing), for Server-Timing. */
  readonly onPhase?: (phase: 'fetch' | 'pool', milliseconds: number) => void;
}

type Deps = Pick<ServerDeps, 'config' | 'fetcher' | 'restorer'>;

/**
 * Restores every entry of a request, side by side, in order. All sources are saved and their headers
 * checked before the first one is queued. The first failure stops the others: the request fails as one.
 * @throws AppError of the failing entry with the lowest index
 */
export async function restoreEntries(request: WireRequest, deps: Deps, context: RestoreContext): Promise<RestoredEntry[]> {
  const sources = await timed('fetch', context, () => saveSources(request, deps, context));
  context.onReceived?.();
  return timed('pool', context, () =>
    together(sources, context.signal, (source, index, signal) => restoreOne(source, index, request, deps, context, signal)),
  );
}

function saveSources(request: WireRequest, deps: Deps, context: RestoreContext): Promise<SourceFile[]> {
  const limits = documentedLimits(deps.config);
  return together(request.entries, context.signal, (entry, index, signal) =>
    saveSource(entry.source, context.folder.path(`${index}.source`), {
      limits,
      fetcher: deps.fetcher,
      signal,
      timeout: timeLeft(context),
    }),
  );
}

async function restoreOne(
  source: SourceFile,
  index: number,
  request: WireRequest,
  deps: Deps,
  context: RestoreContext,
  signal: AbortSignal,
): Promise<RestoredEntry> {
  const facePoints = request.entries[index]?.facePoints;
  const path = context.folder.path(`${index}.result`);
  const task = {
    source: source.path,
    result: path,
    options: { ...request.options, ...(facePoints ? { facePoints } : {}) },
    limits: documentedLimits(deps.config),
  };
  const run = { signal, key: context.key, timeout: timeLeft(context), ...(source.pixels === undefined ? {} : { pixels: source.pixels }) };
  return { path, outcome: await deps.restorer.run(task, run) };
}

function timeLeft(context: RestoreContext): number {
  const left = context.remaining();
  if (left <= 0) throw new AppError('GATEWAY_TIMEOUT', 'The time allowed for a synchronous call is over.');
  return left;
}

/**
 * Runs the work for all items at once and waits until every one has really ended, so that no file is
 * removed under a running one. When one fails the rest are aborted.
 */
async function together<In, Out>(
  items: readonly In[],
  outer: AbortSignal,
  work: (item: In, index: number, signal: AbortSignal) => Promise<Out>,
): Promise<Out[]> {
  outer.throwIfAborted();
  const stop = new AbortController();
  const signal = AbortSignal.any([outer, stop.signal]);
  const stopped = new Error('another entry of the request failed');
  const settled = await Promise.allSettled(
    items.map(async (item, index) => {
      try {
        return await work(item, index, signal);
      } catch (error) {
        stop.abort(stopped);
        throw error === stopped ? error : named(error, index, items.length);
      }
    }),
  );
  outer.throwIfAborted();
  const failures = settled.filter((one) => one.status === 'rejected').map((one) => one.reason as unknown);
  if (failures.length > 0) throw failures.find((reason) => reason !== stopped) ?? failures[0];
  return settled.map((one) => (one as PromiseFulfilledResult<Out>).value);
}

/** With several entries the message says which one failed. */
function named(error: unknown, index: number, count: number): unknown {
  if (count === 1 || !(error instanceof AppError)) return error;
  const options = { cause: error.cause, ...(error.retryAfter === undefined ? {} : { retryAfter: error.retryAfter }) };
  return new AppError(error.kind, `media_info_list[${index}]: ${error.message}`, options);
}

async function timed<T>(phase: 'fetch' | 'pool', context: RestoreContext, work: () => Promise<T>): Promise<T> {
  const start = performance.now();
  try {
    return phase === 'fetch' ? await inSpan('sources', {}, work) : await work();
  } finally {
    context.onPhase?.(phase, performance.now() - start);
  }
}
