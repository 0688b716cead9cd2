import type { Worker } from 'node:worker_threads';
import { programFile, startThread } from '../../program-file.ts';
import type { Pair, Scores } from './score.ts';
import type { ScoreReply } from './score-thread.ts';

/** Threads that measure pictures: the metrics take several times as long as the restoration itself. */
export interface Scorers {
  /** @throws Error when the pictures cannot be compared, or the thread ended */
  score(pair: Pair): Promise<Scores>;
  /** Ends the threads, also in the middle of their work. */
  close(): Promise<void>;
}

interface Order {
  readonly pair: Pair;
  resolve(scores: Scores): void;
  reject(error: Error): void;
}

/** `count` threads; pairs wait for a free one in order. */
export function createScorers(count: number): Scorers {
  const waiting: Order[] = [];
  const busy = new Map<Worker, Order>();
  const threads = Array.from({ length: count }, () => startThread(programFile(import.meta.url, 'score-thread'), null));
  const free = [...threads];
  const feed = () => {
    while (free.length > 0 && waiting.length > 0) {
      const [thread, order] = [free.shift() as Worker, waiting.shift() as Order];
      busy.set(thread, order);
      thread.postMessage(order.pair);
    }
  };
  // A thread ends when all do, or by a fault of the program: nothing is to be measured any more.
  const lost = (error: Error) => {
    for (const order of [...busy.values(), ...waiting.splice(0)]) order.reject(error);
    busy.clear();
  };
  for (const thread of threads) {
    thread.on('message', (reply: ScoreReply) => {
      const order = busy.get(thread);
      busy.delete(thread);
      free.push(thread);
      if ('scores' in reply) order?.resolve(reply.scores);
      else order?.reject(new Error(reply.problem));
      feed();
    });
    thread.on('error', lost);
    thread.on('exit', (status) => lost(new Error(`a thread that measures ended with status ${status}`)));
  }
  return {
    score: (pair) =>
      new Promise((resolve, reject) => {
        waiting.push({ pair, resolve, reject });
        feed();
      }),
    async close() {
      await Promise.all(threads.map((thread) => thread.terminate()));
    },
  };
}
