import type { ChildProcess } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { AppError } from '../errors.ts';
import type { Completed, Draft } from '../models/draft.ts';
import { entryFile, spawnChild } from './spawn.ts';

/** What the process that checks is told. */
export interface CheckOrder {
  readonly file: string;
  readonly draft: Draft;
}

/** What it says before it ends. */
export type CheckAnswer = { readonly completed: Completed } | { readonly refused: string };

export interface CheckLimits {
  /** Milliseconds the whole check may take. */
  readonly time: number;
  /** Resident bytes the process may have. Watched on Linux only. */
  readonly memory: number;
  readonly signal?: AbortSignal;
}

/** How often the process's memory is looked at (ms). */
const WATCH_INTERVAL = 50;
const MB = 1024 * 1024;

/**
 * Checks a network file in a process of its own, which is killed when it takes too long or too much
 * memory: a hostile file can end that process, and nothing else.
 * @throws AppError PROCESS_ERROR with the reason of the refusal; or the signal's reason
 */
export async function checkModel(order: CheckOrder, limits: CheckLimits): Promise<Completed> {
  limits.signal?.throwIfAborted();
  const child = spawnChild(entryFile('check-entry'), order);
  const refuse = (what: string) => new AppError('PROCESS_ERROR', `The network is refused: ${what}.`);
  const overdue = timer(limits.time, () => refuse(`its check took more than ${limits.time / 1000} s`));
  const greedy = watchMemory(child, limits.memory, (used) =>
    refuse(`its check took ${Math.round(used / MB)} MB of memory, allowed are ${Math.round(limits.memory / MB)}`),
  );
  const aborted = new Promise<never>((_, reject) => {
    limits.signal?.addEventListener('abort', () => reject(limits.signal?.reason), { once: true });
  });
  aborted.catch(() => {});
  try {
    const answer = await Promise.race([answerOf(child, refuse), overdue.promise, greedy.promise, aborted]);
    if ('refused' in answer) throw new AppError('PROCESS_ERROR', answer.refused);
    return answer.completed;
  } finally {
    overdue.stop();
    greedy.stop();
    child.kill('SIGKILL');
  }
}

function answerOf(child: ChildProcess, refuse: (what: string) => AppError): Promise<CheckAnswer> {
  return new Promise((resolve, reject) => {
    // Read and dropped: a full pipe would stop the child.
    child.stderr?.resume();
    child.once('message', (answer) => resolve(answer as CheckAnswer));
    child.once('error', () => reject(new AppError('PROCESS_ERROR', 'The process that checks networks cannot be started.')));
    child.once('exit', (code, signal) => reject(refuse(`it ended the process that checked it (${signal ?? `exit ${code}`})`)));
  });
}

interface Watch {
  readonly promise: Promise<never>;
  stop(): void;
}

function timer(milliseconds: number, error: () => AppError): Watch {
  let handle: NodeJS.Timeout | undefined;
  const promise = new Promise<never>((_, reject) => {
    handle = setTimeout(() => reject(error()), milliseconds);
  });
  return { promise, stop: () => clearTimeout(handle) };
}

/** RLIMIT_AS would also count what V8 only reserves, so the resident size is watched instead. */
function watchMemory(child: ChildProcess, most: number, error: (used: number) => AppError): Watch {
  let handle: NodeJS.Timeout | undefined;
  const promise = new Promise<never>((_, reject) => {
    handle = setInterval(async () => {
      const status = await readFile(`/proc/${child.pid}/status`, 'utf8').catch(() => '');
      const used = Number(/VmRSS:\s+(\d+)/.exec(status)?.[1] ?? 0) * 1024;
      if (used > most) reject(error(used));
    }, WATCH_INTERVAL);
  });
  promise.catch(() => {});
  return { promise, stop: () => clearInterval(handle) };
}
