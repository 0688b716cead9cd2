import type { RestoreTask } from '../pipeline/options.ts';
import type { RestoreOutcome } from '../pipeline/report.ts';
import type { Child } from './child.ts';
import type { RunOptions } from './contract.ts';
import type { Expected } from './estimate.ts';

/** Node's timers overflow above this and fire at once; three weeks are as good as no limit. */
const LONGEST_TIMER = 2 ** 31 - 1;

/** A picture the pool has accepted, from the call to its one answer. */
export class Job {
  readonly task: RestoreTask;
  readonly options: RunOptions;
  /** Seconds in a child. */
  readonly expected: Expected;
  /** False: it was let in without looking at the time, because a child was free or about to be. */
  readonly hadToWait: boolean;
  readonly submitted = performance.now();
  readonly promise: Promise<RestoreOutcome>;
  started = 0;
  child: Child | undefined;
  #settled = false;
  #timer: NodeJS.Timeout | undefined;
  #resolve!: (outcome: RestoreOutcome) => void;
  #reject!: (reason: unknown) => void;
  readonly #onSettled: (ok: boolean) => void;
  #onAbort: (() => void) | undefined;
  #timeIsUp: (() => void) | undefined;

  constructor(task: RestoreTask, options: RunOptions, promise: Pick<Job, 'expected' | 'hadToWait'>, onSettled: (ok: boolean) => void) {
    this.task = task;
    this.options = options;
    this.expected = promise.expected;
    this.hadToWait = promise.hadToWait;
    this.#onSettled = onSettled;
    this.promise = new Promise((resolve, reject) => {
      this.#resolve = resolve;
      this.#reject = reject;
    });
  }

  get settled(): boolean {
    return this.#settled;
  }

  /** Calls back when the caller's time is up (one that waits: when it is too late to begin), or its signal fires. */
  watch({ timeIsUp, aborted }: { timeIsUp(): void; aborted(reason: unknown): void }): void {
    const { signal } = this.options;
    this.#timeIsUp = timeIsUp;
    this.#wakeAfter(this.timeLeft(this.submitted) - (this.hadToWait ? this.expected.mean : 0));
    if (!signal) return;
    this.#onAbort = () => aborted(signal.reason);
    signal.addEventListener('abort', this.#onAbort, { once: true });
  }

  /** From now on a child works on it. */
  begin(child: Child): void {
    this.child = child;
    this.started = performance.now();
    this.#wakeAfter(this.timeLeft(this.started));
  }

  /** Seconds until the caller's time is up. */
  timeLeft(now: number): number {
    return ((this.options.timeout ?? Number.POSITIVE_INFINITY) - (now - this.submitted)) / 1000;
  }

  /** Seconds still to be done on average. */
  remaining(now: number): number {
    return this.child ? Math.max(0, this.expected.mean - (now - this.started) / 1000) : this.expected.mean;
  }

  /** How many times the longest expected time it has run. */
  overdue(now: number): number {
    return this.child ? (now - this.started) / 1000 / this.expected.most : 0;
  }

  progress(value: number): void {
    if (!this.#settled) this.options.onProgress?.(value);
  }

  resolve(outcome: RestoreOutcome): void {
    if (this.#settle(true)) this.#resolve(outcome);
  }

  reject(reason: unknown): void {
    if (this.#settle(false)) this.#reject(reason);
  }

  #wakeAfter(seconds: number): void {
    clearTimeout(this.#timer);
    const milliseconds = Math.max(0, seconds * 1000);
    if (milliseconds <= LONGEST_TIMER) this.#timer = setTimeout(() => this.#timeIsUp?.(), milliseconds);
  }

  #settle(ok: boolean): boolean {
    if (this.#settled) return false;
    this.#settled = true;
    clearTimeout(this.#timer);
    if (this.#onAbort) this.options.signal?.removeEventListener('abort', this.#onAbort);
    this.#onSettled(ok);
    return true;
  }
}
