import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createLogger } from '../../src/observability/logger.ts';
import { bodyOf, type TestApp, testApp } from '../support/app.ts';
import { jpeg } from '../support/pictures.ts';
import { stubRestorer } from '../support/stub-restorer.ts';

const folder = mkdtempSync(join(tmpdir(), 'mingxi-test-'));
let api: TestApp;
let lines: string[] = [];

beforeAll(async () => {
  const logger = createLogger('debug', { write: (line: string) => void lines.push(line) });
  api = await testApp(folder, {}, { logger });
  await api.listen();
});
afterAll(async () => {
  await api.app.close();
  rmSync(folder, { recursive: true, force: true });
});

const get = (url: string) => api.app.server.inject(url);
const logged = () => lines.map((line) => JSON.parse(line) as Record<string, unknown>);

describe('health', () => {
  test('alive and ready, with the version, without a key', async () => {
    expect((await get('/livez')).json()).toMatchObject({ status: 'ok', version: expect.stringMatching(/^\d+\.\d+\.\d+/) });
    for (const path of ['/readyz', '/health']) {
      const answer = await get(path);
      expect([answer.statusCode, answer.json().checks]).toEqual([200, { accepting: 'ok', workers: 'ok', database: 'ok' }]);
    }
  });

  test('not ready without its database', async () => {
    const broken = await testApp(mkdtempSync(join(folder, 'broken-')), {}, { restorer: stubRestorer() });
    await broken.app.db.destroy();
    const answer = await broken.app.server.inject('/readyz');
    expect([answer.statusCode, answer.json().checks.database]).toEqual([503, 'does not answer']);
    await broken.app.close();
  });

  test('not ready without a worker', async () => {
    const restorer = stubRestorer(undefined, { children: 0 });
    const idle = await testApp(mkdtempSync(join(folder, 'idle-')), {}, { restorer });
    const answer = await idle.app.server.inject('/readyz');
    expect([answer.statusCode, answer.json().checks.workers]).toEqual([503, 'none is ready']);
    expect((await idle.app.server.inject('/livez')).statusCode).toBe(200);
    await idle.app.close();
  });
});

describe('a full disk', () => {
  test('passes: 503 with Retry-After on every surface, and a warning for the operator', async () => {
    const file = Object.assign(new Error('ENOSPC: no space left on device, write'), { code: 'ENOSPC' });
    const warnings: string[] = [];
    const full = await testApp(
      mkdtempSync(join(folder, 'full-')),
      {},
      {
        restorer: stubRestorer(() => Promise.reject(file)),
        logger: createLogger('warn', { write: (line: string) => void warnings.push(line) }),
      },
    );
    const answer = await full.app.server.inject({
      method: 'POST',
      url: `/v1/aiquality?${full.query}`,
      payload: bodyOf(await jpeg(64, 64)),
    });
    expect([answer.statusCode, answer.json().ErrorMsg, answer.headers['retry-after']]).toEqual([503, 'ALGORITHM_OVER_CONCURRENT', '5']);
    expect(answer.json().message).toMatch(/no room/);
    expect(warnings.filter((line) => line.includes('no space left on device'))).toHaveLength(1);
    await full.app.close();
  });
});

describe('connections', () => {
  test('slow senders are cut: request, headers and silence have limits above any synchronous call', () => {
    const { requestTimeout, headersTimeout, timeout } = api.app.server.server;
    expect([requestTimeout > 0, headersTimeout > 0 && headersTimeout <= 120_000]).toEqual([true, true]);
    expect(timeout).toBeGreaterThan(api.config.syncTimeout * 1000);
  });

  test('a process of role worker answers for its health and metrics, and nothing else', async () => {
    const worker = await testApp(mkdtempSync(join(folder, 'worker-')), { role: 'worker' }, { restorer: stubRestorer() });
    const url = await worker.listen();
    for (const path of ['/livez', '/readyz', '/metrics']) expect((await fetch(url + path)).status).toBe(200);
    for (const path of ['/', '/docs', '/openapi.json', '/v1/models', '/v2/restore']) expect((await fetch(url + path)).status).toBe(404);
    const call = await fetch(`${url}/v1/aiquality?${worker.query}`, { method: 'POST', body: '{}' });
    expect(call.status).toBe(404);
    await worker.app.close();
  });

  test('a process of role api is ready without children, and refuses synchronous calls while nobody works', async () => {
    const alone = await testApp(mkdtempSync(join(folder, 'api-')), { role: 'api' });
    expect((await alone.app.server.inject('/readyz')).json().checks).toEqual({ accepting: 'ok', database: 'ok' });
    const answer = await alone.post(bodyOf(await jpeg(64, 64)));
    expect([answer.statusCode, answer.json().ErrorMsg, answer.headers['retry-after']]).toEqual([503, 'ALGORITHM_OVER_CONCURRENT', '5']);
    await alone.app.close();
  });
});

describe('models', () => {
  test('networks and limits, without a key', async () => {
    const body = (await get('/v1/models')).json();
    expect(body.models.map((model: { name: string }) => model.name)).toContain(body.default);
    expect(body.limits).toMatchObject({ formats: ['jpg', 'png'], minSide: 48, maxSide: 4096, maxBytes: 2 * 1024 * 1024, maxEntries: 16 });
  });
});

describe('metrics', () => {
  /** The value of one sample line. */
  const sample = async (name: string) => {
    const line = (await get('/metrics')).body.split('\n').find((text) => text.startsWith(`${name} `));
    return line === undefined ? undefined : Number(line.split(' ').at(-1));
  };

  test('count requests, pictures, megapixels and steps', async () => {
    const ok = 'mingxi_http_requests_total{route="/v1/aiquality",method="POST",status="200"}';
    const bad = 'mingxi_http_requests_total{route="/v1/aiquality",method="POST",status="400"}';
    const failed = 'mingxi_pictures_total{outcome="IMAGE_DECODE_FORMAT_ERROR",model="none"}';
    const before = [(await sample(ok)) ?? 0, (await sample(bad)) ?? 0, (await sample(failed)) ?? 0];
    await api.post(bodyOf(await jpeg(100, 100)));
    await api.post(bodyOf(Buffer.from('no picture')));
    expect([await sample(ok), await sample(bad), await sample(failed)]).toEqual(before.map((value) => value + 1));
    const text = (await get('/metrics')).body;
    expect(text).toMatch(/mingxi_megapixels_total\{model="[^"]+"\} 0\.01/);
    expect(text).toMatch(/mingxi_step_seconds_count\{step="decode"\} [1-9]/);
    for (const name of ['mingxi_workers 1', 'mingxi_workers_running 0', 'mingxi_queue_depth 0']) expect(text).toContain(name);
    expect(text).toMatch(/mingxi_http_received_bytes_total\{route="\/v1\/aiquality"\} [1-9]/);
    expect(text).toMatch(/mingxi_http_sent_bytes_total\{route="\/v1\/aiquality"\} [1-9]/);
  });

  test('labels hold patterns, never paths', async () => {
    await get('/v1/results/abcdef.jpg');
    await get('/some/unknown/path');
    const text = (await get('/metrics')).body;
    expect(text).toContain('route="/v1/results/:file"');
    expect(text).toContain('route="unmatched"');
    expect(text).not.toMatch(/abcdef|some\/unknown/);
  });

  test('can be turned off', async () => {
    const quiet = await testApp(mkdtempSync(join(folder, 'quiet-')), { metrics: false }, { restorer: stubRestorer() });
    expect((await quiet.app.server.inject('/metrics')).statusCode).toBe(404);
    await quiet.app.close();
  });
});

describe('logs', () => {
  test('one line per request with its id, status and time; health checks stay out', async () => {
    lines = [];
    await api.post(bodyOf(await jpeg(64, 64)), { 'x-request-id': 'trace-7' });
    await get('/livez');
    const access = logged().filter((line) => line.msg === 'request');
    expect(access).toMatchObject([
      {
        level: 'info',
        request_id: 'trace-7',
        method: 'POST',
        path: '/v1/aiquality',
        status: 200,
        ms: expect.any(Number),
        key_name: 'test',
      },
    ]);
  });

  test('a refused request names its failure', async () => {
    lines = [];
    await api.post('{');
    expect(logged().find((line) => line.msg === 'request')).toMatchObject({ status: 400, failure: 'PARAM_JSON_DECODE_ERROR' });
  });

  test('no key, secret, picture or result link is ever written', async () => {
    lines = [];
    const picture = (await jpeg(64, 64)).toString('base64');
    const link = (await api.post(bodyOf(picture, { rsp_media_type: 'url' }))).json().media_info_list[0].media_data as string;
    await get(new URL(link).pathname);
    await api.post(bodyOf('not base64!', { api_secret: api.secret }));
    await get(`/unknown?${api.query}`);
    const headers = { 'x-api-key': api.key, 'x-api-secret': api.secret, authorization: `Bearer ${api.secret}` };
    await api.app.server.inject({ method: 'POST', url: '/v1/aiquality', headers, payload: JSON.stringify({ api_secret: api.secret }) });
    api.app.logger.info({ headers, url: `/v1/aiquality?${api.query}`, deep: [{ media_data: picture }] }, `called with ${api.query}`);
    api.app.logger.error(new Error(`failed for http://user:${api.secret}@host/?api_secret=${api.secret}`));
    const text = lines.join('');
    expect(lines.length).toBeGreaterThan(5);
    expect(text).not.toContain(api.secret);
    expect(text).not.toContain(picture.slice(0, 60));
    expect(text).not.toContain(link.slice(-40));
    expect(text).toContain('failed for');
  });

  test('a defect of ours: 500 without detail, everything in the log under the same id', async () => {
    const own: string[] = [];
    const logger = createLogger('info', { write: (line: string) => void own.push(line) });
    const restorer = stubRestorer(() => Promise.reject(new TypeError('secret detail of the code')));
    const faulty = await testApp(mkdtempSync(join(folder, 'faulty-')), {}, { logger, restorer });
    const answer = await faulty.post(bodyOf(await jpeg(64, 64)));
    expect([answer.statusCode, answer.json().ErrorCode, answer.json().ErrorMsg]).toEqual([500, 90099, 'GATEWAY_UNKNOWN_ERROR']);
    expect(answer.body).not.toContain('secret detail');
    const defect = own.map((line) => JSON.parse(line)).find((line) => line.msg === 'defect');
    expect(defect).toMatchObject({ level: 'error', request_id: answer.json().request_id, err: { message: 'secret detail of the code' } });
    await faulty.app.close();
  });
});
