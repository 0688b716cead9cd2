import type { RestoreTask } from '../pipeline/options.ts';
import type { RestoreOutcome } from '../pipeline/report.ts';
import type { Child } from './child.ts';
import type { RunOptions } from './contract.ts';

/** Node's timers overflow above this and fire at once; three weeks are as good as no limit. */
const LONGEST_TIMER = 2 ** 31 - 1;

/** A picture the pool has accepted, from the call to its one answer. */
export class Job {
  readonly task: RestoreTask;
  readonly options: RunOptions;
  /** Expected seconds in a child. */
  readonly cost: number;
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

  constructor(task: RestoreTask, options: RunOptions, cost: number, onSettled: (ok: boolean) => void) {
    this.task = task;
    this.options = options;
    this.cost = cost;
    this.#onSettled = onSettled;
    this.promise = new Promise((resolve, reject) => {
      this.#resolve = resolve;
      this.#reject = reject;
    });
  }

  get settled(): boolean {
    return this.#settled;
  }

  /** Calls back when the caller's time is up, or its signal fires. */
  watch(onTimeout: () => void, onAbort: (reason: unknown) => void): void {
    const { timeout, signal } = this.options;
    if (timeout !== undefined && timeout <= LONGEST_TIMER) this.#timer = setTimeout(onTimeout, timeout);
    if (!signal) return;
    this.#onAbort = () => onAbort(signal.reason);
    signal.addEventListener('abort', this.#onAbort, { once: true });
  }

  /** Expected seconds still to be done. */
  remaining(now: number): number {
    return this.child ? Math.max(0, this.cost - (now - this.started) / 1000) : this.cost;
  }

  /** How many times the expected time it has run; 1 is its end. */
  overdue(now: number): number {
    return this.child ? (now - this.started) / 1000 / this.cost : 0;
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

  #settle(ok: boolean): boolean {
    if (this.#settled) return false;
    this.#settled = true;
    clearTimeout(this.#timer);
    if (this.#onAbort) this.options.signal?.removeEventListener('abort', this.#onAbort);
    this.#onSettled(ok);
    return true;
  }
}
