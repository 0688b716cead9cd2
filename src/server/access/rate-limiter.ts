/** Answer to one call: allowed, or the seconds until the next one would be. */
export type RateDecision = { readonly allowed: true } | { readonly allowed: false; readonly retryAfter: number };

/** Calls per second of a key; a shared store can take the place of this process's memory. */
export interface RateLimiter {
  take(id: string, perSecond: number): Promise<RateDecision>;
}

interface Bucket {
  tokens: number;
  at: number;
}

/** Keys idle for this long are forgotten; by then their bucket is full again. */
const FORGET_AFTER = 60_000;

/**
 * Token bucket in memory: a burst of one second's calls (at least one), refilled evenly.
 * @param now clock in milliseconds
 */
export function createMemoryRateLimiter(now: () => number = () => performance.now()): RateLimiter {
  const buckets = new Map<string, Bucket>();
  let swept = now();
  const forgetIdle = (time: number) => {
    if (time - swept < FORGET_AFTER) return;
    swept = time;
    for (const [id, bucket] of buckets) if (time - bucket.at > FORGET_AFTER) buckets.delete(id);
  };
  return {
    async take(id, perSecond) {
      const time = now();
      forgetIdle(time);
      const burst = Math.max(1, perSecond);
      const before = buckets.get(id) ?? { tokens: burst, at: time };
      const tokens = Math.min(burst, before.tokens + ((time - before.at) / 1000) * perSecond);
      const allowed = tokens >= 1;
      buckets.set(id, { tokens: allowed ? tokens - 1 : tokens, at: time });
      return allowed ? { allowed } : { allowed, retryAfter: (1 - tokens) / perSecond };
    },
  };
}
