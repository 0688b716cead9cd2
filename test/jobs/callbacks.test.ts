import { createHmac } from 'node:crypto';
import { afterEach, describe, expect, test } from 'vitest';
import { type Arrival, type Reply, scriptedService } from '../client/scripted-service.ts';
import { until } from '../support/until.ts';
import { bench, picture } from './bench.ts';

const closing: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const close of closing.splice(0)) await close();
});
async function receiver(...script: Reply[]) {
  const service = await scriptedService(...script);
  closing.push(service.close);
  return service;
}

const header = ({ rawHeaders }: Arrival, name: string) => rawHeaders[rawHeaders.findIndex((h) => h.toLowerCase() === name) + 1] ?? '';
const submit = async (t: Awaited<ReturnType<typeof bench>>, order: string, callbackUrl: string) =>
  (await t.jobs.submit({ key: t.key, pictures: [picture(order)], wire: null, callbackUrl })).job;
const waiting = (t: Awaited<ReturnType<typeof bench>>) => t.db.selectFrom('callbacks').selectAll().execute();

describe('a callback', () => {
  test.each([
    ['restore 0', 'succeeded'],
    ['refuse x', 'failed'],
  ])('comes once when a job has ended (%s), signed by the key’s secret', async (order, state) => {
    const service = await receiver({ status: 204, text: '' });
    const t = await bench();
    const job = await submit(t, order, `${service.baseUrl}/done?mine=1`);
    await until(() => service.arrivals.length > 0);
    await until(async () => (await waiting(t)).length === 0);
    const arrival = service.arrivals[0] as Arrival;
    expect([arrival.method, arrival.rawUrl, JSON.parse(arrival.body)]).toEqual(['POST', '/done?mine=1', { msg_id: job.id, state }]);
    expect(header(arrival, 'content-type')).toBe('application/json; charset=utf-8');
    const timestamp = header(arrival, 'x-mingxi-timestamp');
    const id = header(arrival, 'x-mingxi-delivery');
    expect(Math.abs(Date.now() / 1000 - Number(timestamp))).toBeLessThan(60);
    const mac = createHmac('sha256', t.secret).update(`${timestamp}.${id}.${arrival.body}`).digest('hex');
    expect(header(arrival, 'x-mingxi-signature')).toBe(`v1=${mac}`);
    await new Promise((resolve) => setTimeout(resolve, 1500));
    expect(service.arrivals).toHaveLength(1);
  });

  test('is tried again with growing waits until it is taken, under the same id', async () => {
    const service = await receiver({ status: 500 }, { cut: true }, { status: 302, headers: { location: '/elsewhere' } }, { status: 200 });
    const t = await bench({ callbackBackoff: 30 });
    await submit(t, 'restore 0', service.baseUrl);
    await until(async () => service.arrivals.length === 4 && (await waiting(t)).length === 0);
    expect(new Set(service.arrivals.map((arrival) => header(arrival, 'x-mingxi-delivery'))).size).toBe(1);
    expect(new Set(service.arrivals.map((arrival) => arrival.rawUrl))).toEqual(new Set(['/']));
    expect(t.errors.map(String)).toEqual(expect.arrayContaining([expect.stringContaining('500'), expect.stringContaining('302')]));
  }, 30_000);

  test('is given up after the agreed number of tries', async () => {
    const service = await receiver({ status: 503 });
    const t = await bench({ callbackAttempts: 2, callbackBackoff: 10 });
    await submit(t, 'restore 0', service.baseUrl);
    await until(async () => (await waiting(t))[0]?.next_at === null);
    await new Promise((resolve) => setTimeout(resolve, 1500));
    expect(service.arrivals).toHaveLength(2);
  });

  test('is delivered by the next process when this one ends first', async () => {
    const down = await receiver({ status: 503 });
    const t = await bench({ callbackBackoff: 2000 });
    await submit(t, 'restore 0', down.baseUrl);
    await until(async () => (await waiting(t))[0]?.attempts === 1 && down.arrivals.length === 1);
    await t.close();
    const up = await receiver({ status: 200 });
    const next = await bench({ folder: t.folder });
    await next.db.updateTable('jobs').set({ callback_url: up.baseUrl }).execute();
    await until(() => up.arrivals.length === 1);
    expect(header(up.arrivals[0] as Arrival, 'x-mingxi-delivery')).toBe(header(down.arrivals[0] as Arrival, 'x-mingxi-delivery'));
  }, 30_000);

  test.each(['http://10.0.0.1/', 'http://[::1]/', 'http://169.254.169.254/latest', 'http://127.0.0.2/'])(
    'to %s is refused by the address guard',
    async (url) => {
      const t = await bench({ callbackAttempts: 1 });
      await submit(t, 'restore 0', url);
      await until(async () => (await waiting(t))[0]?.next_at === null);
      expect(String(t.errors[0])).toMatch(/address that is not allowed/);
    },
  );

  test('does not come for a cancelled job', async () => {
    const service = await receiver({ status: 200 });
    const t = await bench();
    const job = await submit(t, 'hang 0', service.baseUrl);
    await t.jobs.cancel(job.id, job.keyId);
    expect(await waiting(t)).toEqual([]);
  });

  test('goes with its job', async () => {
    const service = await receiver({ status: 503 });
    const t = await bench();
    const job = await submit(t, 'restore 0', service.baseUrl);
    await until(async () => (await waiting(t)).length === 1);
    await t.jobs.sweep.run(job.expiresAt);
    expect(await waiting(t)).toEqual([]);
  });
});
