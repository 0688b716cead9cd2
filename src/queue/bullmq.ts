import { setTimeout } from 'node:timers/promises';
import type { Processor, WorkerOptions } from 'bullmq';
import type { Bus } from './bus.ts';
import type { JobQueue, Take } from './contract.ts';

/** What BullMQ's queue does for us, whatever it keeps its entries in. */
interface Entries {
  add(name: string, data: Announcement, options: object): Promise<unknown>;
  getJobCounts(...states: ('waiting' | 'delayed' | 'prioritized')[]): Promise<Readonly<Record<string, number>>>;
  close(): Promise<void>;
}

/** And its worker. */
interface EntryWorker {
  waitUntilReady(): Promise<unknown>;
  run(): Promise<unknown>;
  pause(doNotWaitActive?: boolean): Promise<void>;
  close(force?: boolean): Promise<void>;
}

/** Data of an entry: the job that made it necessary. Which job is then run is the database's to say. */
export interface Announcement {
  readonly id: string;
}

/** BullMQ over one server: Redis or Postgres. */
export interface BullBackend {
  readonly entries: Entries;
  makeWorker(processor: Processor<Announcement>, options: Omit<WorkerOptions, 'connection'>): EntryWorker;
  readonly bus: Bus;
  readonly onError: (error: unknown) => void;
  /** Ends what is not the entries', the worker's or the bus's own. */
  close(): Promise<void>;
}

/** Name of every entry; there is one kind. */
const ENTRY = 'job';
/** A call to a server that is gone or stopped fails after this, ms. */
const CALL_LIMIT = 4_000;
/** Before the end a server that does not answer within this is taken for gone, ms. */
const LAST_CALL_LIMIT = 2_000;
/** Ending a connection to a server that is gone may take this long, ms. */
const CLOSE_LIMIT = 3_000;
/** An idle worker asks the server again after this even if nothing woke it, s. */
const IDLE_LOOK = 2;
/**
 * An entry whose worker is silent for this long goes to another one, ms. That frees the entry only: the
 * job's own lease, in the database, decides who runs it.
 */
const ENTRY_LOCK = 30_000;
/** A worker that is not connected after this is given up: a connection that is lost in its beginning is watched by nobody, ms. */
const START_LIMIT = 10_000;
/** Wait before a server that was lost is tried again, ms. */
const RETRY_WAIT = 1_000;

/**
 * The queue on BullMQ. An entry stands for one free turn rather than for one job: the worker that gets
 * it takes the job whose turn it is, so that keys take turns as they do without a server. The worker
 * holds its entry until that job ends, and thereby no more entries than it has slots.
 */
export function createBullQueue(backend: BullBackend): JobQueue {
  let worker: EntryWorker | undefined;
  let resting = false;
  let closing: Promise<void> | undefined;

  const announce = async (id: string, delay = 0) => {
    const options = { delay, attempts: 1, removeOnComplete: true, removeOnFail: true };
    await within(CALL_LIMIT, backend.entries.add(ENTRY, { id }, options));
  };
  const takeEntry = async (entry: { readonly data: Announcement }, take: Take) => {
    // Fetched before the rest began: another process shall have it.
    if (resting) return announce(entry.data.id);
    const begun = await take();
    await begun?.done;
  };
  /** A worker that was not connected once never will be (BullMQ keeps the failure and asks again without a pause): each try is a new one. */
  const start = async (take: Take, slots: number) => {
    while (!resting) {
      const next = backend.makeWorker((entry) => takeEntry(entry, take), {
        ...{ concurrency: slots, autorun: false, drainDelay: IDLE_LOOK, lockDuration: ENTRY_LOCK, runRetryDelay: RETRY_WAIT },
        ...{ removeOnComplete: { count: 0 }, removeOnFail: { count: 0 } },
      });
      worker = next;
      try {
        await within(START_LIMIT, next.waitUntilReady());
        next.run().catch(backend.onError);
        return;
      } catch (error) {
        backend.onError(error);
        await patiently(next.close(true));
        await setTimeout(RETRY_WAIT, undefined, { ref: false });
      }
    }
  };
  const announced = async (limit = CALL_LIMIT) => {
    const counts = await within(limit, backend.entries.getJobCounts('waiting', 'delayed', 'prioritized'));
    return Object.values(counts).reduce((sum, count) => sum + count, 0);
  };
  const close = async () => {
    resting = true;
    // Ended gently, a worker waits for a server that is away, and its timers keep the process alive meanwhile.
    const isAway = await announced(LAST_CALL_LIMIT).then(
      () => false,
      () => true,
    );
    await Promise.allSettled([
      worker && patiently(worker.close(isAway)),
      patiently(backend.entries.close()),
      patiently(backend.bus.close()),
    ]);
    await patiently(backend.close());
  };
  return {
    announce,
    work: (take, slots) => void start(take, slots),
    async rest() {
      resting = true;
      if (worker) await patiently(worker.pause(true));
    },
    tell: (news) => within(CALL_LIMIT, backend.bus.send(news)),
    listen: (listener) => backend.bus.listen(listener),
    announced: () => announced(),
    close() {
      closing ??= close();
      return closing;
    },
  };
}

/** The promise's own outcome, or a failure when it takes longer. */
async function within<T>(milliseconds: number, promise: Promise<T>): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = globalThis.setTimeout(() => reject(new Error(`the queue's server did not answer within ${milliseconds} ms`)), milliseconds);
  });
  try {
    return await Promise.race([promise, late]);
  } finally {
    clearTimeout(timer);
    // When it fails after all nobody is left to hear of it.
    promise.catch(() => undefined);
  }
}

/** Ending must not hang on a server that is gone; what it fails with is of no use to anyone. */
async function patiently(promise: Promise<unknown>): Promise<void> {
  await within(CLOSE_LIMIT, promise).catch(() => undefined);
}
