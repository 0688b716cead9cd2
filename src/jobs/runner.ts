import { AppError, toAppError } from '../errors.ts';
import type { Fetcher } from '../fetcher/fetcher.ts';
import type { RestoreOutcome } from '../pipeline/report.ts';
import type { Storage } from '../storage/contract.ts';
import type { Spool, SpoolFolder } from '../storage/spool.ts';
import { ChildGone } from '../workers/child.ts';
import type { Restorer } from '../workers/contract.ts';
import type { Work } from './accounting.ts';
import type { Job, JobFailure, JobPicture, JobResult } from './job.ts';
import { isGone, newOwner } from './owner.ts';
import { gaveUp, type JobStore } from './store.ts';

export interface RunnerOptions {
  /** Jobs run at once. */
  readonly concurrency: number;
  /** Milliseconds one picture may take. */
  readonly timeout: number;
  readonly attempts: number;
  /** Milliseconds between looks for jobs that other processes accepted. Default 1000. */
  readonly pollMs?: number;
  /** Called when a job's state or progress may have changed. */
  readonly onChange: (id: string) => void;
  readonly onError: (error: unknown, job?: string) => void;
  readonly onEnd?: ((end: JobEnd) => void) | undefined;
}

/** How a job ended, for metrics. */
export type JobEnd = { readonly results: readonly JobResult[] } | { readonly failure: JobFailure };

export interface RunnerDeps {
  readonly store: JobStore;
  readonly storage: Storage;
  readonly spool: Spool;
  readonly fetcher: Pick<Fetcher, 'download'>;
  readonly restorer: Restorer;
}

/** A process that says nothing for this long is taken for dead, ms. */
const LEASE = 15_000;
/** Leases are renewed and progress is written this often, ms. */
const TICK = 500;
/** Jobs of dead processes are looked for this often, ms. */
const RECOVER_EVERY = 3_000;
/** First wait before a job whose worker died is tried again, ms; doubles with each attempt. */
const RETRY_WAIT = 500;
/** Wait when the pool has no room for asynchronous work, ms. */
const BUSY_WAIT = 1_000;

const MEDIA_TYPES = { jpg: 'image/jpeg', png: 'image/png', webp: 'image/webp' } as const;

interface Active {
  readonly controller: AbortController;
  progress: number;
  done: Promise<void>;
}

/** Takes queued jobs and restores their pictures, a few at a time. */
export class Runner {
  readonly #deps: RunnerDeps;
  readonly #options: RunnerOptions;
  readonly #owner = newOwner();
  readonly #active = new Map<string, Active>();
  readonly #timers: NodeJS.Timeout[] = [];
  #filling: Promise<void> | undefined;
  #again = false;
  #stopped = true;

  constructor(deps: RunnerDeps, options: RunnerOptions) {
    this.#deps = deps;
    this.#options = options;
  }

  /** Takes up what dead processes left, then queued jobs. */
  async start(): Promise<void> {
    this.#stopped = false;
    await this.#recover();
    this.#every(this.#options.pollMs ?? 1000, () => this.wake());
    this.#every(TICK, () => this.#keep());
    this.#every(RECOVER_EVERY, () => this.#recover());
    this.wake();
  }

  /** Looks for work now. */
  wake(): void {
    if (this.#filling) {
      this.#again = true;
      return;
    }
    this.#filling = this.#fill()
      .catch((error) => this.#options.onError(error))
      .finally(() => {
        this.#filling = undefined;
        if (this.#again) {
          this.#again = false;
          this.wake();
        }
      });
  }

  /** 0…1 of a job that runs in this process. */
  progressOf(id: string): number | undefined {
    return this.#active.get(id)?.progress;
  }

  /** Stops the compute of a job that has ended otherwise. */
  abort(id: string): void {
    this.#active.get(id)?.controller.abort(new Ended());
  }

  /** Takes no more, waits for running jobs up to the grace period (ms), then puts them back. */
  async stop(grace: number): Promise<void> {
    this.#stopped = true;
    for (const timer of this.#timers.splice(0)) clearInterval(timer);
    await this.#filling;
    const beat = setInterval(() => void this.#keep().catch((error) => this.#options.onError(error)), TICK);
    const all = () => Promise.all([...this.#active.values()].map((active) => active.done));
    let late: NodeJS.Timeout | undefined;
    const timeIsUp = new Promise<void>((resolve) => {
      late = setTimeout(resolve, grace);
    });
    await Promise.race([all(), timeIsUp]);
    clearTimeout(late);
    for (const active of this.#active.values()) active.controller.abort(new Stopping());
    await all();
    clearInterval(beat);
  }

  async #fill(): Promise<void> {
    while (!this.#stopped && this.#active.size < this.#options.concurrency) {
      const job = await this.#deps.store.claim(this.#owner, Date.now() + LEASE);
      if (!job) return;
      const active: Active = { controller: new AbortController(), progress: 0, done: Promise.resolve() };
      this.#active.set(job.id, active);
      active.done = this.#run(job, active)
        .catch((error) => this.#options.onError(error, job.id))
        .finally(() => {
          this.#active.delete(job.id);
          this.#options.onChange(job.id);
          this.wake();
        });
      this.#options.onChange(job.id);
    }
  }

  async #run(job: Job, active: Active): Promise<void> {
    const folder = await this.#deps.spool.open();
    const results: JobResult[] = [];
    let owned = false;
    try {
      const started = performance.now();
      for (const [index, picture] of job.pictures.entries()) results.push(await this.#restore(picture, index, folder, job, active));
      const seconds = (performance.now() - started) / 1000;
      owned = await this.#deps.store.succeed(job.id, this.#owner, results, workOf(results, seconds));
      if (owned) this.#options.onEnd?.({ results });
    } catch (error) {
      await this.#settleFailure(job, error, active);
    } finally {
      // Results of a job that was lost in the meantime belong to nobody.
      if (!owned) for (const { object } of results) await this.#deps.storage.delete(object);
      await folder.remove();
    }
  }

  async #restore(picture: JobPicture, index: number, folder: SpoolFolder, job: Job, active: Active): Promise<JobResult> {
    const { signal } = active.controller;
    signal.throwIfAborted();
    const source = folder.path(`source-${index}`);
    const result = folder.path(`result-${index}`);
    await this.#bring(picture, source, signal);
    const outcome = await this.#deps.restorer.run(
      { source, result, options: picture.options, limits: picture.limits },
      {
        signal,
        timeout: this.#options.timeout,
        ...(picture.pixels === undefined ? {} : { pixels: picture.pixels }),
        onProgress: (value) => {
          active.progress = (index + value) / job.pictures.length;
          this.#options.onChange(job.id);
        },
      },
    );
    const stored = await this.#deps.storage.put({ path: result }, { type: MEDIA_TYPES[outcome.format], expiresAt: job.expiresAt });
    return { object: stored.id, outcome };
  }

  async #bring(picture: JobPicture, path: string, signal: AbortSignal): Promise<void> {
    if ('link' in picture.source) {
      await this.#deps.fetcher.download(picture.source.link, path, { maxBytes: picture.limits.maxBytes, signal });
    } else if (!(await this.#deps.storage.download(picture.source.object, path))) {
      throw new AppError('PROCESS_ERROR', 'The stored source of the job is gone.');
    }
  }

  async #settleFailure(job: Job, error: unknown, active: Active): Promise<void> {
    const { store } = this.#deps;
    const reason: unknown = active.controller.signal.reason;
    if (reason instanceof Ended) return;
    if (reason instanceof Stopping) {
      await store.release(job.id, this.#owner, 'untried', Date.now());
      return;
    }
    const failure = toAppError(error);
    if (failure.kind === 'ALGORITHM_OVER_CONCURRENT') {
      await store.release(job.id, this.#owner, 'untried', Date.now() + BUSY_WAIT);
      return;
    }
    const isOurs = failure.cause instanceof ChildGone || failure.kind === 'GATEWAY_UNKNOWN_ERROR';
    if (isOurs) this.#options.onError(failure.cause ?? failure, job.id);
    if (isOurs && job.attempts < this.#options.attempts) {
      await store.release(job.id, this.#owner, 'tried', Date.now() + RETRY_WAIT * 2 ** (job.attempts - 1));
      return;
    }
    const end = failure.cause instanceof ChildGone ? gaveUp(job.attempts) : { kind: failure.kind, message: failure.message };
    if (await store.fail(job.id, end, this.#owner)) this.#options.onEnd?.({ failure: end });
  }

  async #keep(): Promise<void> {
    // A copy: by the time of the answer the same id may stand for another attempt.
    const active = new Map(this.#active);
    if (active.size === 0) return;
    const progress = new Map([...active].map(([id, { progress }]) => [id, progress]));
    const lost = await this.#deps.store.keep(this.#owner, progress, Date.now() + LEASE);
    for (const id of lost) active.get(id)?.controller.abort(new Ended());
  }

  async #recover(): Promise<void> {
    const recovered = await this.#deps.store.recover((owner) => isGone(owner, this.#owner));
    if (recovered > 0) this.wake();
  }

  #every(milliseconds: number, run: () => void | Promise<void>): void {
    const timer = setInterval(() => {
      Promise.resolve(run()).catch((error) => this.#options.onError(error));
    }, milliseconds);
    timer.unref();
    this.#timers.push(timer);
  }
}

/** Why a running job is aborted: it was cancelled, expired, or taken over. */
class Ended extends Error {}
/** Why a running job is aborted: this process ends. */
class Stopping extends Error {}

function workOf(results: readonly { readonly outcome: RestoreOutcome }[], seconds: number): Work {
  const pixels = results.reduce((sum, { outcome }) => sum + outcome.report.source.width * outcome.report.source.height, 0);
  return { megapixels: pixels / 1e6, seconds };
}
