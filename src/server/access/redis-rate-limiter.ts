import type { Redis } from 'ioredis';
import { ConfigError } from '../../config.ts';
import { AppError } from '../../errors.ts';
import { optionalPackage } from '../../optional-package.ts';
import { createMemoryRateLimiter, type RateDecision, type RateLimiter, refillTime } from './rate-limiter.ts';

export interface RedisRateOptions {
  /** `redis://:PASSWORD@HOST:PORT/DB`, or `rediss://` for TLS. */
  readonly url: string;
  /** While Redis does not answer: `open` = this process counts on its own, `closed` = calls are refused. */
  readonly outage: 'open' | 'closed';
  /** Told when Redis stops answering (with the error) and when it answers again (undefined). */
  readonly onOutage?: (error: unknown) => void;
  /** Milliseconds since 1970, for tests. Default: the clock of the Redis server, one for all. */
  readonly now?: () => number;
}

/** Longest a call waits for Redis, ms. */
const ANSWER_LIMIT = 250;
/** After a failure Redis is left alone for this long, ms: not every call should find out by waiting. */
const PAUSE = 1_000;
const LONGEST_RECONNECT = 2_000;
const START_LIMIT = 2_000;

/**
 * The bucket of {@link RateLimiter} in one atomic step.
 *
 * KEYS[1] hash of one bucket: `tokens`, and `at` in milliseconds.
 * ARGV[1] calls per second; ARGV[2] milliseconds until an unused bucket is full, and forgotten;
 * ARGV[3] the time in milliseconds, or '' for the server's own.
 * Answers {1, ''}, or {0, seconds until the next call would be allowed}. A clock that was set back refills nothing.
 */
const TAKE = `
local per_second = tonumber(ARGV[1])
local time = tonumber(ARGV[3])
if not time then
  local clock = redis.call('TIME')
  time = clock[1] * 1000 + clock[2] / 1000
end
local burst = math.max(1, per_second)
local held = redis.call('HMGET', KEYS[1], 'tokens', 'at')
local tokens = tonumber(held[1] or burst)
local at = tonumber(held[2] or time)
tokens = math.min(burst, tokens + math.max(0, time - at) / 1000 * per_second)
local allowed = tokens >= 1
redis.call('HSET', KEYS[1], 'tokens', string.format('%.17g', allowed and tokens - 1 or tokens), 'at', string.format('%.17g', time))
redis.call('PEXPIRE', KEYS[1], ARGV[2])
if allowed then return {1, ''} end
return {0, string.format('%.17g', (1 - tokens) / per_second)}
`;

type Taking = Redis & { takeCall(bucket: string, perSecond: number, life: number, time: number | ''): Promise<[number, string]> };

/**
 * Buckets in Redis or Valkey, shared by all servers. A call never waits longer than a quarter of a
 * second for it; what happens then is `outage`'s to say.
 * @throws ConfigError for a malformed URL or when the package is missing; not when Redis is away
 */
export async function createRedisRateLimiter(options: RedisRateOptions): Promise<RateLimiter> {
  const redis = await connect(options.url);
  const own = createMemoryRateLimiter();
  let leftAloneUntil = 0;
  let isAway = false;

  const ask = async (id: string, perSecond: number): Promise<RateDecision | undefined> => {
    if (performance.now() < leftAloneUntil) return undefined;
    try {
      const [allowed, retryAfter] = await redis.takeCall(`mingxi:rate:${id}`, perSecond, refillTime(perSecond), options.now?.() ?? '');
      if (isAway) options.onOutage?.(undefined);
      isAway = false;
      return allowed === 1 ? { allowed: true } : { allowed: false, retryAfter: Number(retryAfter) };
    } catch (error) {
      leftAloneUntil = performance.now() + PAUSE;
      if (!isAway) options.onOutage?.(error);
      isAway = true;
      return undefined;
    }
  };
  return {
    async take(id, perSecond) {
      const decision = await ask(id, perSecond);
      if (decision) return decision;
      if (options.outage === 'open') return own.take(id, perSecond);
      throw new AppError('ALGORITHM_OVER_CONCURRENT', 'The calls of this key cannot be counted at the moment.', { retryAfter: 1 });
    },
    async close() {
      redis.disconnect();
    },
  };
}

async function connect(url: string): Promise<Taking> {
  // Not repeated in the message: there is a password in it.
  if (!/^rediss?:\/\/./.test(url))
    throw new ConfigError(['MINGXI_REDIS_URL: expected redis://:PASSWORD@HOST:PORT/0, or rediss:// for TLS']);
  const { Redis } = await optionalPackage('ioredis', 'MINGXI_REDIS_URL', () => import('ioredis'));
  const redis = new Redis(url, {
    lazyConnect: true,
    connectTimeout: START_LIMIT,
    commandTimeout: ANSWER_LIMIT,
    // A call is counted now or not at all.
    enableOfflineQueue: false,
    autoResendUnfulfilledCommands: false,
    maxRetriesPerRequest: 0,
    retryStrategy: (times) => Math.min(100 * 2 ** times, LONGEST_RECONNECT),
  });
  redis.on('error', () => {}); // Every failure is found by the next call; unheard, the event would be printed.
  redis.defineCommand('takeCall', { numberOfKeys: 1, lua: TAKE });
  // A service that starts before its Redis counts on its own until it is there.
  await redis.connect().catch(() => {});
  return redis as Taking;
}
