import type { Config } from '../../config.ts';

/** Share of a call's time, and most milliseconds, that are kept for handing over what was restored. */
const DELIVERY = { share: 0.05, most: 1000 } as const;

/** Milliseconds of a synchronous call until its pictures must be restored. */
export function restoringTime({ syncTimeout }: Pick<Config, 'syncTimeout'>): number {
  const all = syncTimeout * 1000;
  return all - Math.min(DELIVERY.most, all * DELIVERY.share);
}
