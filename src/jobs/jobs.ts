import type { Dispatcher } from 'undici';
import type { Db } from '../db/tables.ts';
import type { Fetcher } from '../fetcher/fetcher.ts';
import { parseLink } from '../fetcher/link.ts';
import type { PictureLimits } from '../limits.ts';
import type { RestoreOptions } from '../pipeline/options.ts';
import type { JobQueue } from '../queue/contract.ts';
import type { Storage } from '../storage/contract.ts';
import type { SweepTask } from '../storage/retention.ts';
import type { Spool } from '../storage/spool.ts';
import type { Restorer } from '../workers/contract.ts';
import type { Accounting, AccountKey } from './accounting.ts';
import { Callbacks } from './callbacks.ts';
import { Changes } from './changes.ts';
import { type Job, type JobPicture, objectsOf } from './job.ts';
import { newOwner } from './owner.ts';
import { Calls } from './remote/calls.ts';
import { Fleet, Muster } from './remote/fleet.ts';
import { RemoteRestorer } from './remote/restorer.ts';
import { type JobEnd, Runner } from './runner.ts';
import { isFinal, type JobState } from './states.ts';
import { type Accepted, JobStore } from './store.ts';

/** One picture as it is submitted. */
export interface NewPicture {
  readonly source: { readonly bytes: Uint8Array; readonly type?: string } | { readonly link: string };
  readonly options: RestoreOptions;
  readonly limits: PictureLimits;
  readonly pixels?: number | undefined;
}

export interface NewJob {
  readonly key: AccountKey;
  readonly pictures: readonly NewPicture[];
  /** Kept with the job for the interface that took it; JSON. */
  readonly wire: unknown;
  /** Where the answer is posted when the job ends. */
  readonly callbackUrl?: string | undefined;
  readonly idempotencyKey?: string | undefined;
  readonly fingerprint?: string | undefined;
}

export interface JobsOptions {
  /** Jobs this process runs at once; 0: it only accepts them. */
  readonly concurrency: number;
  /** Most jobs queued or running. */
  readonly limit: number;
  /** Tries of a job whose worker dies. */
  readonly attempts: number;
  /** Times a job is taken over from a process that is gone. */
  readonly takeovers: number;
  /** Milliseconds one picture may take. */
  readonly timeout: number;
  /** A process that says nothing for this long is taken for dead, ms. */
  readonly lease: number;
  /** Pictures of synchronous calls that may wait for each process that works. */
  readonly queueLimit: number;
  /** Milliseconds from acceptance until job, sources and results are deleted. */
  readonly lifetime: number;
  readonly callbackAttempts: number;
  /** Milliseconds before a callback's second try. */
  readonly callbackBackoff: number;
  /** Milliseconds for one try. */
  readonly callbackTimeout: number;
  readonly onError: (error: unknown, job?: string) => void;
  /** Told of every job that this process brought to its end. */
  readonly onEnd?: ((end: JobEnd) => void) | undefined;
}

export interface JobsDeps {
  readonly db: Db;
  readonly accounting: Accounting;
  readonly storage: Storage;
  readonly spool: Spool;
  readonly fetcher: Pick<Fetcher, 'download'> & { readonly dispatcher: Dispatcher };
  /** The children of this process; without them it accepts jobs and leaves them to others. */
  readonly restorer: Restorer | undefined;
  readonly queue: JobQueue;
  readonly secretOf: (keyId: string) => Promise<string | undefined>;
  /** What a query for a finished job answers; the body of its callback. */
  readonly answer: (job: Job) => Promise<unknown>;
}

/** Asynchronous jobs, for every interface that offers them. Ids of other keys are as unknown ones. */
export interface Jobs {
  /**
   * Accepts a job; when this resolves, the job and its sources are on disk.
   * @throws AppError INVALID_URL_ERROR, RIGHTS_LIMIT_EXCEEDED, ALGORITHM_OVER_CONCURRENT
   */
  submit(wanted: NewJob): Promise<Accepted>;
  /**
   * Passes when a job accepted now would end within so many milliseconds.
   * @throws AppError ALGORITHM_OVER_CONCURRENT
   */
  checkRoom(pixels: number | undefined, timeout: number): Promise<void>;
  find(id: string, keyId: string): Promise<Job | undefined>;
  /** The job once it has ended, or as it is after so many milliseconds. */
  wait(id: string, keyId: string, milliseconds: number, signal?: AbortSignal): Promise<Job | undefined>;
  /** The job now and after every change, until it has ended or the signal fires. */
  watch(id: string, keyId: string, signal?: AbortSignal): AsyncIterable<Job>;
  /** Ends a job and its compute; answers it as it is afterwards. */
  cancel(id: string, keyId: string): Promise<Job | undefined>;
  /** Deletes what is over: job, sources and results together. */
  readonly sweep: SweepTask;
  /** Jobs by state, pictures of synchronous calls among them. */
  counts(): Promise<Readonly<Record<string, number>>>;
  /** Seconds that the oldest of the queued jobs has waited; 0 when there is none. */
  oldest(): Promise<number>;
  /** Restores by way of the queue, in whatever process works. */
  readonly remote: Restorer;
  start(): Promise<void>;
  /** Running jobs have so many milliseconds to end; then they go back into the queue. */
  stop(grace: number): Promise<void>;
}

/** Rows of one sweep are taken in portions of this size. */
const SWEEP_PORTION = 100;
/** Changes that no message told of are seen within this time, ms. */
const LOOK_EVERY = 2_000;

export function createJobs(deps: JobsDeps, options: JobsOptions): Jobs {
  const { storage } = deps;
  const { onError } = options;
  const store = new JobStore(deps.db, deps.accounting, { jobs: options.limit, takeovers: options.takeovers });
  const { queue } = deps;
  const changes = new Changes({ marks: (ids) => store.marks(ids), every: LOOK_EVERY, onError });
  const callbacks = new Callbacks(
    { ...deps, dispatcher: deps.fetcher.dispatcher },
    {
      attempts: options.callbackAttempts,
      backoff: options.callbackBackoff,
      timeout: options.callbackTimeout,
      onError,
    },
  );
  const owner = newOwner();
  const muster = new Muster(deps.db, owner, options.concurrency, onError);
  const runner =
    deps.restorer &&
    new Runner(
      { ...deps, restorer: deps.restorer, store },
      {
        ...options,
        onChange: (id) => changes.notify(id),
        onEnd: (end) => {
          callbacks.wake();
          options.onEnd?.(end);
        },
        onPicture: (megapixels, seconds) => muster.learn(megapixels, seconds),
      },
      owner,
    );
  const works = runner !== undefined && options.concurrency > 0;
  const remote = new RemoteRestorer({ ...deps, store, changes, calls: new Calls(deps.db), fleet: new Fleet(deps.db) }, options);
  queue.listen({
    news({ id, state }) {
      // Ended elsewhere: cancelled there, or by whoever took the job over.
      if (isFinal(state as JobState)) runner?.abort(id);
      changes.notify(id);
    },
    look: () => changes.look(),
  });
  /** What a process that works would notice in a while, it shall know now. */
  const tell = (id: string, state: JobState) => void queue.tell({ id, state }).catch((error) => onError(error, id));

  const find = async (id: string, keyId: string) => {
    const job = await store.find(id);
    if (job?.keyId !== keyId) return undefined;
    // What is running here is known more exactly than the database has it.
    return job.state === 'running' ? { ...job, progress: runner?.progressOf(id) ?? job.progress } : job;
  };
  const keep = async (picture: NewPicture, expiresAt: number): Promise<JobPicture> => {
    const { source, ...rest } = picture;
    if ('link' in source) return { ...rest, source };
    const object = await storage.put({ bytes: source.bytes }, { type: source.type ?? 'application/octet-stream', expiresAt });
    return { ...rest, source: { object: object.id } };
  };
  let stopped = false;
  async function* watch(id: string, keyId: string, signal?: AbortSignal): AsyncIterable<Job> {
    let last = '';
    while (!signal?.aborted && !stopped) {
      // Asked for before the look, so that a change in between is not missed.
      const change = changes.next(id, signal);
      const job = await find(id, keyId);
      if (!job) return;
      const now = `${job.state} ${job.progress}`;
      if (now !== last) yield job;
      last = now;
      if (isFinal(job.state)) return;
      await change;
    }
  }

  const erase = async (job: Job): Promise<boolean> => {
    runner?.abort(job.id);
    changes.notify(job.id);
    tell(job.id, 'expired');
    try {
      for (const object of objectsOf(job)) await storage.delete(object);
      await store.remove(job.id);
      return true;
    } catch (error) {
      onError(error, job.id);
      return false;
    }
  };

  return {
    async submit(wanted) {
      if (wanted.callbackUrl !== undefined) parseLink(wanted.callbackUrl);
      for (const { source } of wanted.pictures) if ('link' in source) parseLink(source.link);
      const expiresAt = Date.now() + options.lifetime;
      const pictures: JobPicture[] = [];
      let accepted: Accepted | undefined;
      try {
        for (const picture of wanted.pictures) pictures.push(await keep(picture, expiresAt));
        accepted = await store.accept({ ...wanted, pictures, expiresAt });
      } finally {
        // Refused, or an older job stands in: these sources belong to nobody.
        if (!accepted || accepted.replayed) {
          for (const { source } of pictures) if ('object' in source) await storage.delete(source.object);
        }
      }
      // The job is on disk; when it cannot be announced now, it will be by the caretaker.
      if (!accepted.replayed) await queue.announce(accepted.job.id).catch((error) => onError(error, accepted?.job.id));
      return accepted;
    },
    checkRoom: (pixels, timeout) => remote.checkRoomForJob(pixels, timeout),
    find,
    watch,
    async wait(id, keyId, milliseconds, signal) {
      const limit = AbortSignal.timeout(milliseconds);
      const either = signal ? AbortSignal.any([signal, limit]) : limit;
      for await (const job of watch(id, keyId, either)) if (isFinal(job.state)) return job;
      return find(id, keyId);
    },
    async cancel(id, keyId) {
      if (!(await find(id, keyId))) return undefined;
      if (await store.cancel(id)) {
        runner?.abort(id);
        changes.notify(id);
        tell(id, 'cancelled');
      }
      return find(id, keyId);
    },
    sweep: {
      name: 'jobs',
      async run(now) {
        let removed = 0;
        for (;;) {
          const jobs = await store.expire(now, SWEEP_PORTION);
          const before = removed;
          for (const job of jobs) if (await erase(job)) removed++;
          // What could not be erased would come again; the next sweep tries it.
          if (jobs.length < SWEEP_PORTION || removed - before < jobs.length) return removed;
        }
      },
    },
    counts: () => store.counts(),
    async oldest() {
      const since = await store.oldest();
      return since === undefined ? 0 : Math.max(0, (Date.now() - since) / 1000);
    },
    remote,
    async start() {
      callbacks.start();
      if (!works) return;
      await muster.start();
      await runner.start();
    },
    async stop(grace) {
      if (works) await Promise.all([muster.stop().catch((error) => onError(error)), runner.stop(grace)]);
      // Who still waits is answered with the job as it is.
      stopped = true;
      changes.close();
      await callbacks.stop();
    },
  };
}
