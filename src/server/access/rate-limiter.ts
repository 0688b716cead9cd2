/** Answer to one call: allowed, or the seconds until the next one would be. */
export type RateDecision = { readonly allowed: true } | { readonly allowed: false; readonly retryAfter: number };

/**
 * Calls per second of a key, as a token bucket: a burst of one second's calls (at least one),
 * refilled evenly. A key not seen yet has a full bucket.
 */
export interface RateLimiter {
  /** Takes one call, if there is one left. @throws AppError ALGORITHM_OVER_CONCURRENT when it cannot be counted */
  take(id: string, perSecond: number): Promise<RateDecision>;
  /** Ends connections, where there are some. */
  close?(): Promise<void>;
}

/** Milliseconds after which an unused bucket is full again, whatever it held. */
export function refillTime(perSecond: number): number {
  return Math.ceil((burstOf(perSecond) / perSecond) * 1000);
}

const burstOf = (perSecond: number) => Math.max(1, perSecond);

interface Bucket {
  tokens: number;
  at: number;
  /** From now on it is full, and need not be remembered. */
  fullAt: number;
}

/** Full buckets are looked for this often, ms. */
const FORGET_EVERY = 60_000;

/**
 * Buckets in this process's memory.
 * @param now clock in milliseconds
 */
export function createMemoryRateLimiter(now: () => number = () => performance.now()): RateLimiter {
  const buckets = new Map<string, Bucket>();
  let swept = now();
  const forgetFull = (time: number) => {
    if (time - swept < FORGET_EVERY) return;
    swept = time;
    for (const [id, bucket] of buckets) if (bucket.fullAt <= time) buckets.delete(id);
  };
  return {
    async take(id, perSecond) {
      const time = now();
      forgetFull(time);
      const burst = burstOf(perSecond);
      const before = buckets.get(id) ?? { tokens: burst, at: time };
      const tokens = Math.min(burst, before.tokens + ((time - before.at) / 1000) * perSecond);
      const allowed = tokens >= 1;
      buckets.set(id, { tokens: allowed ? tokens - 1 : tokens, at: time, fullAt: time + refillTime(perSecond) });
      return allowed ? { allowed } : { allowed, retryAfter: (1 - tokens) / perSecond };
    },
  };
}
