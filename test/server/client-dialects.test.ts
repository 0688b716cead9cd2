import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import sharp from 'sharp';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { MingxiClient } from '../../src/client/index.ts';
import { type TestApp, testApp } from '../support/app.ts';
import { jpeg } from '../support/pictures.ts';

const folder = mkdtempSync(join(tmpdir(), 'mingxi-test-'));
let real: TestApp;
let picture: Buffer;
let realUrl: string;
beforeAll(async () => {
  picture = await jpeg(72, 64);
  real = await testApp(join(folder, 'real'), { fetchAllow: '127.0.0.1' });
  realUrl = await real.listen();
});
afterAll(async () => {
  await real.app.close();
  rmSync(folder, { recursive: true, force: true });
});

describe('the package’s own client, over a socket', () => {
  const client = () => new MingxiClient({ baseUrl: realUrl, apiKey: real.key, apiSecret: real.secret });

  test('all three dialects give the same picture', async () => {
    const mingxi = client();
    await mingxi.gateway.authorize();
    const [direct] = await mingxi.restore(picture, { rsp_media_type: 'png' });
    const [later] = await mingxi.restoreAsync(picture, { rsp_media_type: 'png' }, { interval: 20 });
    const [pushed] = await mingxi.gateway.restore(picture, { rsp_media_type: 'png' }, { interval: 20, context: 'a b&~*明' });
    const bytes = await Promise.all([direct, later].map((one) => one?.bytes()));
    expect(Buffer.compare(Buffer.from(bytes[0] ?? []), Buffer.from(bytes[1] ?? []))).toBe(0);
    expect(pushed?.url).toMatch(/^http:\/\/127\.0\.0\.1:/);
    const linked = await pushed?.bytes();
    expect((await sharp(linked).metadata()).width).toBe(72);
  });

  test('an id that nobody knows is a typed error', async () => {
    await expect(client().query('x')).rejects.toMatchObject({ name: 'MingxiError', code: 10004, kind: 'TASK_NOEXIST', status: 400 });
    await expect(client().gateway.status('t_x')).rejects.toMatchObject({ code: 10004 });
  });

  test('a wrong secret is a typed error in every dialect', async () => {
    const mingxi = new MingxiClient({ baseUrl: realUrl, apiKey: real.key, apiSecret: 'wrong' });
    await expect(mingxi.restore(picture)).rejects.toMatchObject({ code: 90002, status: 401, retryable: false });
    await expect(mingxi.submit(picture)).rejects.toMatchObject({ code: 90002 });
    await expect(mingxi.gateway.push(picture)).rejects.toMatchObject({ code: 90002, status: 400 });
  });
});
