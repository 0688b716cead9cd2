import { existsSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { request as httpRequest } from 'node:http';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import type { AppParts } from '../../src/app.ts';
import { createLogger } from '../../src/observability/logger.ts';
import { bodyOf, type TestApp, testApp } from '../support/app.ts';
import { httpServer } from '../support/http-server.ts';
import { jpeg } from '../support/pictures.ts';

/**
 * Time, load, going away and shutting down, with the real pool: one child process, a picture that
 * takes it seconds, and conditions waited for rather than times measured.
 */
const folder = mkdtempSync(join(tmpdir(), 'mingxi-test-'));
const open: TestApp[] = [];
/** Seconds of computing: for what is stopped before its end. */
let large: string;
/** A second or so: for what is waited for. */
let medium: string;
let small: string;

beforeAll(async () => {
  large = JSON.stringify(bodyOf(await jpeg(3500, 3500, { noise: 60, quality: 20 }), {}));
  medium = JSON.stringify(bodyOf(await jpeg(1200, 1200, { noise: 60, quality: 20 }), {}));
  small = JSON.stringify(bodyOf(await jpeg(64, 64)));
});
afterEach(async () => {
  await Promise.all(open.splice(0).map((api) => api.app.close()));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

async function startApp(overrides: Record<string, unknown>, parts: AppParts = {}): Promise<TestApp & { url: string }> {
  const api = await testApp(mkdtempSync(join(folder, 'app-')), overrides, parts);
  open.push(api);
  return { ...api, url: await api.listen() };
}

async function metricsOf(api: TestApp): Promise<string> {
  return (await api.app.server.inject('/metrics')).body;
}

async function until(what: string, condition: () => boolean): Promise<void> {
  const end = Date.now() + 30_000;
  while (!condition()) {
    if (Date.now() > end) throw new Error(`waited in vain until ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}

const spooled = (api: TestApp) => (existsSync(join(api.config.data, 'spool')) ? readdirSync(join(api.config.data, 'spool')) : []);

describe('time', () => {
  test('a picture that takes longer than the synchronous time: 504, and the child goes on with the next', async () => {
    const api = await startApp({ syncTimeout: 1 });
    const answer = await api.post(large);
    expect([answer.statusCode, answer.json().ErrorMsg, answer.json().ErrorCode]).toEqual([504, 'GATEWAY_TIMEOUT', 90009]);
    await until('a child is there again', () => api.app.restorer.stats().children > 0);
    expect(spooled(api)).toEqual([]);
    await until('a small picture passes', () => api.app.restorer.stats().running === 0);
  });

  test('a link may not use up more than the synchronous time', async () => {
    const silent = await httpServer(() => undefined);
    const api = await startApp({ syncTimeout: 1, fetchTimeout: 60, fetchAllow: '127.0.0.1' });
    const answer = await api.post(bodyOf(`${silent.base}/a.jpg`, {}, 'url'));
    expect([answer.statusCode, answer.json().ErrorMsg]).toEqual([400, 'DOWNLOAD_TIMEOUT_ERROR']);
    await silent.close();
  });
});

describe('a child process that dies', () => {
  test('fails its own picture alone: 20001, and the next is restored by another child', async () => {
    const events: { type?: string; pid?: number }[] = [];
    const logger = createLogger('debug', { write: (line: string) => void events.push(JSON.parse(line)) });
    const api = await startApp({ syncTimeout: 60 }, { logger });
    const pid = events.find((event) => event.type === 'child-ready')?.pid;
    const answer = api.post(large);
    await until('it runs', () => api.app.restorer.stats().running === 1);
    process.kill(pid ?? Number.NaN, 'SIGKILL');
    const { statusCode, body } = await answer;
    expect([statusCode, JSON.parse(body).ErrorCode, JSON.parse(body).ErrorMsg]).toEqual([400, 20001, 'PROCESS_ERROR']);
    expect(spooled(api)).toEqual([]);
    expect((await api.post(small)).statusCode).toBe(200);
    expect(api.app.restorer.stats().restarts).toBe(1);
  });
});

describe('load', () => {
  test('a full queue refuses at once, with Retry-After', async () => {
    const api = await startApp({ queueLimit: 0, syncTimeout: 60 });
    const first = api.post(medium);
    await until('the first runs', () => api.app.restorer.stats().running === 1);
    const answer = await api.post(small);
    expect([answer.statusCode, answer.json().ErrorMsg, answer.json().ErrorCode]).toEqual([503, 'ALGORITHM_OVER_CONCURRENT', 29904]);
    expect(Number(answer.headers['retry-after'])).toBeGreaterThanOrEqual(1);
    expect(api.app.restorer.stats().running).toBe(1);
    expect((await first).statusCode).toBe(200);
    expect((await api.post(small)).statusCode).toBe(200);
  });

  test('a full queue refuses before the body is sent, and the connection stays usable', async () => {
    const api = await startApp({ queueLimit: 0, syncTimeout: 60 });
    const first = api.post(medium);
    await until('the first runs', () => api.app.restorer.stats().running === 1);
    const { hostname, port } = new URL(api.url);
    const head = `POST /v1/aiquality?${api.query} HTTP/1.1\r\nHost: a\r\nContent-Length: ${small.length}\r\n\r\n`;
    let seen = '';
    const socket = connect(Number(port), hostname, () => socket.write(head));
    socket.on('data', (chunk) => {
      seen += chunk;
    });
    await until('the refusal is there', () => seen.includes('ALGORITHM_OVER_CONCURRENT'));
    expect(seen).toMatch(/^HTTP\/1\.1 503 /);
    expect(seen).toMatch(/^retry-after: [1-9]\d*\r$/im);
    expect(api.app.restorer.stats()).toMatchObject({ running: 1, waiting: 0 });
    expect((await first).statusCode).toBe(200);
    // What the client had begun to send is read and dropped; then comes the next call.
    socket.write(small + head + small);
    await until('the next call is answered', () => seen.includes('HTTP/1.1 200 '));
    socket.destroy();
    expect(await metricsOf(api)).toMatch(/^mingxi_pictures_total\{outcome="ALGORITHM_OVER_CONCURRENT",model="none"\} 1$/m);
  });

  test('a full queue tells a stranger nothing, and refuses a key that is in the body after it', async () => {
    const api = await startApp({ queueLimit: 0, syncTimeout: 60 });
    const first = api.post(medium);
    await until('the first runs', () => api.app.restorer.stats().running === 1);
    const post = (url: string, payload: object | string) => api.app.server.inject({ method: 'POST', url, payload });
    expect((await post('/v1/aiquality?api_key=mx1&api_secret=no', small)).json().ErrorMsg).toBe('GATEWAY_AUTHORIZED_ERROR');
    const keys = Object.fromEntries(new URLSearchParams(api.query));
    const answer = await post('/v1/aiquality', { ...JSON.parse(small), ...keys });
    expect([answer.statusCode, answer.json().ErrorMsg]).toEqual([503, 'ALGORITHM_OVER_CONCURRENT']);
    // Jobs need not be done at once.
    expect((await post(`/v1/aiquality_async?${api.query}`, small)).statusCode).toBe(200);
    expect((await first).statusCode).toBe(200);
  });

  test('/v2: refused at once behind jobs that take too long, but not who would also take a 202', async () => {
    const api = await startApp({ syncTimeout: 10, drainTimeout: 0 });
    const picture = await jpeg(3500, 3500, { noise: 60, quality: 20 });
    const post = (headers: Record<string, string>) =>
      api.app.server.inject({
        method: 'POST',
        url: '/v2/restore',
        headers: { 'x-api-key': api.key, 'x-api-secret': api.secret, 'content-type': 'image/jpeg', ...headers },
        payload: picture,
      });
    for (let i = 0; i < 4; i++) expect((await post({ prefer: 'respond-async' })).statusCode).toBe(202);
    const began = performance.now();
    const answer = await post({});
    expect([answer.statusCode, answer.json().code]).toEqual([503, 29904]);
    expect(answer.headers['content-type']).toMatch(/^application\/problem\+json/);
    expect(Number(answer.headers['retry-after'])).toBeGreaterThanOrEqual(1);
    expect(performance.now() - began).toBeLessThan(10_000);
    expect((await post({ prefer: 'wait=1' })).statusCode).toBe(202);
  });

  test('more calls at once than children are all answered, each with its own picture', async () => {
    const api = await startApp({ syncTimeout: 60 });
    const sizes = Array.from({ length: 12 }, (_, i) => 50 + i);
    const answers = await Promise.all(sizes.map(async (size) => api.post(bodyOf(await jpeg(size, 50), { report: true }))));
    expect(answers.map((answer) => answer.json().media_info_list[0].media_extra.report.source.width)).toEqual(sizes);
  });

  test('the event loop stays free while a child computes', async () => {
    const api = await startApp({ syncTimeout: 60 });
    const running = api.post(medium);
    await until('it runs', () => api.app.restorer.stats().running === 1);
    expect((await api.app.server.inject('/livez')).statusCode).toBe(200);
    expect(api.app.restorer.stats().running).toBe(1);
    expect((await running).statusCode).toBe(200);
  });
});

describe('a client that goes away', () => {
  /** Posts over a real socket and answers a function that cuts the connection. */
  function postAndLeave(api: TestApp & { url: string }, body: string): () => void {
    const url = new URL(`/v1/aiquality?${api.query}`, api.url);
    const request = httpRequest(url, { method: 'POST', headers: { 'content-type': 'application/json' } });
    request.on('error', () => undefined);
    request.end(body);
    return () => request.destroy();
  }

  test('while its picture is computed: the computing stops and the child is free', async () => {
    const api = await startApp({ syncTimeout: 120 });
    const leave = postAndLeave(api, large);
    await until('it runs', () => api.app.restorer.stats().running === 1);
    leave();
    await until('nothing runs', () => api.app.restorer.stats().running === 0);
    expect(api.app.restorer.stats().finished).toBe(0);
    await until('the spool is empty', () => spooled(api).length === 0);
    expect((await api.post(small)).statusCode).toBe(200);
  });

  test('while it waits: its place in the queue is free at once', async () => {
    const api = await startApp({ syncTimeout: 120, queueLimit: 1 });
    const leaveFirst = postAndLeave(api, large);
    await until('the first runs', () => api.app.restorer.stats().running === 1);
    const leaveSecond = postAndLeave(api, large);
    await until('the second waits', () => api.app.restorer.stats().waiting === 1);
    leaveSecond();
    await until('nobody waits', () => api.app.restorer.stats().waiting === 0);
    expect(api.app.restorer.stats().running).toBe(1);
    leaveFirst();
    await until('nothing runs', () => api.app.restorer.stats().running === 0);
  });

  test('its picture is not charged', async () => {
    const api = await startApp({ syncTimeout: 120 });
    const { query } = await api.newKey({ dailyLimit: 1 });
    const leave = postAndLeave({ ...api, query }, large);
    await until('it runs', () => api.app.restorer.stats().running === 1);
    leave();
    await until('the spool is empty', () => spooled(api).length === 0);
    const answer = await api.app.server.inject({ method: 'POST', url: `/v1/aiquality?${query}`, payload: small });
    expect(answer.statusCode).toBe(200);
  });

  test('while its link is downloaded: the download ends', async () => {
    let closed = 0;
    const slow = await httpServer((_request, response) => {
      response.on('close', () => closed++);
    });
    const api = await startApp({ syncTimeout: 120, fetchTimeout: 120, fetchAllow: '127.0.0.1' });
    const leave = postAndLeave(api, JSON.stringify(bodyOf(`${slow.base}/a.jpg`, {}, 'url')));
    await until('the spool holds it', () => spooled(api).length === 1);
    await new Promise((resolve) => setTimeout(resolve, 100));
    leave();
    await until('the download has ended', () => closed === 1);
    await until('the spool is empty', () => spooled(api).length === 0);
    await slow.close();
  });

  test('in the middle of its body: nothing is left behind', async () => {
    const api = await startApp({});
    const { hostname, port } = new URL(api.url);
    const socket = connect(Number(port), hostname, () => {
      socket.write(`POST /v1/aiquality?${api.query} HTTP/1.1\r\nHost: a\r\nContent-Length: 100000\r\n\r\n{"half":`);
      setTimeout(() => socket.destroy(), 50);
    });
    await new Promise((resolve) => socket.on('close', resolve));
    expect((await api.post(small)).statusCode).toBe(200);
  });
});

describe('shutting down', () => {
  test('draining: not ready, new work refused with Retry-After, results still served, running work finished', async () => {
    const api = await startApp({ syncTimeout: 60, drainTimeout: 60 });
    const link = new URL((await api.post(bodyOf(await jpeg(64, 64), { rsp_media_type: 'url' }))).json().media_info_list[0].media_data)
      .pathname;
    const running = api.post(medium);
    await until('it runs', () => api.app.restorer.stats().running === 1);
    api.app.drain();
    const ready = await api.app.server.inject('/readyz');
    expect([ready.statusCode, ready.json().checks.accepting]).toEqual([503, 'draining']);
    expect((await api.app.server.inject('/livez')).statusCode).toBe(200);
    const served = await api.app.server.inject(link);
    // Nobody may keep a connection that closing would wait for.
    expect([served.statusCode, served.headers.connection]).toEqual([200, 'close']);
    const refused = await api.post(small);
    expect([refused.statusCode, refused.json().ErrorMsg]).toEqual([503, 'ALGORITHM_OVER_CONCURRENT']);
    expect(refused.headers['retry-after']).toBeTruthy();
    expect(api.app.restorer.stats().running).toBe(1);
    expect((await running).statusCode).toBe(200);
  });

  test('close waits for running work, then nothing listens', async () => {
    const api = await startApp({ syncTimeout: 60, drainTimeout: 60 });
    const running = fetch(`${api.url}/v1/aiquality?${api.query}`, { method: 'POST', body: medium });
    await until('it runs', () => api.app.restorer.stats().running === 1);
    await Promise.all([api.app.close(), api.app.close()]);
    const answer = await running;
    expect([answer.status, ((await answer.json()) as { parameter: unknown }).parameter]).toEqual([
      200,
      { rsp_media_type: 'jpg', version: '1.0.1' },
    ]);
    await expect(fetch(`${api.url}/livez`)).rejects.toThrow();
  });

  test('what takes longer than the drain time is refused, not left hanging', async () => {
    const api = await startApp({ syncTimeout: 60, drainTimeout: 0 });
    const running = fetch(`${api.url}/v1/aiquality?${api.query}`, { method: 'POST', body: large });
    await until('it runs', () => api.app.restorer.stats().running === 1);
    await api.app.close();
    const answer = await running;
    expect([answer.status, ((await answer.json()) as { ErrorMsg: string }).ErrorMsg]).toEqual([503, 'ALGORITHM_OVER_CONCURRENT']);
    expect(spooled(api)).toEqual([]);
  });

  test('files and keys of one run are there in the next', async () => {
    const first = await startApp({});
    const link = new URL((await first.post(bodyOf(await jpeg(64, 64), { rsp_media_type: 'url' }))).json().media_info_list[0].media_data)
      .pathname;
    await first.app.close();
    const second = await testApp(first.config.data);
    open.push(second);
    expect((await second.app.server.inject(link)).statusCode).toBe(200);
    const answer = await second.app.server.inject({ method: 'POST', url: `/v1/aiquality?${first.query}`, payload: small });
    expect(answer.statusCode).toBe(200);
  });
});
