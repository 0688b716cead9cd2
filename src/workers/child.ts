import type { ChildProcess } from 'node:child_process';
import type { RestoreTask } from '../pipeline/options.ts';
import type { RestoreOutcome } from '../pipeline/report.ts';
import { fromPlainError, type PlainError } from '../plain-error.ts';
import type { ChildLimits } from './child-limits.ts';
import type { ChildMemory, FromChild, PipelineSettings, ToChild } from './messages.ts';
import { spawnChild } from './spawn.ts';

export type ChildState = 'starting' | 'idle' | 'busy' | 'gone';

/** What a child runs, and within which limits. */
export interface ChildProgram {
  readonly entry: string;
  readonly settings: PipelineSettings;
  readonly limits?: ChildLimits;
}

/** How a child tells the pool about itself. */
export interface ChildListener {
  ready(child: Child): void;
  /** The process ended. `refusal`: why it could not start, where it said so itself. */
  gone(child: Child, end: ChildEnd): void;
}

export interface ChildEnd {
  /** Exit status or signal in words, and the end of its stderr; for the log. */
  readonly detail: string;
  readonly wasReady: boolean;
  readonly refusal: PlainError | undefined;
}

/** Rejection of the running task when its process ended; the pool turns it into a PROCESS_ERROR. */
export class ChildGone extends Error {
  override readonly name = 'ChildGone';
}

/** How long (ms) `close` may stay out after `exit` (something inherited the child's stderr). */
const CLOSE_AFTER_EXIT = 1000;
/** A child that is not ready after this time (ms) hangs: a load of the largest network takes a few seconds. */
const START_LIMIT = 60_000;
/** Kept of a child's stderr: enough for a stack, little enough for a log line. */
const LAST_WORDS = 4096;

/** One child process, seen from the parent: at most one task at a time. Never keeps the parent alive. */
export class Child {
  readonly #process: ChildProcess;
  readonly #listener: ChildListener;
  readonly #born = performance.now();
  #state: ChildState = 'starting';
  #wasReady = false;
  #refusal: PlainError | undefined;
  #lastWords = '';
  #awaitingPong = false;
  #nextId = 1;
  #current: Current | undefined;
  #ended: Promise<void>;
  /** Tasks this process has finished, well or badly. */
  tasks = 0;
  /** Memory as of the last task. */
  memory: ChildMemory = { resident: 0, peak: 0 };

  constructor({ entry, settings, limits }: ChildProgram, listener: ChildListener) {
    this.#listener = listener;
    this.#process = spawnChild(entry, settings, limits);
    this.#process.unref();
    this.#process.channel?.unref();
    const stderr = this.#process.stderr as (NodeJS.ReadableStream & { unref?(): void }) | null;
    stderr?.unref?.();
    stderr?.on('data', (chunk: Buffer) => {
      this.#lastWords = (this.#lastWords + chunk.toString('utf8')).slice(-LAST_WORDS);
    });
    this.#process.on('message', (message) => this.#receive(message as FromChild));
    this.#ended = new Promise((resolve) => {
      const end = (how: string) => {
        if (this.#state === 'gone') return;
        this.#end(how);
        resolve();
      };
      // `close` comes after the last message and the last words were read, `exit` may come before them.
      this.#process.once('close', (code, signal) => end(signal ?? `exit status ${code}`));
      this.#process.once('exit', (code, signal) => setTimeout(end, CLOSE_AFTER_EXIT, signal ?? `exit status ${code}`).unref());
      this.#process.once('error', (error) => {
        this.kill();
        end(error.message);
      });
    });
  }

  get pid(): number | undefined {
    return this.#process.pid;
  }

  get state(): ChildState {
    return this.#state;
  }

  /** Resolves when the process has ended. */
  get ended(): Promise<void> {
    return this.#ended;
  }

  /**
   * Runs one task; only on an idle child.
   * @throws AppError as the pipeline raised it; ChildGone when the process ended before its answer
   */
  run(task: RestoreTask, onProgress: (value: number) => void): Promise<RestoreOutcome> {
    if (this.#state !== 'idle') throw new Error(`child ${this.pid} is ${this.#state}`);
    this.#state = 'busy';
    this.#awaitingPong = false;
    const id = this.#nextId++;
    return new Promise((resolve, reject) => {
      this.#current = { id, resolve, reject, onProgress };
      this.#send({ type: 'task', id, task });
    });
  }

  /**
   * Asks an idle child for a sign of life. False when it owes the answer to the last question, or
   * has been starting for too long. A busy child is not asked: inference leaves it no turn to answer.
   */
  beat(): boolean {
    if (this.#state === 'starting') return performance.now() - this.#born < START_LIMIT;
    if (this.#state !== 'idle') return true;
    if (this.#awaitingPong) return false;
    this.#awaitingPong = true;
    this.#send({ type: 'ping' });
    return true;
  }

  /** Ends the process at once. SIGKILL: inference cannot be interrupted any other way, and nothing needs saving. */
  kill(): void {
    this.#process.kill('SIGKILL');
  }

  #send(message: ToChild): void {
    // A channel that broke is reported by the exit that follows.
    this.#process.send(message, () => {});
  }

  #receive(message: FromChild): void {
    if (this.#state === 'gone') return;
    switch (message.type) {
      case 'ready':
        this.#state = 'idle';
        this.#wasReady = true;
        this.#listener.ready(this);
        return;
      case 'refused':
        this.#refusal = message.error;
        return;
      case 'pong':
        this.#awaitingPong = false;
        return;
      case 'progress':
        if (message.id === this.#current?.id) this.#current.onProgress(message.value);
        return;
      case 'done':
      case 'failed':
        this.#answer(message);
    }
  }

  #answer(message: Extract<FromChild, { type: 'done' | 'failed' }>): void {
    const current = this.#current;
    if (!current || message.id !== current.id) return;
    this.#current = undefined;
    this.#state = 'idle';
    this.tasks += 1;
    this.memory = message.memory;
    if (message.type === 'done') current.resolve(message.outcome);
    else current.reject(fromPlainError(message.error));
  }

  #end(how: string): void {
    this.#state = 'gone';
    const words = this.#lastWords.trim();
    const detail = words === '' ? how : `${how}: ${words}`;
    this.#current?.reject(new ChildGone(detail));
    this.#current = undefined;
    this.#listener.gone(this, { detail, wasReady: this.#wasReady, refusal: this.#refusal });
  }
}

interface Current {
  readonly id: number;
  readonly onProgress: (value: number) => void;
  resolve(outcome: RestoreOutcome): void;
  reject(error: Error): void;
}
