import { Redis } from 'ioredis';
import { afterAll, afterEach, beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import { ConfigError } from '../../src/config.ts';
import { createMemoryRateLimiter, type RateLimiter } from '../../src/server/access/rate-limiter.ts';
import { createRedisRateLimiter, type RedisRateOptions } from '../../src/server/access/redis-rate-limiter.ts';
import { rateLimitContract } from '../contract/rate-limit.ts';
import { describeOnRedis, type RedisServer, redisServer } from '../support/redis-server.ts';
import { until } from '../support/until.ts';

rateLimitContract('memory', async (now) => createMemoryRateLimiter(now));

describe('Redis', () => {
  test.each(['', 'http://127.0.0.1', 'redis:', '127.0.0.1:6379'])('an address that is none is refused at the start: %j', async (url) => {
    await expect(createRedisRateLimiter({ url, outage: 'open' })).rejects.toThrow(ConfigError);
  });
});

describeOnRedis('on a real Redis', () => {
  let server: RedisServer;
  beforeAll(async () => {
    server = await redisServer();
  });
  afterAll(() => server.close());
  afterEach(async () => {
    const redis = new Redis(server.url);
    await redis.flushall();
    redis.disconnect();
  });

  const open = async (changes: Partial<RedisRateOptions> = {}): Promise<RateLimiter> => {
    const limiter = await createRedisRateLimiter({ url: server.url, outage: 'closed', ...changes });
    onTestFinished(() => limiter.close?.());
    return limiter;
  };

  let opened = 0;
  rateLimitContract('redis', async (now) => {
    const limiter = await open({ now });
    const prefix = `${++opened} `;
    return { take: (id, perSecond) => limiter.take(prefix + id, perSecond) };
  });

  test('two servers share one count, by the clock of Redis', async () => {
    const [one, other] = [await open(), await open()];
    const decisions = await Promise.all(Array.from({ length: 40 }, (_, i) => (i % 2 ? one : other).take('a', 0.001)));
    expect(decisions.filter(({ allowed }) => allowed)).toHaveLength(1);
    const [refused] = decisions.filter(({ allowed }) => !allowed);
    expect(refused).toMatchObject({ allowed: false });
    expect(refused && 'retryAfter' in refused ? refused.retryAfter : 0).toBeGreaterThan(900);
  });

  test('it forgets a key when its bucket is full again', async () => {
    const limiter = await open();
    await limiter.take('a', 2);
    const redis = new Redis(server.url);
    onTestFinished(() => redis.disconnect());
    expect(await redis.pttl('mingxi:rate:a')).toBeLessThanOrEqual(1000);
    await until(async () => (await redis.keys('*')).length === 0);
  });

  describe.each(['SIGSTOP', 'SIGKILL'] as const)('while it is away (%s)', (signal) => {
    const leave = async () => {
      if (signal === 'SIGKILL') await server.stop('SIGKILL');
      else server.signal('SIGSTOP');
    };
    const comeBack = async () => {
      if (signal === 'SIGKILL') await server.start();
      else server.signal('SIGCONT');
    };

    test('open: each server counts its own, and then they share again', async () => {
      const told: unknown[] = [];
      const limiter = await open({ outage: 'open', onOutage: (error) => told.push(error) });
      await limiter.take('before', 0.001);
      await leave();
      expect(await limiter.take('a', 0.001)).toEqual({ allowed: true });
      expect((await limiter.take('a', 0.001)).allowed).toBe(false);
      expect(told).toEqual([expect.any(Error)]);
      await comeBack();
      await until(async () => {
        await limiter.take(`probe ${Math.random()}`, 1);
        return told.length === 2;
      });
      expect(told[1]).toBeUndefined();
      expect((await limiter.take('before', 0.001)).allowed).toBe(false);
    });

    test('closed: calls are refused as passing, and then allowed again', async () => {
      const limiter = await open({ outage: 'closed' });
      await limiter.take('before', 1);
      await leave();
      for (let i = 0; i < 20; i++) {
        await expect(limiter.take('a', 5)).rejects.toMatchObject({ kind: 'ALGORITHM_OVER_CONCURRENT', retryAfter: 1 });
      }
      await comeBack();
      await until(() =>
        limiter.take('a', 5).then(
          ({ allowed }) => allowed,
          () => false,
        ),
      );
    });
  });

  test('a service that starts before it counts on its own until it is there', async () => {
    await server.stop('SIGKILL');
    const told: unknown[] = [];
    const limiter = await open({ outage: 'open', onOutage: (error) => told.push(error) });
    expect([(await limiter.take('a', 0.001)).allowed, (await limiter.take('a', 0.001)).allowed]).toEqual([true, false]);
    await server.start();
    await until(async () => {
      await limiter.take('b', 1);
      return told.length === 2;
    });
    expect((await limiter.take('a', 0.001)).allowed).toBe(true);
  });
});
