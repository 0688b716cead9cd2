import type { RestoreTask } from '../pipeline/options.ts';
import type { RestoreOutcome } from '../pipeline/report.ts';
import type { CostEstimate } from './estimate.ts';
import type { Job } from './job.ts';

/**
 * Seconds the picture would have taken with the default network: what is learned from it must neither
 * scare away the next one (best tier) nor invite it (fast tier, chosen because time was short).
 */
export function asOrdinary(seconds: number, { work = 1, report }: Pick<RestoreOutcome, 'work' | 'report'>): number {
  const restoring = (report.timings.restore ?? 0) / 1000;
  return Math.max(0, seconds - restoring) + restoring / work;
}

/** The picture's order as the child gets it: with the time that is left, once finished pictures have told how long such a one takes. */
export function withTime(job: Job, estimate: CostEstimate): RestoreTask {
  const left = job.timeLeft(performance.now());
  // A guess must not cost quality.
  if (!Number.isFinite(left) || !estimate.learned) return job.task;
  return { ...job.task, time: { left, expected: estimate.of(job.options.pixels).mean } };
}
