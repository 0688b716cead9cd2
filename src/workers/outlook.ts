import type { Job } from './job.ts';

/** Everything a pool has accepted: what its children work on, and what waits for them in this order. */
export interface Accepted {
  readonly children: number;
  readonly running: Iterable<Job>;
  readonly waiting: readonly Job[];
}

/** Seconds of computing that lie before a newcomer. */
export function backlogOf({ running, waiting }: Accepted, now: number): number {
  const factor = slowdown(running, now);
  let backlog = remainingOf(running, now);
  for (const job of waiting) backlog += job.expected.mean * factor;
  return backlog;
}

/**
 * Those who wait and cannot be done in time any more: the machine has become slower since they were
 * let in. First come, first looked at: whoever is given up makes room for those behind.
 */
export function lostOnes({ children, running, waiting }: Accepted, now: number): Job[] {
  const factor = slowdown(running, now);
  let before = remainingOf(running, now);
  return waiting.filter((job) => {
    const end = before / Math.max(1, children) + job.expected.most * factor;
    const isLost = job.hadToWait && end > job.timeLeft(now);
    if (!isLost) before += job.expected.mean * factor;
    return isLost;
  });
}

/** When all that runs takes longer than anything has lately, the machine has become slower than any finished picture has told. */
function slowdown(running: Iterable<Job>, now: number): number {
  const least = [...running].reduce((factor, job) => Math.min(factor, job.overdue(now)), Number.POSITIVE_INFINITY);
  return Number.isFinite(least) ? Math.max(1, least) : 1;
}

function remainingOf(running: Iterable<Job>, now: number): number {
  return [...running].reduce((sum, job) => sum + job.remaining(now), 0);
}
