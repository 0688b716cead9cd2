import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import sharp from 'sharp';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type TestApp, testApp } from '../../support/app.ts';
import { flatPng, jpeg, png, webp } from '../../support/pictures.ts';
import { form } from './form.ts';

const folder = mkdtempSync(join(tmpdir(), 'mingxi-test-'));
let api: TestApp;
let auth: Record<string, string>;
let source: Buffer;

beforeAll(async () => {
  api = await testApp(folder, { v2MaxPixels: 1_000_000, v2MaxFileBytes: 300_000, fetchAllow: '127.0.0.1' });
  await api.listen();
  auth = { 'x-api-key': api.key, 'x-api-secret': api.secret };
  source = await jpeg(160, 96);
});
afterAll(async () => {
  await api.app.close();
  rmSync(folder, { recursive: true, force: true });
});

const post = (payload: Buffer | string, headers: Record<string, string>, query = '') =>
  api.app.server.inject({ method: 'POST', url: `/v2/restore${query}`, payload, headers: { ...auth, ...headers } });
const raw = (picture: Buffer, type: string, headers: Record<string, string> = {}, query = '') =>
  post(picture, { 'content-type': type, ...headers }, query);
const json = (body: unknown, headers: Record<string, string> = {}) =>
  post(JSON.stringify(body), { 'content-type': 'application/json', ...headers });

describe('three ways in', () => {
  test('a form: the picture as a file, options as fields', async () => {
    const { payload, headers } = form({ strength: '0.5', quality: '80', format: 'jpg' }, { image: { bytes: source, type: 'image/jpeg' } });
    const answer = await post(payload, headers);
    expect(answer.statusCode, answer.body).toBe(200);
    expect(answer.headers['content-type']).toBe('image/jpeg');
    expect(await sharp(answer.rawPayload).metadata()).toMatchObject({ format: 'jpeg', width: 160, height: 96 });
    expect(answer.headers['server-timing']).toMatch(/dur=/);
    expect(answer.headers.etag).toMatch(/^"[0-9a-f]{64}"$/);
  });

  test('raw bytes with options in the query', async () => {
    const answer = await raw(source, 'image/jpeg', {}, '?format=webp&quality=70');
    expect(answer.statusCode, answer.body).toBe(200);
    expect(answer.headers['content-type']).toBe('image/webp');
    expect(await sharp(answer.rawPayload).metadata()).toMatchObject({ format: 'webp', width: 160, height: 96 });
  });

  test('JSON with base64, answered with JSON and a link', async () => {
    const answer = await json({ image: { base64: source.toString('base64') } }, { accept: 'application/json' });
    expect(answer.statusCode, answer.body).toBe(200);
    const job = answer.json();
    expect(job).toMatchObject({ state: 'succeeded', progress: 1, result: { mediaType: 'image/jpeg', width: 160, height: 96 } });
    expect(job.report.source).toMatchObject({ width: 160, height: 96, format: 'jpg', bytes: source.length });
    const linked = await api.app.server.inject({ url: new URL(job.result.url).pathname });
    expect(linked.rawPayload.length).toBe(job.result.bytes);
  });

  test('JSON with a link, fetched behind the address guard', async () => {
    const origin = createServer((_request, response) => response.end(source)).listen(0, '127.0.0.1');
    await once(origin, 'listening');
    const { port } = origin.address() as AddressInfo;
    const answer = await json({ image: { url: `http://127.0.0.1:${port}/a.jpg` } });
    origin.close();
    expect(answer.statusCode, answer.body).toBe(200);
    expect(answer.headers['content-type']).toBe('image/jpeg');
  });

  test('the type is known by the bytes, whatever the label says', async () => {
    const answer = await raw(source, 'image/png');
    expect(answer.headers['content-type']).toBe('image/jpeg');
  });
});

describe('formats', () => {
  test.each([
    ['PNG', () => png(96, 64), 'image/png'],
    ['WebP', () => webp(96, 64), 'image/webp'],
    [
      'AVIF',
      async () =>
        sharp(await png(96, 64))
          .avif()
          .toBuffer(),
      'image/webp',
    ],
    [
      'TIFF',
      async () =>
        sharp(await png(96, 64))
          .tiff()
          .toBuffer(),
      'image/png',
    ],
  ])('%s comes in and goes out in the nearest format that is written', async (_name, make, type) => {
    const answer = await raw(await make(), 'application/octet-stream');
    expect(answer.statusCode, answer.body).toBe(200);
    expect(answer.headers['content-type']).toBe(type);
    expect(await sharp(answer.rawPayload).metadata()).toMatchObject({ width: 96, height: 64 });
  });

  test.each([
    ['image/png', 'image/png'],
    ['image/webp;q=0.9, image/jpeg;q=0.5', 'image/webp'],
    ['text/html, image/*', 'image/jpeg'],
    ['*/*', 'image/jpeg'],
  ])('Accept %s is answered as %s', async (accept, type) => {
    expect((await raw(source, 'image/jpeg', { accept })).headers['content-type']).toBe(type);
  });

  test('an explicit format wins over Accept', async () => {
    expect((await raw(source, 'image/jpeg', { accept: 'image/png' }, '?format=webp')).headers['content-type']).toBe('image/webp');
  });
});

describe('refusals are problem+json with the code of the family', () => {
  const cases: [string, () => ReturnType<typeof post>, number, number, RegExp][] = [
    [
      'no key',
      async () => api.app.server.inject({ method: 'POST', url: '/v2/restore', payload: source, headers: { 'content-type': 'image/jpeg' } }),
      401,
      90002,
      /missing/,
    ],
    ['wrong secret', () => raw(source, 'image/jpeg', { 'x-api-secret': 'no' }), 401, 90002, /wrong/],
    ['no picture', () => raw(Buffer.from('hello, this is text'), 'image/jpeg'), 415, 23102, /19 bytes/],
    ['damaged picture', async () => raw((await jpeg(160, 96)).subarray(0, 100), 'image/jpeg'), 422, 23101, /damaged|cut off/],
    ['too small', async () => raw(await flatPng(40, 90), 'image/png'), 422, 23103, /40×90.*48/],
    ['too many pixels', async () => raw(await flatPng(1200, 1200), 'image/png'), 422, 20013, /1440000.*1000000/],
    ['file too large', async () => raw(await jpeg(900, 900, { noise: 250, quality: 100 }), 'image/jpeg'), 413, 20015, /300000/],
    ['empty', () => raw(Buffer.alloc(0), 'image/jpeg'), 400, 21102, /0 bytes/],
    ['no JSON', () => post('{oops', { 'content-type': 'application/json' }), 400, 21105, /JSON/],
    ['JSON without a picture', () => json({ image: {} }), 400, 21102, /exactly one/],
    ['JSON with both', () => json({ image: { url: 'http://a.b/', base64: 'aaaa' } }), 400, 21102, /exactly one/],
    ['bad base64', () => json({ image: { base64: '!!!' } }), 400, 90013, /base64/i],
    ['link to a private address', () => json({ image: { url: 'http://10.0.0.1/x.jpg' } }), 422, 21202, /./],
    ['link that is none', () => json({ image: { url: 'file:///etc/passwd' } }), 422, 21202, /./],
    ['strength out of range', () => raw(source, 'image/jpeg', {}, '?strength=3'), 400, 21104, /strength.*0 to 1.*3/],
    ['unknown option', () => raw(source, 'image/jpeg', {}, '?sharpness=1'), 400, 21104, /sharpness/],
    ['unknown network', () => raw(source, 'image/jpeg', {}, '?model=nope'), 400, 21104, /nope/],
    ['scale nobody offers', () => raw(source, 'image/jpeg', {}, '?scale=4'), 400, 21104, /4/],
    ['unknown content type', () => post('a,b', { 'content-type': 'text/csv' }), 400, 21103, /text\/csv/],
    ['nothing acceptable', () => raw(source, 'image/jpeg', { accept: 'video/mp4' }), 406, 1000406, /image\/jpeg/],
    ['other method', () => api.app.server.inject({ method: 'PUT', url: '/v2/restore', headers: auth }), 405, 1000405, /POST/],
  ];
  test.each(cases)('%s', async (_name, ask, status, code, detail) => {
    const answer = await ask();
    expect(answer.headers['content-type']).toBe('application/problem+json; charset=utf-8');
    expect(answer.statusCode, answer.body).toBe(status);
    const problem = answer.json();
    expect(problem).toMatchObject({
      status,
      code,
      title: expect.stringMatching(/^[A-Z0-9_]+$/),
      type: expect.stringMatching(/^urn:mingxi:error:/),
    });
    expect(problem.detail).toMatch(detail);
    expect(problem.request_id).toBe(answer.headers['x-request-id']);
    expect(answer.body).not.toContain(folder);
  });

  test('a form without a file, with two files, with a file too large', async () => {
    const without = form({ strength: '1' }, {});
    expect((await post(without.payload, without.headers)).json()).toMatchObject({ code: 21102 });
    const two = form({}, { image: { bytes: source, type: 'image/jpeg' }, other: { bytes: source, type: 'image/jpeg' } });
    expect((await post(two.payload, two.headers)).json()).toMatchObject({ code: 21104 });
    const large = form({}, { image: { bytes: Buffer.alloc(400_000), type: 'image/jpeg' } });
    expect((await post(large.payload, large.headers)).json()).toMatchObject({ code: 20015, status: 413 });
  });
});

test('a path that does not exist under /v2, and one elsewhere', async () => {
  const answer = await api.app.server.inject({ url: '/v2/nothing?api_key=secret' });
  expect(answer.statusCode).toBe(404);
  expect(answer.headers['content-type']).toBe('application/problem+json; charset=utf-8');
  expect(answer.json()).toMatchObject({
    code: 1000404,
    detail: 'There is no GET /v2/nothing.',
    error_code: 1000404,
    message: 'no route found',
  });
  expect((await api.app.server.inject({ url: '/nothing' })).json()).toEqual({ error_code: 1000404, message: 'no route found' });
});

test('bearer token of key and secret', async () => {
  const answer = await api.app.server.inject({
    method: 'POST',
    url: '/v2/restore',
    payload: source,
    headers: { 'content-type': 'image/jpeg', authorization: `Bearer ${api.key}.${api.secret}` },
  });
  expect(answer.statusCode).toBe(200);
});

test('a key for another interface may not use this one', async () => {
  const other = await api.newKey({ scopes: ['aiquality'] });
  const answer = await raw(source, 'image/jpeg', { 'x-api-key': other.id, 'x-api-secret': other.secret });
  expect(answer.json()).toMatchObject({ status: 403, code: 90003 });
});

test('strength 0 gives the source back, full strength does not', async () => {
  const lossless = await png(160, 96);
  const pixels = (file: Buffer) => sharp(file).removeAlpha().raw().toBuffer();
  const untouched = await raw(lossless, 'image/png', {}, '?strength=0');
  expect(Buffer.compare(await pixels(untouched.rawPayload), await pixels(lossless))).toBe(0);
  const restored = await raw(lossless, 'image/png');
  expect(Buffer.compare(await pixels(restored.rawPayload), await pixels(lossless))).not.toBe(0);
});
