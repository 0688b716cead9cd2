import { AppError } from '../../errors.ts';
import type { RestoreTask } from '../../pipeline/options.ts';
import type { RestoreOutcome } from '../../pipeline/report.ts';
import type { JobQueue } from '../../queue/contract.ts';
import type { Storage } from '../../storage/contract.ts';
import { admit, behind, closing, expectedWait, type Load } from '../../workers/admission.ts';
import type { Restorer, RestorerStats, RunOptions } from '../../workers/contract.ts';
import { type Place, Places } from '../../workers/places.ts';
import type { Changes } from '../changes.ts';
import { type Job, megapixelsOf } from '../job.ts';
import { isFinal } from '../states.ts';
import type { JobStore } from '../store.ts';
import type { CallLoad, Calls } from './calls.ts';
import type { Fleet, Strength } from './fleet.ts';

export interface RemoteDeps {
  readonly calls: Calls;
  readonly store: JobStore;
  readonly storage: Storage;
  readonly queue: JobQueue;
  readonly fleet: Fleet;
  readonly changes: Changes;
}

export interface RemoteOptions {
  /** Pictures that may wait for each process that works. */
  readonly queueLimit: number;
  /** Milliseconds for a picture whose caller named no limit. */
  readonly timeout: number;
  readonly onError: (error: unknown, job?: string) => void;
}

/** What a process that was called leaves behind when it ends without warning is gone after this, ms beyond the call's time. */
const LEFTOVER = 600_000;
/** Seconds after which a caller may try again when nobody works. */
const NOBODY_RETRY = 5;
/** What was found of the load is believed for so long, ms. */
const FRESH = 500;

/**
 * A {@link Restorer} that has no children of its own: pictures pass through the storage to a process
 * that works, on this or another machine, and the end is heard of through the queue. Same promises as
 * the pool's: refused at once when it would take too long, stopped when the caller leaves.
 */
export class RemoteRestorer implements Restorer {
  readonly #deps: RemoteDeps;
  readonly #options: RemoteOptions;
  readonly #counts = { finished: 0, failed: 0 };
  readonly #tidying = new Set<Promise<void>>();
  readonly #closing = new AbortController();
  /** Megapixels and pictures that were let in and are not in the table yet. */
  readonly #entering = { pictures: 0, megapixels: 0 };
  readonly #places = new Places();
  #open = 0;
  #last: { readonly load: Load; readonly seconds: number; readonly at: number } | undefined;

  constructor(deps: RemoteDeps, options: RemoteOptions) {
    this.#deps = deps;
    this.#options = options;
  }

  async run(task: RestoreTask, options: RunOptions = {}): Promise<RestoreOutcome> {
    options.signal?.throwIfAborted();
    this.#closing.signal.throwIfAborted();
    const deadline = performance.now() + (options.timeout ?? this.#options.timeout);
    this.#open++;
    try {
      const outcome = await this.#run(task, options, deadline);
      this.#counts.finished++;
      return outcome;
    } catch (error) {
      this.#counts.failed++;
      throw error;
    } finally {
      this.#open--;
    }
  }

  /** By what the last picture found, while that is fresh: the tables are not asked for a picture that may not come. */
  checkRoom(timeout?: number): void {
    this.#closing.signal.throwIfAborted();
    if (!this.#last || performance.now() - this.#last.at >= FRESH) return;
    const { load, seconds } = this.#last;
    admit(behind(this.#places.count, seconds, load), seconds, timeout);
  }

  keepPlace(timeout?: number): Place {
    this.checkRoom(timeout);
    return this.#places.keep();
  }

  /**
   * The same question for a job that somebody wants to wait for. Nothing is refused while nobody is known
   * to work: who accepts jobs need not know yet.
   * @throws AppError ALGORITHM_OVER_CONCURRENT
   */
  async checkRoomForJob(pixels: number | undefined, timeout: number): Promise<void> {
    const strength = await this.#deps.fleet.look();
    if (strength.slots === 0) return;
    const load = loadOf(await this.#deps.calls.load('job'), strength, Number.POSITIVE_INFINITY);
    admit(load, secondsOf(megapixelsOf([{ pixels }]), strength), timeout);
  }

  stats(): RestorerStats {
    const { slots } = this.#deps.fleet.strength;
    const wait = this.#last ? expectedWait(this.#last.load) : 0;
    return { children: slots, running: this.#open, waiting: 0, ...this.#counts, restarts: 0, expectedWait: wait };
  }

  /** Callers that still wait are refused; the server has given them their time before this. */
  async close(): Promise<void> {
    this.#closing.abort(closing());
    await Promise.all(this.#tidying);
  }

  async #run(task: RestoreTask, options: RunOptions, deadline: number): Promise<RestoreOutcome> {
    const { calls, storage, queue } = this.#deps;
    const timeLeft = () => Math.max(0, Math.ceil(deadline - performance.now()));
    const picture = { options: task.options, limits: task.limits, pixels: options.pixels };
    const leave = await this.#enter(megapixelsOf([picture]), options.timeout);
    const expiresAt = Date.now() + timeLeft() + LEFTOVER;
    const objects: string[] = [];
    let id: string | undefined;
    let ended: Job | undefined;
    try {
      const source = (await storage.put({ path: task.source }, { type: 'application/octet-stream', expiresAt })).id;
      objects.push(source);
      const draft = { keyId: options.key ?? '', picture: { ...picture, source: { object: source }, timeout: timeLeft() }, expiresAt };
      id = await calls.add(draft);
      leave();
      // Lost announcements are made up for by those who work; the call need not fail for it.
      await queue.announce(id).catch((error) => this.#options.onError(error, id));
      ended = await this.#end(id, options, timeLeft);
      const result = ended.results?.[0];
      if (!result) throw failureOf(ended);
      objects.push(result.object);
      if (!(await storage.download(result.object, task.result))) throw new AppError('PROCESS_ERROR', 'The result is gone.');
      return result.outcome;
    } finally {
      leave();
      // There is room again, whatever was found before.
      if (this.#last) this.#last = { ...this.#last, at: Number.NEGATIVE_INFINITY };
      this.#tidy(id, ended !== undefined, objects);
    }
  }

  /** @throws AppError ALGORITHM_OVER_CONCURRENT */
  async #enter(megapixels: number, timeout: number | undefined): Promise<() => void> {
    const strength = await this.#deps.fleet.look();
    if (strength.slots === 0) throw new AppError('ALGORITHM_OVER_CONCURRENT', 'No worker is there.', { retryAfter: NOBODY_RETRY });
    const load = await this.#load(strength);
    const seconds = secondsOf(megapixels, strength);
    this.#last = { load, seconds, at: performance.now() };
    admit(load, seconds, timeout);
    this.#entering.pictures++;
    this.#entering.megapixels += megapixels;
    let left = false;
    return () => {
      if (left) return;
      left = true;
      this.#entering.pictures--;
      this.#entering.megapixels -= megapixels;
    };
  }

  async #load(strength: Strength): Promise<Load> {
    const { open, megapixels } = await this.#deps.calls.load();
    const all = { open: open + this.#entering.pictures, megapixels: megapixels + this.#entering.megapixels };
    return loadOf(all, strength, this.#options.queueLimit * strength.processes);
  }

  /** The job once it has ended. @throws AppError GATEWAY_TIMEOUT; the reason of the caller's signal, or of closing */
  async #end(id: string, { signal, timeout, onProgress }: RunOptions, timeLeft: () => number): Promise<Job> {
    const late = AbortSignal.timeout(Math.min(timeLeft(), 2 ** 31 - 1));
    const stop = AbortSignal.any([late, this.#closing.signal, ...(signal ? [signal] : [])]);
    for (;;) {
      // Asked for before the look, so that a change in between is not missed.
      const change = this.#deps.changes.next(id, stop);
      const job = await this.#deps.store.find(id);
      if (!job) throw new AppError('PROCESS_ERROR', 'The picture is no longer in the queue.');
      if (isFinal(job.state)) return job;
      if (job.progress > 0) onProgress?.(job.progress);
      signal?.throwIfAborted();
      this.#closing.signal.throwIfAborted();
      if (late.aborted) {
        const seconds = ((timeout ?? this.#options.timeout) / 1000).toFixed(1);
        throw new AppError('GATEWAY_TIMEOUT', `The restoration took longer than the ${seconds} s allowed.`);
      }
      await change;
    }
  }

  /** After the answer: a picture nobody waits for any more is not begun, or stopped; nothing of a call is kept. */
  #tidy(id: string | undefined, hasEnded: boolean, objects: readonly string[]): void {
    const { calls, store, storage, queue } = this.#deps;
    const work = async () => {
      if (id !== undefined && !hasEnded && (await store.cancel(id))) await queue.tell({ id, state: 'cancelled' });
      if (id !== undefined) await calls.remove(id);
      for (const object of objects) await storage.delete(object);
    };
    const tidying = work()
      .catch((error) => this.#options.onError(error, id))
      .finally(() => this.#tidying.delete(tidying));
    this.#tidying.add(tidying);
  }
}

function loadOf({ open, megapixels }: CallLoad, strength: Strength, queueLimit: number): Load {
  const { slots } = strength;
  const backlog = secondsOf(megapixels, strength);
  return { children: slots, open, queueLimit, backlog };
}

/** Seconds of one slot. */
function secondsOf(megapixels: number, { slots, speed }: Strength): number {
  return (megapixels * slots) / Math.max(speed, 1e-6);
}

function failureOf(job: Job): AppError {
  if (job.failure) return new AppError(job.failure.kind, job.failure.message);
  return new AppError('PROCESS_ERROR', `The picture was ${job.state} before its end.`);
}
