import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import type { LightMyRequestResponse } from 'fastify';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { VariableName } from '../../src/config.ts';
import { bodyOf, type TestApp, testApp } from '../support/app.ts';
import { jpeg } from '../support/pictures.ts';
import { type S3Server, s3Server } from '../support/s3-server.ts';
import { temporaryFolder } from '../support/temporary.ts';

const MAIN = join(import.meta.dirname, '../../src/cli/main.ts');
const folder = mkdtempSync(join(tmpdir(), 'mingxi-test-'));
let s3: S3Server;
let api: TestApp;
let redirecting: TestApp;

const settings = (): Partial<Record<VariableName, unknown>> => ({
  ...{ storage: 's3', s3Endpoint: s3.endpoint, s3Bucket: s3.bucket, s3PathStyle: true },
  ...{ s3AccessKey: s3.keys.accessKeyId, s3SecretKey: s3.keys.secretAccessKey, s3Timeout: 2, s3Attempts: 2 },
});
const linkOf = (answer: LightMyRequestResponse) => new URL(answer.json().media_info_list[0].media_data);
const restore = async (own: TestApp) => linkOf(await own.post(bodyOf(await jpeg(64, 64), { rsp_media_type: 'url' })));

beforeAll(async () => {
  s3 = await s3Server();
  api = await testApp(join(folder, 'proxy'), settings());
  redirecting = await testApp(join(folder, 'redirect'), { ...settings(), s3Links: 'redirect', s3PublicEndpoint: s3.endpoint });
  await api.app.start();
});
afterAll(async () => {
  s3.fail();
  await Promise.all([api.app.close(), redirecting.app.close()]);
  await s3.close();
  rmSync(folder, { recursive: true, force: true });
});

describe('results in a bucket', () => {
  test('proxied: the same headers, validator and ranges as from the disk, and nothing of the bucket', async () => {
    const { pathname, host } = await restore(api);
    expect(host).not.toBe(new URL(s3.endpoint).host);
    const get = (headers = {}) => api.app.server.inject({ url: pathname, headers });
    const whole = await get();
    expect(whole.statusCode).toBe(200);
    expect(whole.headers).toMatchObject({
      'content-type': 'image/jpeg',
      'content-length': String(whole.rawPayload.length),
      'x-content-type-options': 'nosniff',
      'content-security-policy': "default-src 'none'; sandbox",
    });
    expect(whole.headers['cache-control']).toMatch(/^private, max-age=8\d{4}, immutable$/);
    expect(Object.keys(whole.headers).filter((name) => name.startsWith('x-amz'))).toEqual([]);
    expect((await get({ 'if-none-match': whole.headers.etag })).statusCode).toBe(304);
    const part = await get({ range: 'bytes=10-19' });
    expect([part.statusCode, part.rawPayload]).toEqual([206, whole.rawPayload.subarray(10, 20)]);
  });

  test('redirected: 302 to a link that works without keys; the validator still answers here', async () => {
    const { pathname } = await restore(redirecting);
    const answer = await redirecting.app.server.inject(pathname);
    expect([answer.statusCode, answer.headers['cache-control'], answer.headers.etag]).toEqual([302, 'no-store', undefined]);
    const target = String(answer.headers.location);
    expect(target).not.toContain('top-secret');
    const picture = await fetch(target);
    expect([picture.status, picture.headers.get('content-type')]).toEqual([200, 'image/jpeg']);
    expect((await picture.arrayBuffer()).byteLength).toBeGreaterThan(100);
    const head = await redirecting.app.server.inject({ method: 'HEAD', url: pathname });
    expect([head.statusCode, head.headers['content-type']]).toEqual([200, 'image/jpeg']);
    const again = await redirecting.app.server.inject({ url: pathname, headers: { 'if-none-match': String(head.headers.etag) } });
    expect(again.statusCode).toBe(304);
  });

  test.each(['0'.repeat(51), 'f'.repeat(51), '0'.repeat(46), '..%2f..%2fsecret'])('an unknown id %s: not found', async (id) => {
    const answer = await api.app.server.inject(`/v1/results/${id}.jpg`);
    expect([answer.statusCode, answer.json()]).toEqual([404, { error_code: 1000404, message: 'no route found' }]);
  });
});

describe('while the bucket does not answer', () => {
  test('a call that needs it: 503 with Retry-After and without detail; one that does not goes on', async () => {
    const { pathname } = await restore(api);
    s3.fail('error');
    for (const answer of [
      await api.post(bodyOf(await jpeg(64, 64), { rsp_media_type: 'url' })),
      await api.app.server.inject(pathname),
      await api.app.server.inject({ method: 'POST', url: `/v1/aiquality_async?${api.query}`, payload: bodyOf(await jpeg(64, 64)) }),
    ]) {
      expect(answer.statusCode).toBe(503);
      expect(answer.headers['retry-after']).toBe('5');
      expect(answer.json()).toMatchObject({ ErrorCode: 29904, message: 'The picture store does not answer at the moment.' });
      expect(answer.body).not.toMatch(/secret|127\.0\.0\.1|pictures|fire/);
    }
    expect((await api.post(bodyOf(await jpeg(64, 64)))).statusCode).toBe(200);
    s3.fail();
    expect((await api.app.server.inject(pathname)).statusCode).toBe(200);
  });

  test('an accepted job waits and is done, once, when it answers again', async () => {
    const url = `/v1/aiquality_async?${api.query}`;
    const uploads = () => s3.seen.filter(({ method }) => method === 'PUT').length;
    // The source is taken; then reads fail until the runner has met it.
    s3.fail('error', Number.POSITIVE_INFINITY, ['GET']);
    const accepted = await api.app.server.inject({ method: 'POST', url, payload: bodyOf(await jpeg(64, 64)) });
    expect(accepted.statusCode).toBe(200);
    const reads = () => s3.seen.filter(({ method }) => method === 'GET').length;
    for (const before = reads(); reads() < before + 3; ) await pause();
    const query = () => api.app.server.inject(`/v1/query?${api.query}&msg_id=${accepted.json().msg_id}`);
    expect((await query()).json().ErrorCode).toBe(29901);
    const before = uploads();
    s3.fail();
    let answer = await query();
    while (answer.statusCode !== 200) {
      expect(answer.json().ErrorCode).toBe(29901);
      await pause();
      answer = await query();
    }
    expect(uploads()).toBe(before + 1);
  });
});

describe('a start that cannot work', () => {
  test('says everything that is wrong with the combination', async () => {
    const wrong = { storage: 's3', s3Bucket: '', s3Endpoint: 'https://user:hunter2@host', s3AccessKey: 'AK' };
    const message = await testApp(join(folder, 'wrong'), wrong).then(
      () => '',
      (error: Error) => `${error.name}: ${error.message}`,
    );
    expect(message).toMatch(/^ConfigError/);
    for (const name of ['MINGXI_S3_BUCKET', 'MINGXI_S3_ENDPOINT', 'MINGXI_S3_SECRET_KEY']) expect(message).toContain(name);
    expect(message).not.toContain('hunter2');
  });

  test('names the package that is missing', () => {
    const data = temporaryFolder();
    const hooks = join(data, 'hooks.mjs');
    const register = join(data, 'register.mjs');
    // What Node says when the package is not there.
    writeFileSync(
      hooks,
      `export async function resolve(name, context, next) {
         if (!name.startsWith('@aws-sdk/')) return next(name, context);
         throw Object.assign(new Error('Cannot find package'), { code: 'ERR_MODULE_NOT_FOUND' });
       }`,
    );
    writeFileSync(register, `import { register } from 'node:module'; register(${JSON.stringify(pathToFileURL(hooks).href)});`);
    const run = spawnSync(process.execPath, ['--import', 'tsx', '--import', register, MAIN, 'serve', '--port', '0', '--data', data], {
      env: { PATH: process.env.PATH, HOME: process.env.HOME, MINGXI_STORAGE: 's3', MINGXI_S3_BUCKET: 'pictures' },
      encoding: 'utf8',
      timeout: 50_000,
    });
    expect(run.stderr).toContain('needs the package @aws-sdk/client-s3, which is not installed: npm install @aws-sdk/client-s3');
    expect(run.status).toBe(2);
  });
});

const pause = () => new Promise((resolve) => setTimeout(resolve, 20));
