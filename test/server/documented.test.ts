import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import sharp from 'sharp';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { bodyOf, type TestApp, testApp } from '../support/app.ts';
import { jpeg, png } from '../support/pictures.ts';

const folder = mkdtempSync(join(tmpdir(), 'mingxi-test-'));
let api: TestApp;
let source: Buffer;

beforeAll(async () => {
  api = await testApp(folder, { publicUrl: 'https://img.example.com/base/' });
  source = await jpeg(96, 64);
});
afterAll(async () => {
  await api.app.close();
  rmSync(folder, { recursive: true, force: true });
});

const pictureOf = (answer: { json(): { media_info_list: { media_data: string }[] } }, index = 0) =>
  Buffer.from(answer.json().media_info_list[index]?.media_data ?? '', 'base64');

describe('what the answer carries, by rsp_media_type', () => {
  test.each([
    ['absent', {}],
    ['null', { rsp_media_type: null }],
    ['empty', { rsp_media_type: '' }],
    ['base64', { rsp_media_type: 'base64' }],
    ['jpg', { rsp_media_type: 'jpg' }],
    ['JPG', { rsp_media_type: 'JPG' }],
  ])('%s: bare base64 of a JPEG of the same size', async (_name, parameter) => {
    const answer = await api.post(bodyOf(source, parameter));
    expect(answer.statusCode).toBe(200);
    expect(answer.headers['content-type']).toBe('application/json; charset=utf-8');
    const body = answer.json();
    expect(body).toEqual({
      media_info_list: [{ media_data: expect.stringMatching(/^\/9j\/[A-Za-z0-9+/]+={0,2}$/), media_profiles: { media_data_type: 'jpg' } }],
      parameter: { rsp_media_type: 'jpg', version: '1.0.1' },
    });
    expect(await sharp(pictureOf(answer)).metadata()).toMatchObject({ format: 'jpeg', width: 96, height: 64 });
  });

  test('png: bare base64 of a lossless PNG', async () => {
    const answer = await api.post(bodyOf(source, { rsp_media_type: 'png' }));
    expect(answer.json().parameter).toEqual({ rsp_media_type: 'png', version: '1.0.1' });
    expect(answer.json().media_info_list[0].media_profiles).toEqual({ media_data_type: 'png' });
    expect(await sharp(pictureOf(answer)).metadata()).toMatchObject({ format: 'png', width: 96, height: 64 });
  });

  test('url: an absolute unguessable link under the public address, fetchable without a key', async () => {
    const answer = await api.post(bodyOf(source, { rsp_media_type: 'url' }));
    expect(answer.json().parameter.rsp_media_type).toBe('url');
    expect(answer.json().media_info_list[0].media_profiles.media_data_type).toBe('url');
    const link: string = answer.json().media_info_list[0].media_data;
    expect(link).toMatch(/^https:\/\/img\.example\.com\/base\/v1\/results\/[0-9a-f]{46}\.jpg$/);
    const result = await api.app.server.inject({ url: new URL(link).pathname.replace('/base', '') });
    expect(result.statusCode).toBe(200);
    expect(await sharp(result.rawPayload).metadata()).toMatchObject({ format: 'jpeg', width: 96, height: 64 });
    const second = await api.post(bodyOf(source, { rsp_media_type: 'url' }));
    expect(second.json().media_info_list[0].media_data).not.toBe(link);
  });

  test.each(['gif', 'jpeg', 'webp', 'link', 5, true, ['jpg'], {}])('anything else is refused: %j', async (value) => {
    const answer = await api.post(bodyOf(source, { rsp_media_type: value }));
    expect([answer.statusCode, answer.json().ErrorCode]).toEqual([400, 21104]);
  });
});

describe('success', () => {
  test('a key that clients take for a failure occurs nowhere in it', async () => {
    const text = (await api.post(bodyOf(source, { report: true }))).body;
    for (const name of ['ErrorCode', 'code', 'error_code']) expect(text).not.toContain(`"${name}"`);
  });

  test('a PNG source works as a JPEG does', async () => {
    const answer = await api.post(bodyOf(await png(64, 80)));
    expect(await sharp(pictureOf(answer)).metadata()).toMatchObject({ format: 'jpeg', width: 64, height: 80 });
  });

  test('a turned source comes back upright', async () => {
    const turned = await sharp(await jpeg(96, 64))
      .withMetadata({ orientation: 6 })
      .jpeg()
      .toBuffer();
    const { width, height, orientation = 1 } = await sharp(pictureOf(await api.post(bodyOf(turned)))).metadata();
    expect([width, height, orientation]).toEqual([64, 96, 1]);
  });

  test('the same call twice gives the same bytes', async () => {
    const [a, b] = [await api.post(bodyOf(source)), await api.post(bodyOf(source))];
    expect(a.body).toBe(b.body);
  });

  test('Server-Timing names the phases and steps', async () => {
    const header = String((await api.post(bodyOf(source))).headers['server-timing']);
    for (const name of ['fetch', 'pool', 'decode', 'encode', 'total']) expect(header).toMatch(new RegExp(`(^|, )${name};dur=\\d`));
  });

  test('nothing stays in the spool', async () => {
    const { readdirSync } = await import('node:fs');
    await api.post(bodyOf(source));
    await api.post(bodyOf(Buffer.from('no picture at all')));
    expect(readdirSync(join(folder, 'spool'))).toEqual([]);
  });
});

describe('several entries', () => {
  test('each is restored, in order', async () => {
    const sizes = [50, 60, 70, 80] as const;
    const entries = await Promise.all(sizes.map(async (size) => bodyOf(await jpeg(size, 48)).media_info_list[0]));
    const answer = await api.post({ media_info_list: entries, parameter: {} });
    expect(answer.statusCode).toBe(200);
    for (const [index, size] of sizes.entries()) expect((await sharp(pictureOf(answer, index)).metadata()).width).toBe(size);
  });

  test('one that fails fails the request with its code and says which it was', async () => {
    const entry = bodyOf(source).media_info_list[0];
    const broken = bodyOf(Buffer.from('GIF89a and more')).media_info_list[0];
    const answer = await api.post({ media_info_list: [entry, broken, entry], parameter: {} });
    expect([answer.statusCode, answer.json().ErrorCode]).toEqual([400, 23102]);
    expect(answer.json().message).toContain('media_info_list[1]');
  });

  test('at most 16', async () => {
    const entry = bodyOf(source).media_info_list[0];
    const answer = await api.post({ media_info_list: Array(17).fill(entry), parameter: {} });
    expect([answer.statusCode, answer.json().ErrorCode]).toEqual([400, 21104]);
    expect(answer.json().message).toMatch(/17.*16/);
  });
});

describe('extensions in parameter', () => {
  const pixels = async (parameter: Record<string, unknown>) =>
    sharp(pictureOf(await api.post(bodyOf(await png(64, 64), { rsp_media_type: 'png', ...parameter }))))
      .raw()
      .toBuffer();

  test('strength 0 gives the source back, 1 does not, a half lies between', async () => {
    const original = await sharp(await png(64, 64))
      .raw()
      .toBuffer();
    const distance = (a: Buffer) => a.reduce((sum, value, i) => sum + Math.abs(value - (original[i] ?? 0)), 0) / a.length;
    const [none, half, full] = [await pixels({ strength: 0 }), await pixels({ strength: '0.5' }), await pixels({ strength: 1 })];
    expect(distance(none)).toBe(0);
    expect(distance(full)).toBeGreaterThan(1);
    expect(distance(half)).toBeGreaterThan(distance(full) * 0.3);
    expect(distance(half)).toBeLessThan(distance(full) * 0.7);
  });

  test('quality sets the size of the JPEG', async () => {
    const bytes = async (quality: unknown) => pictureOf(await api.post(bodyOf(source, { quality }))).length;
    expect(await bytes(20)).toBeLessThan(await bytes(95));
    expect(await bytes('')).toBe(await bytes(95));
  });

  test('report adds what was found, by number, text or boolean', async () => {
    for (const report of [true, 'true', 1, '1', 'TRUE']) {
      const { media_extra } = (await api.post(bodyOf(source, { report }))).json().media_info_list[0];
      expect(media_extra.report.source).toMatchObject({ width: 96, height: 64, format: 'jpg', bytes: source.length });
      expect(Object.keys(media_extra.report)).toEqual(
        expect.arrayContaining(['analysis', 'gate', 'strength', 'faces', 'timings', 'warnings']),
      );
    }
    for (const report of [false, 'false', 0, '0', null]) {
      expect((await api.post(bodyOf(source, { report }))).json().media_info_list[0]).not.toHaveProperty('media_extra');
    }
  });

  test('a model by its name is used, auto picks one', async () => {
    const { models } = (await api.app.server.inject('/v1/models')).json();
    const names: string[] = models.filter(({ task }: { task: string }) => task === 'restore').map(({ name }: { name: string }) => name);
    expect(names.length).toBeGreaterThan(0);
    for (const model of ['auto', 'Auto'.toLowerCase(), names[0]]) {
      const answer = await api.post(bodyOf(source, { model, report: true }));
      expect(answer.statusCode).toBe(200);
    }
  });

  test.each([
    ['strength', -0.1],
    ['strength', 1.01],
    ['strength', 'much'],
    ['strength', true],
    ['strength', [1]],
    ['strength', 'NaN'],
    ['face', 'maybe'],
    ['face', 1],
    ['face_strength', 2],
    ['quality', 0],
    ['quality', 101],
    ['quality', 50.5],
    ['quality', 'high'],
    ['model', 'no-such-network'],
    ['model', '../../etc/passwd'],
    ['model', 7],
    ['scale', 3],
    ['scale', 8],
    ['report', 'perhaps'],
    ['report', 2],
  ])('%s = %j is refused with what is allowed', async (name, value) => {
    const answer = await api.post(bodyOf(source, { [name]: value }));
    expect([answer.statusCode, answer.json().ErrorCode, answer.json().ErrorMsg]).toEqual([400, 21104, 'PARAM_VALUE_ERROR']);
    expect(answer.json().message.length).toBeGreaterThan(20);
  });

  test('a scale no network offers is refused, the plain one is not', async () => {
    expect((await api.post(bodyOf(source, { scale: '1' }))).statusCode).toBe(200);
    const offered = (await api.app.server.inject('/v1/models')).json().models.some((model: { scale: number }) => model.scale === 2);
    if (!offered) expect((await api.post(bodyOf(source, { scale: 2 }))).json().ErrorCode).toBe(21104);
  });
});

describe('request ids', () => {
  const idOf = async (sent?: string) => {
    const headers = sent === undefined ? {} : { 'x-request-id': sent };
    return String((await api.app.server.inject({ url: '/livez', headers })).headers['x-request-id']);
  };

  test('a short harmless one is kept', async () => {
    for (const id of ['a', 'trace-01:02_x.y', 'x'.repeat(128)]) expect(await idOf(id)).toBe(id);
  });

  test.each(['x'.repeat(129), 'two words', '<script>', 'a"b', "a'b", '日志', ''])('another is replaced: %j', async (sent) => {
    expect(await idOf(Buffer.from(sent).toString('latin1'))).toMatch(/^[0-9a-f-]{36}$/);
  });

  test('without one each answer gets its own', async () => {
    expect(await idOf()).not.toBe(await idOf());
  });

  test('failures carry it in the body too', async () => {
    const answer = await api.post('{', { 'x-request-id': 'mine-1' });
    expect(answer.headers['x-request-id']).toBe('mine-1');
    expect(answer.json().request_id).toBe('mine-1');
  });
});
