import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { createMemoryRateLimiter, type RateLimiter } from '../../src/server/access/rate-limiter.ts';

/** Opens a limiter of its own whose clock is the test's, in milliseconds. */
export type OpenLimiter = (now: () => number) => Promise<RateLimiter>;

/** What every rate limiter promises. */
export function rateLimitContract(name: string, open: OpenLimiter): void {
  /** A limiter and its clock. */
  const limiter = async () => {
    let time = 1_700_000_000_000;
    const { take } = await open(() => time);
    return {
      /** How many of so many calls were allowed. */
      allowed: async (id: string, perSecond: number, calls: number) => {
        let count = 0;
        for (let i = 0; i < calls; i++) if ((await take(id, perSecond)).allowed) count++;
        return count;
      },
      take,
      later: (milliseconds: number) => {
        time += milliseconds;
      },
    };
  };

  describe(`rate limit contract: ${name}`, () => {
    test('a burst of one second’s calls, then no more', async () => {
      const t = await limiter();
      expect(await t.allowed('a', 5, 20)).toBe(5);
      t.later(1000);
      expect(await t.allowed('a', 5, 20)).toBe(5);
    });

    test('it refills evenly, up to the burst', async () => {
      const t = await limiter();
      await t.allowed('a', 10, 10);
      t.later(250);
      expect(await t.allowed('a', 10, 10)).toBe(2);
      t.later(50);
      expect(await t.allowed('a', 10, 10)).toBe(1);
      t.later(3_600_000);
      expect(await t.allowed('a', 10, 30)).toBe(10);
    });

    test('a refusal says when the next call would be allowed, and costs nothing', async () => {
      const t = await limiter();
      await t.allowed('a', 4, 4);
      t.later(100);
      const refused = await t.take('a', 4);
      expect(refused.allowed).toBe(false);
      const wait = refused.allowed ? 0 : refused.retryAfter;
      expect(wait).toBeCloseTo(0.15, 6);
      expect((await t.take('a', 4)).allowed).toBe(false);
      t.later(wait * 1000 - 1);
      expect((await t.take('a', 4)).allowed).toBe(false);
      t.later(2);
      expect((await t.take('a', 4)).allowed).toBe(true);
    });

    test('keys do not share', async () => {
      const t = await limiter();
      expect([await t.allowed('a', 2, 5), await t.allowed('b', 3, 5)]).toEqual([2, 3]);
    });

    test('less than one call a second is one call at a time, also after a long while', async () => {
      const t = await limiter();
      expect(await t.allowed('a', 0.01, 3)).toBe(1);
      t.later(70_000);
      // Something else is counted in between, at which idle keys are forgotten.
      expect(await t.allowed('b', 1, 1)).toBe(1);
      expect(await t.allowed('a', 0.01, 3)).toBe(0);
      t.later(30_001);
      expect(await t.allowed('a', 0.01, 3)).toBe(1);
    });

    test('calls at once get exactly the burst', async () => {
      const t = await limiter();
      const decisions = await Promise.all(Array.from({ length: 50 }, () => t.take('a', 7)));
      expect(decisions.filter(({ allowed }) => allowed)).toHaveLength(7);
    });

    test('a changed rate holds from the next call on', async () => {
      const t = await limiter();
      expect(await t.allowed('a', 10, 3)).toBe(3);
      expect(await t.allowed('a', 2, 5)).toBe(2);
    });

    test('whatever comes when, it decides as the memory of one process does', async () => {
      const calls = fc.array(fc.record({ id: fc.constantFrom('a', 'b'), wait: fc.nat(700) }), { maxLength: 25 });
      await fc.assert(
        fc.asyncProperty(calls, fc.constantFrom(0.5, 1, 2.5, 8), async (list, perSecond) => {
          let time = 1_700_000_000_000;
          const [one, memory] = [await open(() => time), createMemoryRateLimiter(() => time)];
          for (const { id, wait } of list) {
            time += wait;
            const [a, b] = [await one.take(id, perSecond), await memory.take(id, perSecond)];
            expect(a.allowed).toBe(b.allowed);
            if (!a.allowed && !b.allowed) expect(a.retryAfter).toBeCloseTo(b.retryAfter, 6);
          }
        }),
        { numRuns: 25 },
      );
    });
  });
}
