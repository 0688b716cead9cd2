/** The program of a thread that measures pictures. */
import { parentPort } from 'node:worker_threads';
import { createScorer, type Pair, type Scores } from './score.ts';

/** Every pair has one reply. */
export type ScoreReply = { readonly scores: Scores } | { readonly problem: string };

const score = createScorer();

parentPort?.on('message', (pair: Pair) => {
  let reply: ScoreReply;
  try {
    reply = { scores: score(pair) };
  } catch (error) {
    reply = { problem: error instanceof Error ? error.message : String(error) };
  }
  parentPort?.postMessage(reply);
});
