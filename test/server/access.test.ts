import { describe, expect, test } from 'vitest';
import { findCredentials } from '../../src/server/access/credentials.ts';
import { createMemoryRateLimiter } from '../../src/server/access/rate-limiter.ts';

describe('calls per second', () => {
  /** A limiter with a clock that stands until it is moved. */
  function limiter() {
    let time = 0;
    const made = createMemoryRateLimiter(() => time);
    const move = (milliseconds: number) => {
      time += milliseconds;
    };
    return { take: made.take, move };
  }

  test("a second's calls at once, then one per interval", async () => {
    const { take, move } = limiter();
    for (let i = 0; i < 5; i++) expect((await take('a', 5)).allowed).toBe(true);
    expect(await take('a', 5)).toEqual({ allowed: false, retryAfter: 0.2 });
    move(200);
    expect((await take('a', 5)).allowed).toBe(true);
    expect((await take('a', 5)).allowed).toBe(false);
  });

  test('less than one per second: one call, then the whole wait', async () => {
    const { take, move } = limiter();
    expect((await take('a', 0.1)).allowed).toBe(true);
    expect(await take('a', 0.1)).toEqual({ allowed: false, retryAfter: 10 });
    move(9_999);
    expect((await take('a', 0.1)).allowed).toBe(false);
    move(2);
    expect((await take('a', 0.1)).allowed).toBe(true);
  });

  test('refused calls cost nothing, rest saves up no more than one burst', async () => {
    const { take, move } = limiter();
    for (let i = 0; i < 50; i++) await take('a', 2);
    move(500);
    expect((await take('a', 2)).allowed).toBe(true);
    move(3_600_000);
    const allowed = await Promise.all(Array.from({ length: 10 }, () => take('a', 2)));
    expect(allowed.filter((decision) => decision.allowed).length).toBe(2);
  });

  test('keys do not share', async () => {
    const { take } = limiter();
    expect((await take('a', 1)).allowed).toBe(true);
    expect((await take('b', 1)).allowed).toBe(true);
    expect((await take('a', 1)).allowed).toBe(false);
  });
});

describe('credentials', () => {
  test('query before headers before body, each half on its own', () => {
    const query = { api_key: 'q', api_secret: 'qs' };
    const headers = { 'x-api-key': 'h', 'x-api-secret': 'hs' };
    const body = { api_key: 'b', api_secret: 'bs' };
    expect(findCredentials({ query, headers, body })).toEqual({ key: 'q', secret: 'qs' });
    expect(findCredentials({ headers, body })).toEqual({ key: 'h', secret: 'hs' });
    expect(findCredentials({ body })).toEqual({ key: 'b', secret: 'bs' });
    expect(findCredentials({ query: { api_key: 'q' }, headers: { 'x-api-secret': 'hs' } })).toEqual({ key: 'q', secret: 'hs' });
    expect(findCredentials({ query: { api_key: 'q' } })).toBeUndefined();
    expect(findCredentials({})).toBeUndefined();
  });

  test('only texts count', () => {
    for (const value of [5, null, {}, [], true, '']) expect(findCredentials({ body: { api_key: value, api_secret: 's' } })).toBeUndefined();
  });
});
