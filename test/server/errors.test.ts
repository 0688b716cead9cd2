import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { LightMyRequestResponse } from 'fastify';
import sharp from 'sharp';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { ERRORS, type ErrorName } from '../../src/errors.ts';
import { bodyOf, type TestApp, testApp } from '../support/app.ts';
import { httpServer, type TestServer } from '../support/http-server.ts';
import { flatPng, jpeg, webp } from '../support/pictures.ts';

/** Every row of api.md §3 that a synchronous call can meet. Time and load have admission.test.ts. */
const folder = mkdtempSync(join(tmpdir(), 'mingxi-test-'));
let api: TestApp;
let files: TestServer;
let base: string;
let picture: Buffer;

beforeAll(async () => {
  picture = await jpeg(64, 64);
  files = await httpServer((request, response) => {
    const status = Number(request.url?.slice(1));
    if (status === 0) return; // never answers
    response.writeHead(status, status === 302 ? { location: 'file:///etc/passwd' } : {}).end(picture);
  });
  base = files.base;
  api = await testApp(folder, { fetchAllow: '127.0.0.1', fetchTimeout: 1, bodyLimit: 4 * 1024 * 1024 });
});
afterAll(async () => {
  await api.app.close();
  await files.close();
  rmSync(folder, { recursive: true, force: true });
});

/** The whole failure: status, type, form, and a message that tells a stranger something. */
function expectFailure(answer: LightMyRequestResponse, kind: ErrorName): string {
  const { code, status } = ERRORS[kind];
  expect([answer.json().ErrorMsg, answer.json().ErrorCode, answer.statusCode]).toEqual([kind, code, status]);
  expect(answer.headers['content-type']).toBe('application/json; charset=utf-8');
  expect(Object.keys(answer.json())).toEqual(['ErrorCode', 'ErrorMsg', 'Data', 'message', 'request_id']);
  expect(answer.json().Data).toBeNull();
  expect(answer.json().request_id).toBe(answer.headers['x-request-id']);
  const message: string = answer.json().message;
  expect(message).toMatch(/^\S.{8,}\.$/s);
  // Nothing private: no path of this machine, no address, no secret, no stack.
  for (const secret of [folder, api.secret, '127.0.0.1', 'node_modules', '    at ']) expect(message).not.toContain(secret);
  return message;
}

const post = (payload: string | object, query = api.query, headers = {}) =>
  api.app.server.inject({
    method: 'POST',
    url: `/v1/aiquality?${query}`,
    headers,
    payload: typeof payload === 'string' ? payload : JSON.stringify(payload),
  });

describe('keys', () => {
  const refused = async (query: string) => expectFailure(await post(bodyOf(picture), query), 'GATEWAY_AUTHORIZED_ERROR');

  test('none', () => refused(''));
  test('without a secret', () => refused(`api_key=${api.key}`));
  test('without a key', () => refused(`api_secret=${api.secret}`));
  test('unknown', () => refused(`api_key=nobody&api_secret=${api.secret}`));
  test('wrong secret', () => refused(`api_key=${api.key}&api_secret=wrong`));
  test('empty', () => refused('api_key=&api_secret='));
  test('two different ones', () => refused(`${api.query}&api_key=other`));
  test('as objects', () => refused(`api_key[a]=${api.key}&api_secret[a]=${api.secret}`));
  test('endless', () => refused(`api_key=${'a'.repeat(5000)}&api_secret=b`));
  test('revoked', async () => {
    const key = await api.newKey();
    await api.app.keys.revoke(key.id);
    await refused(key.query);
  });
  test('disabled, until it is enabled again', async () => {
    const key = await api.newKey();
    await api.app.keys.disable(key.id);
    await refused(key.query);
    await api.app.keys.enable(key.id);
    expect((await post(bodyOf(picture), key.query)).statusCode).toBe(200);
  });
  test('expired', async () => refused((await api.newKey({ expiresAt: Date.now() - 1 })).query));
  test("another key's secret", async () => refused(`api_key=${api.key}&api_secret=${(await api.newKey()).secret}`));
  test('wrong in the body', async () => {
    expectFailure(await post({ ...bodyOf(picture), api_key: api.key, api_secret: 'wrong' }, ''), 'GATEWAY_AUTHORIZED_ERROR');
  });
  test('the words are the same for an unknown key and a wrong secret', async () => {
    expect(await refused(`api_key=nobody&api_secret=x`)).toBe(await refused(`api_key=${api.key}&api_secret=x`));
  });

  test('not for this interface', async () => {
    const { query } = await api.newKey({ scopes: ['somethingelse'] });
    expect(expectFailure(await post(bodyOf(picture), query), 'GATEWAY_AUTHORIZED_NOT_MATCH')).toContain('aiquality');
  });
  test('for this interface alone', async () => {
    const { query } = await api.newKey({ scopes: ['aiquality'] });
    expect((await post(bodyOf(picture), query)).statusCode).toBe(200);
  });

  test('too many calls per second', async () => {
    const { query } = await api.newKey({ qps: 0.01 });
    expect((await post(bodyOf(picture), query)).statusCode).toBe(200);
    const answer = await post(bodyOf(picture), query);
    expect(expectFailure(answer, 'GATEWAY_QPS_LIMIT')).toContain('0.01');
    expect(Number(answer.headers['retry-after'])).toBeGreaterThan(1);
    expect((await post(bodyOf(picture))).statusCode).toBe(200);
  });

  test('quota used up', async () => {
    const { query } = await api.newKey({ dailyLimit: 1 });
    expect((await post(bodyOf(picture), query)).statusCode).toBe(200);
    expectFailure(await post(bodyOf(picture), query), 'RIGHTS_LIMIT_EXCEEDED');
  });

  test('a failed picture is not taken from the quota', async () => {
    const { query } = await api.newKey({ dailyLimit: 1 });
    expectFailure(await post(bodyOf(await jpeg(40, 40)), query), 'IMAGE_DECODE_SIZE_ERROR');
    expect((await post(bodyOf(picture), query)).statusCode).toBe(200);
  });
});

describe('body and fields', () => {
  test.each(['', '   ', '{', 'null', '[]', '"text"', '5', 'true', '{"a":1,}', "{'a':1}", '<xml/>', '{"a":1}{"b":2}', '\u0000'])(
    'no JSON object: %j',
    async (body) => {
      expectFailure(await post(body), 'PARAM_JSON_DECODE_ERROR');
    },
  );
  test('deeply nested JSON', async () => {
    const answer = await post(`${'{"a":'.repeat(100_000)}1${'}'.repeat(100_000)}`);
    expect([21102, 21105]).toContain(answer.json().ErrorCode);
  });

  const good = () => bodyOf(picture);
  const data = (value: unknown) => ({ media_info_list: [{ media_data: value }], parameter: {} });

  test.each([
    ['empty object', () => ({})],
    ['no list', () => ({ parameter: {} })],
    ['list null', () => ({ ...good(), media_info_list: null })],
    ['list empty', () => ({ ...good(), media_info_list: [] })],
    ['entry null', () => ({ ...good(), media_info_list: [null] })],
    ['entry empty', () => ({ ...good(), media_info_list: [{}] })],
    ['media_data null', () => data(null)],
    ['media_data empty', () => data('')],
    ['media_data only spaces', () => data(' \n ')],
    ['no parameter', () => ({ media_info_list: good().media_info_list })],
    ['parameter null', () => ({ ...good(), parameter: null })],
    ['parameter empty text', () => ({ ...good(), parameter: '' })],
  ])('missing: %s', async (_name, body) => {
    expectFailure(await post(body()), 'PARAM_MISSING_ERROR');
  });

  test.each([
    ['list an object', () => ({ ...good(), media_info_list: { 0: good().media_info_list[0] } })],
    ['list a text', () => ({ ...good(), media_info_list: 'abc' })],
    ['list a number', () => ({ ...good(), media_info_list: 1 })],
    ['entry a text', () => ({ ...good(), media_info_list: ['abc'] })],
    ['entry an array', () => ({ ...good(), media_info_list: [[]] })],
    ['media_data a number', () => data(5)],
    ['media_data an object', () => data({ url: 'x' })],
    ['media_data an array', () => data(['x'])],
    ['media_data a boolean', () => data(true)],
    ['media_profiles a text', () => ({ media_info_list: [{ media_data: 'a', media_profiles: 'jpg' }], parameter: {} })],
    ['parameter a text', () => ({ ...good(), parameter: '{}' })],
    ['parameter a number', () => ({ ...good(), parameter: 1 })],
    ['parameter a filled array', () => ({ ...good(), parameter: [1] })],
  ])('wrong type: %s', async (_name, body) => {
    expectFailure(await post(body()), 'PARAM_TYPE_ERROR');
  });

  test('value not allowed', async () => {
    expect(expectFailure(await post(bodyOf(picture, { strength: 7 })), 'PARAM_VALUE_ERROR')).toMatch(/strength.*0 to 1.*7/);
  });

  test('a body over the transport limit', async () => {
    expect(expectFailure(await post(`{"a":"${'x'.repeat(4 * 1024 * 1024)}"}`), 'REQUEST_ENTITY_TOO_LARGE')).toContain('4194304');
  });
});

describe('pictures', () => {
  const send = async (bytes: Buffer) => post(bodyOf(bytes));

  test.each([
    '!!!!',
    'abc$def',
    '/9j/4AAQ=SkZJ',
    '图片',
    'a',
    'aaaaa',
    '====',
    'data:image/png,AAAA',
    'data:image/png;base64,',
    '%2F9j%2F4',
  ])('base64 that cannot be decoded: %j', async (text) => {
    expectFailure(await post(bodyOf(text)), 'GATEWAY_BASE64_DECODE_ERROR');
  });

  test.each([
    ['text', async () => Buffer.from('hello world, this is no picture')],
    ['one byte', async () => Buffer.from([0xff])],
    ['GIF', async () => Buffer.from('GIF89a\x10\x00\x10\x00\x00\x00\x00')],
    ['BMP', async () => Buffer.from('BM\x46\x00\x00\x00\x00\x00\x00\x00\x36\x00')],
    ['SVG', async () => Buffer.from('<svg xmlns="http://www.w3.org/2000/svg" width="99" height="99"/>')],
    ['PDF', async () => Buffer.from('%PDF-1.4\n1 0 obj')],
    ['WebP, which only /v2 takes', () => webp(64, 64)],
    [
      'TIFF, which only /v2 takes',
      async () =>
        (await sharp(await jpeg(64, 64))
          .tiff()
          .toBuffer()) as Buffer,
    ],
  ])('neither JPG nor PNG: %s', async (_name, bytes) => {
    expectFailure(await send(await bytes()), 'IMAGE_DECODE_FORMAT_ERROR');
  });

  test.each([
    ['JPEG cut in its header', async () => (await jpeg(64, 64)).subarray(0, 100)],
    ['JPEG signature alone', async () => Buffer.from([0xff, 0xd8, 0xff, 0xe0])],
    ['PNG signature alone', async () => Buffer.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a])],
    ['PNG cut in its pixels', async () => (await sharp(picture).resize(200, 200).png().toBuffer()).subarray(0, 60)],
  ])('damaged: %s', async (_name, bytes) => {
    expectFailure(await send(await bytes()), 'IMAGE_DECODE_ERROR');
  });

  test.each([
    [47, 48],
    [48, 47],
    [1, 1],
    [2000, 10],
  ])('too few pixels: %i×%i', async (width, height) => {
    expect(expectFailure(await send(await flatPng(width, height)), 'IMAGE_DECODE_SIZE_ERROR')).toMatch(
      new RegExp(`${width}.*${height}.*48`),
    );
  });
  test('48×48 is enough', async () => expect((await send(await flatPng(48, 48))).statusCode).toBe(200));

  test.each([
    [4097, 48],
    [48, 4097],
    [8000, 8000],
    [20_000, 20_000],
  ])('too many pixels: %i×%i', async (width, height) => {
    expect(expectFailure(await send(await flatPng(width, height)), 'RESOLUTION_TOO_LARGE_ERROR')).toContain('4096');
  });
  test('a header that claims 65535×65535 costs nothing', async () => {
    const claimed = Buffer.from(await flatPng(64, 64));
    claimed.writeUInt32BE(65_535, 16);
    claimed.writeUInt32BE(65_535, 20);
    expectFailure(await send(claimed), 'RESOLUTION_TOO_LARGE_ERROR');
  });
  test('4096 on a side is not too many', async () => expect((await send(await flatPng(4096, 48))).statusCode).toBe(200));

  test('a file over 2 MB, a byte less is fine', async () => {
    const limit = 2 * 1024 * 1024;
    const padded = (bytes: number) => Buffer.concat([picture, Buffer.alloc(bytes - picture.length)]);
    expect(expectFailure(await send(padded(limit + 1)), 'PICTURE_OVERRUN_ERROR')).toMatch(/2097153.*2097152/);
    expect((await send(padded(limit))).statusCode).toBe(200);
  });
});

describe('links', () => {
  const link = async (text: string) => post(bodyOf(text, {}, 'url'));

  test.each([
    'ftp://example.com/a.jpg',
    'file:///etc/passwd',
    'javascript:alert(1)',
    '/relative.jpg',
    'example.com/a.jpg',
    'http://',
    'http://user:pass@example.com/a.jpg',
    'http://10.0.0.1/a.jpg',
    'http://169.254.169.254/latest/meta-data',
    'http://[::1]/a.jpg',
    'http://127.0.0.2/a.jpg',
    'http://8.8.8.8:22/',
  ])('malformed, not http(s), or not allowed: %s', async (text) => {
    expectFailure(await link(text), 'INVALID_URL_ERROR');
  });

  test('a redirect to something not http(s)', async () => {
    expectFailure(await link(`${base}/302`), 'INVALID_URL_ERROR');
  });
  test.each([201, 204, 304, 401, 403, 404, 500, 503])('answers %i', async (status) => {
    expectFailure(await link(`${base}/${status}`), 'IMAGE_DOWNLOAD_FAILED');
  });
  test('not reachable', async () => {
    expectFailure(await link('http://127.0.0.1:1/a.jpg'), 'IMAGE_DOWNLOAD_FAILED');
  });
  test('too slow', async () => {
    expect(expectFailure(await link(`${base}/0`), 'DOWNLOAD_TIMEOUT_ERROR')).toContain('1 s');
  });
});

describe('paths and methods', () => {
  test.each(['/v1/unknown', '/v1', '/v1/aiquality/more', '/v3/aiquality', '/%00', '/%zz', '/v1/aiquality%2f'])(
    'unknown path %s',
    async (path) => {
      const answer = await api.app.server.inject({ method: 'POST', url: path, payload: '{}' });
      expect(answer.statusCode).toBe(404);
      expect(answer.json()).toEqual({ error_code: 1000404, message: 'no route found' });
      expect(answer.headers['x-request-id']).toBeTruthy();
    },
  );

  test.each(['GET', 'PUT', 'PATCH', 'DELETE'] as const)('%s is not possible', async (method) => {
    const answer = await api.app.server.inject({ method, url: '/v1/aiquality' });
    expectFailure(answer, 'METHOD_NOT_ALLOWED');
    expect(answer.headers.allow).toContain('POST');
  });
  test('HEAD is not possible, and has no body', async () => {
    const answer = await api.app.server.inject({ method: 'HEAD', url: '/v1/aiquality' });
    expect([answer.statusCode, answer.body]).toEqual([405, '']);
  });
});

describe('the order of checks', () => {
  const big = `{"a":"${'x'.repeat(4 * 1024 * 1024)}"}`;
  const codes = async (payload: string | object, query = api.query) => (await post(payload, query)).json().ErrorMsg;

  test('key before body size', async () => {
    expect(await codes(big, '')).toBe('GATEWAY_AUTHORIZED_ERROR');
    expect(await codes(big, 'api_key=a&api_secret=b')).toBe('GATEWAY_AUTHORIZED_ERROR');
  });
  test('key before JSON', async () => expect(await codes('{', '')).toBe('GATEWAY_AUTHORIZED_ERROR'));
  test('rate before body size', async () => {
    const { query } = await api.newKey({ qps: 0.01 });
    expect(await codes(big, query)).toBe('REQUEST_ENTITY_TOO_LARGE');
    expect(await codes(big, query)).toBe('GATEWAY_QPS_LIMIT');
  });
  test('JSON before fields before picture bytes before header', async () => {
    expect(await codes('{"media_info_list":')).toBe('PARAM_JSON_DECODE_ERROR');
    expect(await codes(bodyOf('????', { strength: 9 }))).toBe('PARAM_VALUE_ERROR');
    expect(await codes(bodyOf('????'))).toBe('GATEWAY_BASE64_DECODE_ERROR');
  });
  test('format before pixels before decode', async () => {
    const tinyDamaged = (await flatPng(10, 10)).subarray(0, 45);
    expect(await codes(bodyOf(tinyDamaged))).toBe('IMAGE_DECODE_SIZE_ERROR');
  });
});
