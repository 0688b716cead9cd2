/**
 * The life of a job, in one table. A transition is made by one statement,
 * `UPDATE jobs SET state = to WHERE id = ? AND state IN (from)`: whoever changes no row came too late.
 */
export const TRANSITIONS = {
  /** A process takes the job. */
  claim: { from: ['queued'], to: 'running' },
  /** It gives the job back, or its lease ran out. */
  release: { from: ['running'], to: 'queued' },
  succeed: { from: ['running'], to: 'succeeded' },
  fail: { from: ['queued', 'running'], to: 'failed' },
  cancel: { from: ['queued', 'running'], to: 'cancelled' },
  /** Its time is over: pictures are deleted, then the row. A crash in between leaves it here. */
  expire: { from: ['queued', 'running', 'succeeded', 'failed', 'cancelled', 'expired'], to: 'expired' },
} as const satisfies Record<string, { readonly from: readonly JobState[]; readonly to: JobState }>;

export type JobState = 'queued' | 'running' | 'succeeded' | 'failed' | 'cancelled' | 'expired';
export type TransitionName = keyof typeof TRANSITIONS;

/** Whether nothing more will happen to a job but its expiry. */
export function isFinal(state: JobState): boolean {
  return state !== 'queued' && state !== 'running';
}
