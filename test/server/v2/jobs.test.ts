import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import sharp from 'sharp';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { readEvents } from '../../../web/src/api/events.ts';
import { type TestApp, testApp } from '../../support/app.ts';
import { jpeg } from '../../support/pictures.ts';

const folder = mkdtempSync(join(tmpdir(), 'mingxi-test-'));
let api: TestApp;
let base: string;
let auth: Record<string, string>;
let small: Buffer;
/** Large enough to run for seconds on one thread. */
let large: Buffer;

beforeAll(async () => {
  api = await testApp(folder, { syncTimeout: 30 });
  base = await api.listen();
  auth = { 'x-api-key': api.key, 'x-api-secret': api.secret, 'content-type': 'image/jpeg' };
  small = await jpeg(160, 96);
  large = await jpeg(3000, 2400, { quality: 30 });
});
afterAll(async () => {
  await api.app.close();
  rmSync(folder, { recursive: true, force: true });
});

const submit = (body: Buffer, headers: Record<string, string> = {}) =>
  fetch(`${base}/v2/restore`, { method: 'POST', body: new Uint8Array(body), headers: { ...auth, prefer: 'respond-async', ...headers } });
const get = (path: string, headers: Record<string, string> = auth) => fetch(base + path, { headers });
const remove = (path: string, headers: Record<string, string> = {}) =>
  fetch(base + path, { method: 'DELETE', headers: { 'x-api-key': api.key, 'x-api-secret': api.secret, ...headers } });
const untilEnd = async (path: string) => {
  for (;;) {
    const job = (await (await get(path)).json()) as { state: string; progress: number };
    if (job.state !== 'queued' && job.state !== 'running') return job;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
};

test('respond-async: 202 with Location, then state, result, source and a public link', async () => {
  const answer = await submit(small);
  expect(answer.status).toBe(202);
  expect(answer.headers.get('preference-applied')).toBe('respond-async');
  const path = answer.headers.get('location') ?? '';
  expect(path).toMatch(/^\/v2\/jobs\/[0-9a-f-]{36}$/);
  expect(await answer.json()).toMatchObject({ id: path.split('/').pop(), links: { self: path, events: `${path}/events` } });

  const job = await untilEnd(path);
  expect(job).toMatchObject({
    state: 'succeeded',
    progress: 1,
    report: { source: { width: 160, height: 96 } },
    links: { result: `${path}/result` },
  });
  const result = await get(`${path}/result`);
  expect(await sharp(Buffer.from(await result.arrayBuffer())).metadata()).toMatchObject({ format: 'jpeg', width: 160, height: 96 });
  const again = await get(`${path}/result`, { ...auth, 'if-none-match': result.headers.get('etag') ?? '' });
  expect(again.status).toBe(304);
  const source = await get(`${path}/source`);
  expect(Buffer.compare(Buffer.from(await source.arrayBuffer()), small)).toBe(0);
});

test('a job belongs to its key: to another one it does not exist', async () => {
  const path = (await submit(small)).headers.get('location') ?? '';
  const other = await api.newKey();
  const headers = { 'x-api-key': other.id, 'x-api-secret': other.secret };
  for (const part of ['', '/events', '/result', '/source']) {
    const answer = await get(path + part, headers);
    expect(answer.status).toBe(404);
    expect(await answer.json()).toMatchObject({ code: 10004 });
  }
  expect((await fetch(base + path, { method: 'DELETE', headers })).status).toBe(404);
  expect((await get(path, {})).status).toBe(401);
  expect((await get('/v2/jobs/no-such-job')).status).toBe(404);
  expect(await untilEnd(path)).toMatchObject({ state: 'succeeded' });
});

test('events: progress per tile that only grows, then one end with the whole job', async () => {
  const path = (await submit(await jpeg(1600, 1200))).headers.get('location') ?? '';
  const answer = await get(`${path}/events`);
  expect(answer.headers.get('content-type')).toBe('text/event-stream; charset=utf-8');
  const seen: { event: string; job: { state: string; progress: number } }[] = [];
  if (answer.body === null) throw new Error('no body');
  for await (const { event, data } of readEvents(answer.body)) seen.push({ event, job: JSON.parse(data) });
  const steps = seen.map(({ job }) => job.progress);
  expect(steps).toEqual([...steps].sort((a, b) => a - b));
  expect(new Set(steps).size).toBeGreaterThan(3);
  expect(seen.map(({ event }) => event).filter((event) => event === 'end')).toHaveLength(1);
  expect(seen.at(-1)).toMatchObject({ event: 'end', job: { state: 'succeeded', progress: 1, result: { width: 1600 } } });
});

test('DELETE stops the computation: the child is free for the next picture', async () => {
  const path = (await submit(large)).headers.get('location') ?? '';
  await expect.poll(async () => ((await (await get(path)).json()) as { state: string }).state).toBe('running');
  // Some clients name a type even where there is no body.
  const cancelled = await remove(path, { 'content-type': 'application/json' });
  expect(cancelled.status).toBe(200);
  expect(await cancelled.json()).toMatchObject({ state: 'cancelled' });
  await expect.poll(() => api.app.restorer.stats().running).toBe(0);
  expect((await get(`${path}/result`)).status).toBe(409);
  const next = await submit(small, { prefer: '' });
  expect(next.status).toBe(200);
  await next.arrayBuffer();
  // Cancelling what has ended changes nothing.
  expect(await (await remove(path)).json()).toMatchObject({
    state: 'cancelled',
  });
});

test('a client that leaves takes its synchronous job with it', async () => {
  const before = api.app.restorer.stats();
  const leaving = new AbortController();
  const call = fetch(`${base}/v2/restore`, { method: 'POST', body: new Uint8Array(large), headers: auth, signal: leaving.signal });
  call.catch(() => undefined);
  await expect.poll(() => api.app.restorer.stats().running, { timeout: 10_000 }).toBe(1);
  leaving.abort();
  await expect.poll(() => api.app.restorer.stats().running, { timeout: 10_000 }).toBe(0);
  expect(api.app.restorer.stats().finished).toBe(before.finished);
});

test('Prefer: wait=0 gives a job instead of waiting', async () => {
  const answer = await submit(large, { prefer: 'wait=0' });
  expect(answer.status).toBe(202);
  const path = answer.headers.get('location') ?? '';
  expect((await remove(path)).status).toBe(200);
});

test('Idempotency-Key: the same call answers the same job, another body is a conflict', async () => {
  const headers = { 'idempotency-key': 'order-17' };
  const first = await submit(small, headers);
  expect(first.headers.get('idempotent-replayed')).toBeNull();
  const second = await submit(small, headers);
  expect(second.headers.get('idempotent-replayed')).toBe('true');
  expect(second.headers.get('location')).toBe(first.headers.get('location'));
  await untilEnd(first.headers.get('location') ?? '');
  const sync = await submit(small, { ...headers, prefer: '' });
  expect(sync.status).toBe(200);
  expect(sync.headers.get('idempotent-replayed')).toBe('true');
  await sync.arrayBuffer();
  const other = await submit(await jpeg(100, 100), headers);
  expect(other.status).toBe(409);
  expect(await other.json()).toMatchObject({ code: 1000409 });
  expect((await submit(small, { 'idempotency-key': 'x'.repeat(300) })).status).toBe(400);
});

test('a picture that cannot be restored fails with its code, by job and by call', async () => {
  const garbage = Buffer.concat([Buffer.from('II*\0'), Buffer.alloc(400, 7)]);
  const call = await submit(garbage, { prefer: '' });
  expect(call.status).toBe(422);
  expect(await call.json()).toMatchObject({ code: 23101, status: 422 });
  const path = (await submit(garbage)).headers.get('location') ?? '';
  expect(await untilEnd(path)).toMatchObject({ state: 'failed', error: { code: 23101, title: 'IMAGE_DECODE_ERROR' } });
});
