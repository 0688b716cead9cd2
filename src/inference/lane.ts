import type { Worker } from 'node:worker_threads';
import { AppError } from '../errors.ts';
import type { FineStructure } from '../imaging/fine-structure.ts';
import type { Pixels } from '../imaging/forms.ts';
import type { NetworkFile } from '../models/manifest.ts';
import type { ModelEntry } from '../models/registry.ts';
import { fromPlainError, type PlainError } from '../plain-error.ts';
import { programFile, startThread } from '../program-file.ts';
import type { SessionOptions } from './session.ts';
import type { TileWork } from './tile-work.ts';

/** What a lane is asked; `key` names a network that it has opened. */
export type LaneOrder =
  /** `threads`: of the session, where they are not the lane's own. */
  | { readonly type: 'open'; readonly key: string; readonly entry: ModelEntry; readonly file: NetworkFile; readonly threads?: number }
  | { readonly type: 'tiles'; readonly key: string; readonly work: TileWork }
  | {
      readonly type: 'run';
      readonly key: string;
      readonly picture: Pixels;
      readonly conditions: Float32Array;
      readonly beside?: Uint8Array;
    }
  | { readonly type: 'look'; readonly picture: Pixels }
  | { readonly type: 'close' };
export type LaneRequest = LaneOrder & { readonly id: number };

/** What an order brought. */
export interface LaneAnswer {
  /** Of a look. */
  readonly seen?: FineStructure;
  /** Of a run: HWC uint8 RGB. */
  readonly pixels?: Uint8Array;
}

/** Every request has one reply. */
export interface LaneReply extends LaneAnswer {
  readonly id: number;
  readonly error?: PlainError;
}

/**
 * A further thread that computes tiles, runs networks and looks at pixels, seen from the pipeline's own. ONNX Runtime aborts the process
 * when a thread is terminated in the middle of a run, so it never is: it ends when asked to, or with
 * the process. Holds the process only while it owes an answer.
 */
export class Lane {
  readonly #worker: Worker;
  readonly #owed = new Map<number, { resolve(answer: LaneAnswer): void; reject(error: AppError): void }>();
  #nextId = 1;
  #gone = false;

  /** `program`: what the thread runs; the tests have others. */
  constructor(options: SessionOptions, program = programFile(import.meta.url, 'lane-thread')) {
    this.#worker = startThread(program, options);
    this.#worker.unref();
    this.#worker.on('message', (reply: LaneReply) => this.#receive(reply));
    this.#worker.on('error', (cause) => this.#lost(cause));
    this.#worker.on('exit', (status) => this.#lost(`lane ended with status ${status}`));
  }

  /** The thread has ended; what is asked now fails. */
  get gone(): boolean {
    return this.#gone;
  }

  /** @throws AppError as the lane's work raised it, PROCESS_ERROR when the thread ended before its answer */
  async ask(order: LaneOrder): Promise<LaneAnswer> {
    if (this.#gone) throw lost('lane is gone');
    const id = this.#nextId++;
    const answer = new Promise<LaneAnswer>((resolve, reject) => this.#owed.set(id, { resolve, reject }));
    this.#worker.ref();
    this.#worker.postMessage({ ...order, id } satisfies LaneRequest);
    return answer;
  }

  /** Ends the thread when its work is done. */
  async close(): Promise<void> {
    if (this.#gone) return;
    const ended = new Promise((resolve) => this.#worker.once('exit', resolve));
    await this.ask({ type: 'close' }).catch(() => {});
    this.#worker.ref();
    await ended;
  }

  #receive({ id, error, ...answer }: LaneReply): void {
    const owed = this.#owed.get(id);
    this.#owed.delete(id);
    if (this.#owed.size === 0) this.#worker.unref();
    if (error) owed?.reject(fromPlainError(error));
    else owed?.resolve(answer);
  }

  #lost(cause: unknown): void {
    this.#gone = true;
    for (const { reject } of this.#owed.values()) reject(lost(cause));
    this.#owed.clear();
  }
}

const lost = (cause: unknown) => new AppError('PROCESS_ERROR', 'The restoration of this picture failed.', { cause });
