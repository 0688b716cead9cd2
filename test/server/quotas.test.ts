import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { LightMyRequestResponse } from 'fastify';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { NewKey } from '../../src/db/keys.ts';
import { ERRORS } from '../../src/errors.ts';
import { bodyOf } from '../support/app.ts';
import { type OrderService, orderService } from './order-service.ts';

const folder = mkdtempSync(join(tmpdir(), 'mingxi-test-'));
let t: OrderService;
beforeAll(async () => {
  t = await orderService(folder, { workers: 2 });
});
afterAll(async () => {
  await t.close();
  rmSync(folder, { recursive: true, force: true });
});

const body = (order: string) => bodyOf(t.order(order), {}, 'url');
const call = (query: string, order: string | object, path = '/v1/aiquality'): Promise<LightMyRequestResponse> =>
  t.api.app.server.inject({
    method: 'POST',
    url: `${path}?${query}`,
    payload: JSON.stringify(typeof order === 'string' ? body(order) : order),
  });
const usage = async (query: string) => (await t.api.app.server.inject({ url: `/v1/usage?${query}` })).json();
const newKey = (wanted: Partial<NewKey>) => t.api.newKey(wanted);
/** Waits until nothing of the service is unfinished. */
const settled = async () => {
  while ((await t.api.app.db.selectFrom('reservations').select('id').execute()).length > 0) await new Promise((r) => setTimeout(r, 30));
};
const codes = (answers: readonly LightMyRequestResponse[]) => {
  const seen: Record<string, number> = {};
  for (const answer of answers) {
    const key = `${answer.statusCode} ${answer.json().ErrorCode ?? 'ok'}`;
    seen[key] = (seen[key] ?? 0) + 1;
  }
  return seen;
};

describe('pictures per day and month', () => {
  test.each(['dailyLimit', 'monthlyLimit'] as const)('%s: calls at once get exactly as many as there are', async (limit) => {
    const { query } = await newKey({ [limit]: 5 });
    // No more than a fresh server lets in before it knows how long its pictures take.
    const answers = await Promise.all(Array.from({ length: 12 }, () => call(query, 'restore 20')));
    expect(codes(answers)).toEqual({ '200 ok': 5, '403 80001': 7 });
    expect((await usage(query)).days).toMatchObject([{ pictures: 5, failures: {} }]);
    expect(answers.find((answer) => answer.statusCode === 403)?.json().message).toContain('is 5 pictures');
  });

  test('submits at once get exactly as many as there are, before any of them is done', async () => {
    const { query } = await newKey({ dailyLimit: 3 });
    const answers = await Promise.all(Array.from({ length: 10 }, () => call(query, 'restore 20', '/v1/aiquality_async')));
    expect(codes(answers)).toEqual({ '200 ok': 3, '403 80001': 7 });
    await settled();
    expect((await usage(query)).days).toMatchObject([{ pictures: 3 }]);
  });

  test('a failure is not charged, by either form, and frees its place', async () => {
    const { query } = await newKey({ dailyLimit: 1 });
    for (const path of ['/v1/aiquality', '/v1/aiquality_async']) {
      for (let i = 0; i < 3; i++) {
        expect((await call(query, 'refuse x', path)).json().ErrorCode).not.toBe(ERRORS.RIGHTS_LIMIT_EXCEEDED.code);
        await settled();
      }
    }
    expect((await call(query, 'restore 0')).statusCode).toBe(200);
    expect((await call(query, 'restore 0')).statusCode).toBe(403);
    expect(await usage(query)).toMatchObject({
      quotas: { day: { limit: 1, used: 1 }, month: { limit: null, used: 1 } },
      days: [{ pictures: 1, failures: { 23101: 6 } }],
    });
  });

  test('every picture of a call counts, and all must fit', async () => {
    const { query } = await newKey({ dailyLimit: 3 });
    const two = { ...body('restore 0'), media_info_list: [...body('restore 0').media_info_list, ...body('restore 0').media_info_list] };
    expect((await call(query, two, '/v1/aiquality_async')).statusCode).toBe(200);
    expect((await call(query, two, '/v1/aiquality_async')).json().ErrorCode).toBe(ERRORS.RIGHTS_LIMIT_EXCEEDED.code);
    expect((await call(query, 'restore 0')).statusCode).toBe(200);
  });

  test('one key’s use is not another’s', async () => {
    const a = await newKey({ dailyLimit: 1 });
    const b = await newKey({ dailyLimit: 1 });
    expect((await call(a.query, 'restore 0')).statusCode).toBe(200);
    expect((await call(b.query, 'restore 0')).statusCode).toBe(200);
    expect((await usage(a.query)).days).toHaveLength(1);
  });

  test('what a crashed process left reserved is given back by the sweep', async () => {
    const { query, id } = await newKey({ dailyLimit: 1 });
    const { accounting } = await import('../../src/jobs/accounting.ts').then((m) => ({ accounting: m.createAccounting(t.api.app.db) }));
    const key = { id, dailyLimit: 1, monthlyLimit: null, concurrentLimit: null };
    const reservation = await accounting.reserve(key, 1, { expiresAt: Date.now() - 1 });
    expect((await call(query, 'restore 0')).statusCode).toBe(403);
    await t.api.app.retention.sweep();
    expect((await call(query, 'restore 0')).statusCode).toBe(200);
    expect(await accounting.charge(reservation, { megapixels: 1, seconds: 1 })).toBe(false);
  });
});

describe('calls at once and per second', () => {
  test('more unfinished calls than allowed are refused with Retry-After', async () => {
    const { query } = await newKey({ concurrentLimit: 2 });
    const answers = await Promise.all(Array.from({ length: 6 }, () => call(query, 'restore 300')));
    expect(codes(answers)).toEqual({ '200 ok': 2, '503 29904': 4 });
    expect(Number(answers.find((answer) => answer.statusCode === 503)?.headers['retry-after'])).toBeGreaterThan(0);
    expect((await call(query, 'restore 0')).statusCode).toBe(200);
  });

  test('calls over the rate are 429 with Retry-After; asking for a result is not a call', async () => {
    const { query } = await newKey({ qps: 1 });
    const submitted = await call(query, 'restore 0', '/v1/aiquality_async');
    const refused = await call(query, 'restore 0', '/v1/aiquality_async');
    expect([refused.statusCode, refused.json().ErrorCode, refused.headers['retry-after']]).toEqual([429, 90024, '1']);
    for (let i = 0; i < 5; i++) {
      const answer = await t.api.app.server.inject({ url: `/v1/query?${query}&msg_id=${submitted.json().msg_id}` });
      expect(answer.json().ErrorCode ?? 29901).toBe(29901);
    }
    await settled();
    expect((await usage(query)).days).toMatchObject([{ pictures: 1 }]);
  });
});

describe('GET /v1/usage', () => {
  test('shows the asking key’s figures, of the days asked for', async () => {
    const { query } = await newKey({ name: 'mine', qps: 50, dailyLimit: 9 });
    await call(query, 'restore 0');
    const body = await usage(query);
    expect(body).toMatchObject({
      name: 'mine',
      quotas: { day: { limit: 9, used: 1 }, month: { limit: null, used: 1 } },
      limits: { calls_per_second: 50, concurrent: null, expires_at: null },
      days: [{ pictures: 1, megapixels: 0.5, failures: {} }],
    });
    expect(body.days[0].day).toBe(new Date().toISOString().slice(0, 10));
    expect((await usage(`${query}&from=2099-01-01`)).days).toEqual([]);
    expect((await usage(`${query}&to=2000-01-01`)).days).toEqual([]);
  });

  test('refuses wrong keys and days', async () => {
    expect((await usage('api_key=x&api_secret=y')).ErrorCode).toBe(90002);
    expect((await usage(`${t.api.query}&from=yesterday`)).ErrorCode).toBe(21104);
  });
});

test('jobs are shown by state to who scrapes the metrics', async () => {
  const { query } = await newKey({});
  await call(query, 'restore 0', '/v1/aiquality_async');
  await settled();
  const { body } = await t.api.app.server.inject({ url: '/metrics' });
  expect(body).toMatch(/^mingxi_jobs\{state="queued"\} 0$/m);
  expect(Number(/^mingxi_jobs\{state="succeeded"\} (\d+)$/m.exec(body)?.[1])).toBeGreaterThan(0);
});
