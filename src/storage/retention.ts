import type { Storage } from './contract.ts';
import type { Spool } from './spool.ts';

/** One thing a sweep does; answers how many it removed. Others (expired jobs, …) add their own. */
export interface SweepTask {
  readonly name: string;
  run(now: number): Promise<number>;
}

export interface Retention {
  /** Sweeps at once, to catch up with what expired while no process ran, then at the interval. */
  start(): void;
  /** One sweep of every task, in order. A failing task is reported and does not stop the others. */
  sweep(): Promise<Readonly<Record<string, number>>>;
  /** Ends the interval and waits for the task of a sweep that is being done; the next sweep does the rest. */
  stop(): Promise<void>;
}

export interface RetentionOptions {
  readonly tasks: readonly SweepTask[];
  readonly everyMs: number;
  readonly onError: (task: string, error: unknown) => void;
  readonly now?: () => number;
}

/** Deletes stored objects whose time is over. */
export function sweepStorage(storage: Storage): SweepTask {
  return {
    name: 'objects',
    async run(now) {
      let removed = 0;
      for await (const id of storage.expired(now)) if (await storage.delete(id)) removed++;
      return removed;
    },
  };
}

/** Deletes spool folders older than `age` milliseconds. */
export function sweepSpool(spool: Spool, age: number): SweepTask {
  return { name: 'spool', run: () => spool.sweep(age) };
}

/** Runs the tasks now and again; never two sweeps at once. */
export function createRetention(options: RetentionOptions): Retention {
  const now = options.now ?? Date.now;
  let timer: NodeJS.Timeout | undefined;
  let running: Promise<Readonly<Record<string, number>>> | undefined;
  let stopped = false;

  const runAll = async () => {
    const removed: Record<string, number> = {};
    for (const task of options.tasks) {
      if (stopped) break;
      try {
        removed[task.name] = await task.run(now());
      } catch (error) {
        options.onError(task.name, error);
      }
    }
    return removed;
  };
  const sweep = () => {
    running ??= runAll().finally(() => {
      running = undefined;
    });
    return running;
  };
  return {
    start() {
      stopped = false;
      void sweep();
      timer = setInterval(() => void sweep(), options.everyMs);
      timer.unref();
    },
    sweep,
    async stop() {
      stopped = true;
      clearInterval(timer);
      await running;
    },
  };
}
