/** A lane that opens whatever it is told to, and ends when it is to run it. */
import { parentPort } from 'node:worker_threads';
import type { LaneRequest } from '../../../src/inference/lane.ts';

parentPort?.on('message', ({ id, type }: LaneRequest) => {
  if (type === 'run') process.exit(3);
  parentPort?.postMessage({ id });
});
