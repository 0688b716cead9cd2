import { AppError, toAppError } from '../errors.ts';
import type { Fetcher } from '../fetcher/fetcher.ts';
import type { RestoreOutcome } from '../pipeline/report.ts';
import type { Begun, JobQueue } from '../queue/contract.ts';
import type { Storage } from '../storage/contract.ts';
import type { Spool, SpoolFolder } from '../storage/spool.ts';
import { ChildGone } from '../workers/child.ts';
import type { Restorer } from '../workers/contract.ts';
import type { Work } from './accounting.ts';
import { Caretaker, LOOK_EVERY } from './caretaker.ts';
import { type Job, type JobFailure, type JobPicture, type JobResult, megapixelsOf } from './job.ts';
import { newOwner } from './owner.ts';
import type { JobState } from './states.ts';
import { gaveUp, type JobStore, type ReleaseReason } from './store.ts';
import { LONGEST_DELAY } from './turn.ts';

export interface RunnerOptions {
  /** Jobs run at once. */
  readonly concurrency: number;
  /** Milliseconds one picture may take. */
  readonly timeout: number;
  readonly attempts: number;
  /** A process that says nothing for this long is taken for dead, ms. */
  readonly lease: number;
  /** Called when a job's state or progress may have changed. */
  readonly onChange: (id: string) => void;
  readonly onError: (error: unknown, job?: string) => void;
  readonly onEnd?: ((end: JobEnd) => void) | undefined;
  /** A picture of so many megapixels was restored in so many seconds. */
  readonly onPicture?: (megapixels: number, seconds: number) => void;
}

/** How a job ended, for metrics. */
export type JobEnd = { readonly results: readonly JobResult[] } | { readonly failure: JobFailure };

export interface RunnerDeps {
  readonly store: JobStore;
  readonly storage: Storage;
  readonly spool: Spool;
  readonly fetcher: Pick<Fetcher, 'download'>;
  readonly restorer: Restorer;
  readonly queue: JobQueue;
}

/** Leases are renewed and progress is written this often, ms. */
const TICK = 500;
/** First wait before a job whose worker died is tried again, ms; doubles with each attempt. */
const RETRY_WAIT = 500;
/** Of so many jobs one is taken from those accepted for later although synchronous calls wait too. */
const CALLS_IN_A_ROW = 4;
/** Wait when the pool has no room for asynchronous work, ms. */
const BUSY_WAIT = 1_000;

const MEDIA_TYPES = { jpg: 'image/jpeg', png: 'image/png', webp: 'image/webp' } as const;

interface Active {
  readonly controller: AbortController;
  progress: number;
  /** Progress as the others know it. */
  written: number;
  done: Promise<void>;
}

/** Runs the jobs that the queue gives it a turn for: claims one, restores its pictures, ends it. */
export class Runner {
  readonly #deps: RunnerDeps;
  readonly #options: RunnerOptions;
  readonly #owner: string;
  readonly #caretaker: Caretaker;
  readonly #active = new Map<string, Active>();
  readonly #timers: NodeJS.Timeout[] = [];
  #claims = 0;
  #stopped = true;

  constructor(deps: RunnerDeps, options: RunnerOptions, owner = newOwner()) {
    this.#deps = deps;
    this.#options = options;
    this.#owner = owner;
    const { lease, onError } = options;
    this.#caretaker = new Caretaker(deps, { owner, lease, onError, helpYourself: () => this.#helpYourself() });
  }

  /** Takes up what dead processes left, then queued jobs. */
  async start(): Promise<void> {
    this.#stopped = false;
    await this.#caretaker.look();
    this.#every(TICK, () => this.#keep());
    this.#every(LOOK_EVERY, () => this.#caretaker.look());
    this.#deps.queue.work(() => this.#take(), this.#options.concurrency);
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
    await this.#deps.queue.rest();
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

  /** Claims the job whose turn it is and begins it. */
  async #take(): Promise<Begun | undefined> {
    if (this.#stopped || this.#active.size >= this.#options.concurrency) return undefined;
    try {
      // Nearly always calls first, because somebody waits; but jobs come through beside any number of calls.
      const first = this.#claims % CALLS_IN_A_ROW === CALLS_IN_A_ROW - 1 ? 'job' : 'call';
      const job = await this.#deps.store.claim(this.#owner, Date.now() + this.#options.lease, first);
      if (!job) return undefined;
      this.#claims++;
      const former = this.#active.get(job.id);
      former?.controller.abort(new Ended());
      await former?.done;
      return this.#begin(job);
    } catch (error) {
      this.#options.onError(error);
      return undefined;
    }
  }

  #begin(job: Job): Begun {
    const active: Active = { controller: new AbortController(), progress: 0, written: 0, done: Promise.resolve() };
    this.#active.set(job.id, active);
    active.done = this.#run(job, active)
      .catch((error) => this.#options.onError(error, job.id))
      .finally(() => {
        this.#active.delete(job.id);
        this.#options.onChange(job.id);
      });
    this.#options.onChange(job.id);
    this.#tell(job.id, 'running');
    return active;
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
      if (owned) this.#tell(job.id, 'succeeded');
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
    const started = performance.now();
    const outcome = await this.#deps.restorer.run(
      { source, result, options: picture.options, limits: picture.limits },
      {
        signal,
        timeout: Math.min(this.#options.timeout, picture.timeout ?? Number.POSITIVE_INFINITY),
        ...(picture.pixels === undefined ? {} : { pixels: picture.pixels }),
        onProgress: (value) => {
          active.progress = (index + value) / job.pictures.length;
          this.#options.onChange(job.id);
        },
      },
    );
    const { width, height } = outcome.report.source;
    this.#options.onPicture?.(megapixelsOf([{ pixels: width * height }]), (performance.now() - started) / 1000);
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
    if (reason instanceof Stopping) return this.#release(job, 'untried', 0);
    const failure = toAppError(error);
    if (failure.kind === 'ALGORITHM_OVER_CONCURRENT') return this.#release(job, 'untried', BUSY_WAIT);
    const isOurs = failure.cause instanceof ChildGone || failure.kind === 'GATEWAY_UNKNOWN_ERROR';
    if (isOurs) this.#options.onError(failure.cause ?? failure, job.id);
    if (isOurs && job.attempts < this.#options.attempts) {
      return this.#release(job, 'tried', Math.min(RETRY_WAIT * 2 ** (job.attempts - 1), LONGEST_DELAY / 2));
    }
    const end = failure.cause instanceof ChildGone ? gaveUp(job.attempts) : { kind: failure.kind, message: failure.message };
    if (!(await store.fail(job.id, end, this.#owner))) return;
    this.#options.onEnd?.({ failure: end });
    this.#tell(job.id, 'failed');
  }

  /** Back into the queue, for whoever is next. */
  async #release(job: Job, reason: ReleaseReason, delay: number): Promise<void> {
    if (!(await this.#deps.store.release(job.id, this.#owner, reason, Date.now() + delay))) return;
    this.#tell(job.id, 'queued');
    await this.#announce(job.id, delay);
  }

  async #keep(): Promise<void> {
    // A copy: by the time of the answer the same id may stand for another attempt.
    const active = new Map(this.#active);
    if (active.size === 0) return;
    const progress = new Map([...active].map(([id, { progress }]) => [id, progress]));
    const lost = await this.#deps.store.keep(this.#owner, progress, Date.now() + this.#options.lease);
    for (const id of lost) active.get(id)?.controller.abort(new Ended());
    for (const [id, value] of progress) {
      const one = active.get(id);
      if (!one || one.written === value || lost.includes(id)) continue;
      one.written = value;
      this.#tell(id, 'running');
    }
  }

  async #helpYourself(): Promise<void> {
    for (let begun = await this.#take(); begun; begun = await this.#take());
  }

  /** A failure costs time, not the job: the caretaker finds it. */
  async #announce(id: string, delay = 0): Promise<void> {
    await this.#deps.queue.announce(id, delay).catch((error) => this.#options.onError(error, id));
  }

  /** Nobody waits for the message to be out. */
  #tell(id: string, state: JobState): void {
    this.#deps.queue.tell({ id, state }).catch((error) => this.#options.onError(error, id));
  }

  #every(milliseconds: number, run: () => Promise<void>): void {
    let going = false;
    const timer = setInterval(() => {
      // A database that is slow or away must not be asked the same thing many times over.
      if (going) return;
      going = true;
      run()
        .catch((error) => this.#options.onError(error))
        .finally(() => {
          going = false;
        });
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
