import { MingxiTimeoutError } from './failure.ts';
import { pause } from './pause.ts';

/** How to wait for an asynchronous result. */
export interface WaitOptions {
  /** Aborts the waiting; the job goes on. */
  readonly signal?: AbortSignal | undefined;
  /** Milliseconds between the first two questions; later ones grow to five times this. Default 500. */
  readonly interval?: number | undefined;
  /** Milliseconds until MingxiTimeoutError. Default: no limit. */
  readonly patience?: number | undefined;
  /** Called with 0…1 after each question. */
  readonly onProgress?: ((progress: number) => void) | undefined;
}

/** What one question for a result brought. */
export type Polled<T> = { readonly done: false; readonly progress: number } | { readonly done: true; readonly value: T };

const FIRST_INTERVAL = 500;
const GROWTH = 1.3;
const LARGEST = 5;

/**
 * Asks until the answer is there.
 * @throws whatever `ask` throws; the signal's reason when aborted; MingxiTimeoutError after `patience`
 */
export async function poll<T>(what: string, options: WaitOptions, ask: () => Promise<Polled<T>>): Promise<T> {
  const first = options.interval ?? FIRST_INTERVAL;
  const end = options.patience === undefined ? Number.POSITIVE_INFINITY : Date.now() + options.patience;
  for (let interval = first; ; interval = Math.min(interval * GROWTH, first * LARGEST)) {
    const answer = await ask();
    options.onProgress?.(answer.done ? 1 : answer.progress);
    if (answer.done) return answer.value;
    if (Date.now() + interval > end) throw new MingxiTimeoutError(`${what} is not done after ${options.patience} ms`);
    await pause(interval, options.signal);
  }
}
