import type { Restorer, RestorerStats } from '../../src/workers/contract.ts';

/** A pool that is never asked to restore anything, for tests of faults and of what lies around it. */
export function stubRestorer(
  run: Restorer['run'] = () => Promise.reject(new Error('not expected here')),
  stats: Partial<RestorerStats> = {},
): Restorer {
  return {
    run,
    checkRoom: () => {},
    keepPlace: () => ({ isKept: true, giveUp: () => {} }),
    stats: () => ({ children: 1, running: 0, waiting: 0, finished: 0, failed: 0, restarts: 0, expectedWait: 0, ...stats }),
    close: async () => {},
  };
}
