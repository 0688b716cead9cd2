import { AppError } from '../errors.ts';
import { fromPlainError } from '../plain-error.ts';
import { Child, type ChildEnd, type ChildProgram } from './child.ts';
import type { PoolEvent } from './events.ts';

export interface CrewOptions extends ChildProgram {
  readonly size: number;
  /** Milliseconds. */
  readonly heartbeat: number;
  /** A child became free. */
  onIdle(): void;
  /** Several children in a row could not start. */
  onHopeless(error: AppError): void;
  onEvent(event: PoolEvent): void;
}

/** Why the pool itself ended a child. */
type Leaving = Extract<PoolEvent, { type: 'child-gone' }>['reason'];

/** So many starts in a row must fail before waiting pictures are told: one may be bad luck (memory, a slow disk). */
const HOPELESS = 3;
const LONGEST_DELAY = 5000;

/** Keeps a fixed number of children running: spawns, asks for signs of life, replaces, counts. */
export class Crew {
  readonly #options: CrewOptions;
  readonly #children = new Set<Child>();
  readonly #leaving = new Map<Child, Leaving>();
  readonly #timers = new Set<NodeJS.Timeout>();
  readonly #heartbeat: NodeJS.Timeout;
  #failedStarts = 0;
  #closed = false;
  #resolveReady!: () => void;
  #rejectReady!: (error: AppError) => void;
  /** The first child is ready, or none could be started. */
  readonly ready: Promise<void>;
  restarts = 0;

  constructor(options: CrewOptions) {
    this.#options = options;
    this.ready = new Promise((resolve, reject) => {
      this.#resolveReady = resolve;
      this.#rejectReady = reject;
    });
    // Whoever does not ask must not be punished with an unhandled rejection.
    this.ready.catch(() => {});
    for (let i = 0; i < options.size; i++) this.#spawn();
    // Judged after the poll phase: an answer that waits unread in the pipe of a busy parent counts.
    this.#heartbeat = setInterval(() => setImmediate(() => this.#beat()), options.heartbeat).unref();
  }

  /** Children that are ready, idle or busy. */
  get alive(): number {
    let count = 0;
    for (const child of this.#children) if (child.state === 'idle' || child.state === 'busy') count += 1;
    return count;
  }

  /** A child that may be given a task now. */
  idle(): Child | undefined {
    for (const child of this.#children) if (child.state === 'idle' && !this.#leaving.has(child)) return child;
    return undefined;
  }

  /** Ends a child in the middle of its task; another takes its place. */
  kill(child: Child): void {
    this.#leave(child, 'killed');
  }

  /** Replaces an idle child that has worked long enough or grown too large; its task is already answered. */
  recycle(child: Child, maxTasks: number, maxMemory: number): void {
    if (child.state === 'idle' && (child.tasks >= maxTasks || child.memory.resident > maxMemory)) this.#leave(child, 'recycled');
  }

  async close(): Promise<void> {
    this.#closed = true;
    clearInterval(this.#heartbeat);
    for (const timer of this.#timers) clearTimeout(timer);
    this.#rejectReady(new AppError('ALGORITHM_OVER_CONCURRENT', 'The service is shutting down.'));
    for (const child of this.#children) {
      this.#leave(child, 'killed');
    }
    // Between a child's exit and the end of its pipes nothing else may hold the event loop: without
    // this a program that ends on `await close()` would be cut off there (Node's exit status 13).
    const open = setInterval(() => {}, 2 ** 30);
    try {
      await Promise.all([...this.#children].map((child) => child.ended));
    } finally {
      clearInterval(open);
    }
  }

  #leave(child: Child, why: Leaving): void {
    if (!this.#leaving.has(child)) this.#leaving.set(child, why);
    child.kill();
  }

  #beat(): void {
    if (this.#closed) return;
    for (const child of this.#children) if (!child.beat()) this.#leave(child, 'silent');
  }

  #spawn(): void {
    const child = new Child(this.#options, {
      ready: () => {
        this.#failedStarts = 0;
        this.#resolveReady();
        this.#options.onEvent({ type: 'child-ready', pid: child.pid });
        this.#options.onIdle();
      },
      gone: (_, end) => this.#gone(child, end),
    });
    this.#children.add(child);
  }

  #gone(child: Child, end: ChildEnd): void {
    const left = this.#leaving.get(child);
    this.#leaving.delete(child);
    this.#children.delete(child);
    const reason = left ?? (end.wasReady ? 'crashed' : 'not-started');
    const detail = end.refusal ? `${end.refusal.message} ${end.refusal.detail ?? ''}`.trim() : end.detail;
    this.#options.onEvent({ type: 'child-gone', pid: child.pid, reason, detail });
    if (this.#closed) return;
    this.restarts += 1;
    if (end.wasReady) this.#spawn();
    else this.#retryStart(end);
  }

  #retryStart(end: ChildEnd): void {
    this.#failedStarts += 1;
    if (this.#failedStarts >= HOPELESS) this.#despair(end);
    this.#spawnLater(Math.min(LONGEST_DELAY, 50 * 2 ** this.#failedStarts));
  }

  #despair(end: ChildEnd): void {
    const error = end.refusal
      ? fromPlainError(end.refusal)
      : new AppError('PROCESS_ERROR', 'The restoration process could not be started.', { cause: end.detail });
    this.#rejectReady(error);
    this.#options.onHopeless(error);
  }

  #spawnLater(delay: number): void {
    const timer = setTimeout(() => {
      this.#timers.delete(timer);
      this.#spawn();
    }, delay).unref();
    this.#timers.add(timer);
  }
}
