import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { bodyOf, type TestApp, testApp } from '../support/app.ts';
import { jpeg } from '../support/pictures.ts';

const folder = mkdtempSync(join(tmpdir(), 'mingxi-test-'));
let api: TestApp;
let path: string;
let whole: Buffer;

beforeAll(async () => {
  api = await testApp(folder);
  const answer = await api.post(bodyOf(await jpeg(64, 64), { rsp_media_type: 'url' }), { host: 'pictures.example:8443' });
  path = new URL(answer.json().media_info_list[0].media_data).pathname;
  whole = (await api.app.server.inject(path)).rawPayload;
});
afterAll(async () => {
  await api.app.close();
  rmSync(folder, { recursive: true, force: true });
});

const get = (headers: Record<string, string> = {}, url = path) => api.app.server.inject({ url, headers });

describe('a result', () => {
  test('has a type, a length, a validator and safe headers', async () => {
    const { headers, statusCode } = await get();
    expect(statusCode).toBe(200);
    expect(headers).toMatchObject({
      'content-type': 'image/jpeg',
      'content-length': String(whole.length),
      'x-content-type-options': 'nosniff',
      'accept-ranges': 'bytes',
      'content-security-policy': "default-src 'none'; sandbox",
    });
    expect(headers.etag).toMatch(/^"[0-9a-f]{64}"$/);
    expect(headers['cache-control']).toMatch(/^private, max-age=8\d{4}, immutable$/);
    expect(headers['content-disposition']).toMatch(/^inline; filename="mingxi-[0-9a-f]{8}\.jpg"$/);
  });

  test('HEAD answers the same without a body', async () => {
    const answer = await api.app.server.inject({ method: 'HEAD', url: path });
    expect([answer.statusCode, answer.headers['content-length'], answer.body]).toEqual([200, String(whole.length), '']);
  });

  test('If-None-Match with its tag: 304, with another: 200', async () => {
    const etag = String((await get()).headers.etag);
    for (const value of [etag, `W/${etag}`, `"other", ${etag}`, '*']) {
      const answer = await get({ 'if-none-match': value });
      expect([answer.statusCode, answer.body, answer.headers.etag]).toEqual([304, '', etag]);
    }
    for (const value of ['"other"', etag.slice(1, -1), '']) expect((await get({ 'if-none-match': value })).statusCode).toBe(200);
  });

  test.each([
    ['bytes=0-9', 0, 9],
    ['bytes=10-', 10, undefined],
    ['bytes=-7', -7, undefined],
    ['bytes=5-99999999', 5, undefined],
    ['bytes=-99999999', 0, undefined],
  ])('range %s', async (range, from, to) => {
    const answer = await get({ range });
    const expected = whole.subarray(from < 0 ? whole.length + from : from, to === undefined ? undefined : to + 1);
    expect(answer.statusCode).toBe(206);
    expect(answer.rawPayload.equals(expected)).toBe(true);
    expect(answer.headers['content-length']).toBe(String(expected.length));
    const start = whole.length - (from < 0 ? -from : whole.length - from);
    expect(answer.headers['content-range']).toBe(`bytes ${start}-${start + expected.length - 1}/${whole.length}`);
  });

  test.each(['bytes=99999999-', 'bytes=-0'])('range %s cannot be satisfied', async (range) => {
    const answer = await get({ range });
    expect([answer.statusCode, answer.headers['content-range']]).toEqual([416, `bytes */${whole.length}`]);
  });

  test.each(['bytes=0-1,5-6', 'pages=1-2', 'bytes=9-3', 'bytes=-', 'bytes=a-b'])('range %s means the whole', async (range) => {
    const answer = await get({ range });
    expect([answer.statusCode, answer.rawPayload.length]).toEqual([200, whole.length]);
  });

  test('If-Range with another tag means the whole', async () => {
    expect((await get({ range: 'bytes=0-1', 'if-range': '"other"' })).statusCode).toBe(200);
    expect((await get({ range: 'bytes=0-1', 'if-range': String((await get()).headers.etag) })).statusCode).toBe(206);
  });

  test('another id, another extension, no extension, a longer path: not found, without a hint which', async () => {
    const id = path.slice('/v1/results/'.length, -'.jpg'.length);
    const wrong = [
      `${id.slice(0, -1)}${id.endsWith('0') ? '1' : '0'}.jpg`,
      `${id}.png`,
      id,
      `${id}.jpg.exe`,
      `../results/${id}.jpg/x`,
      '.jpg',
      '%2e%2e%2f.jpg',
    ];
    for (const file of wrong.filter((name) => name !== `${id}.jpg.exe`)) {
      const answer = await get({}, `/v1/results/${file}`);
      expect([file, answer.statusCode, answer.json()]).toEqual([file, 404, { error_code: 1000404, message: 'no route found' }]);
    }
  });

  test('other methods are refused', async () => {
    expect((await api.app.server.inject({ method: 'DELETE', url: path })).statusCode).toBe(405);
  });

  test('it is gone after its time, the sweep removes the file', async () => {
    const short = await testApp(mkdtempSync(join(folder, 'short-')), { resultHours: 0.01 });
    const answer = await short.post(bodyOf(await jpeg(64, 64), { rsp_media_type: 'url' }));
    const link = new URL(answer.json().media_info_list[0].media_data).pathname;
    expect((await short.app.server.inject(link)).headers['cache-control']).toMatch(/max-age=3[0-6],/);
    const id = link.slice('/v1/results/'.length, -'.jpg'.length);
    let listed = 0;
    for await (const expired of short.app.storage.expired(Date.now() + 60_000)) if (expired === id) listed++;
    expect(listed).toBe(1);
    await short.app.storage.delete(id);
    expect((await short.app.server.inject(link)).statusCode).toBe(404);
    await short.app.close();
  });
});

describe('the base of links', () => {
  const linkFor = async (headers: Record<string, string>, own: TestApp = api) => {
    const answer = await own.post(bodyOf(await jpeg(64, 64), { rsp_media_type: 'url' }), headers);
    return String(answer.json().media_info_list[0].media_data);
  };

  test("is the request's own host, IPv6 too", async () => {
    expect(await linkFor({ host: 'pictures.example:8443' })).toMatch(/^http:\/\/pictures\.example:8443\/v1\/results\//);
    expect(await linkFor({ host: '[::1]:8080' })).toMatch(/^http:\/\/\[::1\]:8080\/v1\/results\//);
  });

  test.each(['evil.example/path', 'a b', 'user@evil.example', '"><script>', 'a.example:99x'])(
    'never carries a host that is none: %s',
    async (host) => {
      const link = await linkFor({ host });
      expect(new URL(link).hostname).toBe('127.0.0.1');
      expect(link).toMatch(/^http:\/\/127\.0\.0\.1:\d+\/v1\/results\/[0-9a-f]+\.jpg$/);
    },
  );

  test('X-Forwarded-* count only behind a trusted proxy', async () => {
    const headers = { host: 'inner:1', 'x-forwarded-host': 'img.example', 'x-forwarded-proto': 'https' };
    expect(await linkFor(headers)).toMatch(/^http:\/\/inner:1\//);
    const trusting = await testApp(mkdtempSync(join(folder, 'trusting-')), { trustProxy: true });
    expect(await linkFor(headers, trusting)).toMatch(/^https:\/\/img\.example\//);
    await trusting.app.close();
  });
});
