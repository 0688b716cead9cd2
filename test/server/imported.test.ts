import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import sharp from 'sharp';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { ERRORS, type ErrorName } from '../../src/errors.ts';
import type { Draft } from '../../src/models/draft.ts';
import { removeModel } from '../../src/models/import.ts';
import { presetDraft } from '../../src/models/presets.ts';
import { bodyOf, type TestApp, testApp } from '../support/app.ts';
import { addTestModel } from '../support/imported.ts';
import { faceNetwork, multiplier, repeater } from '../support/onnx.ts';
import { jpeg } from '../support/pictures.ts';

const folder = mkdtempSync(join(tmpdir(), 'mingxi-test-'));
let api: TestApp;
let source: Buffer;

beforeAll(async () => {
  await addTestModel(join(folder, 'models'), 'twice', repeater(2), presetDraft('realesrgan', 2));
  await addTestModel(join(folder, 'models'), 'face', faceNetwork(), presetDraft('gfpgan'));
  api = await testApp(folder, { maxResultPixels: 200_000 });
  await api.listen();
  source = await jpeg(160, 96);
});
afterAll(async () => {
  await api.app.close();
  rmSync(folder, { recursive: true, force: true });
});

const v2 = (query: string) =>
  api.app.server.inject({
    method: 'POST',
    url: `/v2/restore?${query}`,
    payload: source,
    headers: { 'x-api-key': api.key, 'x-api-secret': api.secret, 'content-type': 'image/jpeg' },
  });

describe('imported networks over HTTP', () => {
  test('are listed with scale, task and origin', async () => {
    const { models } = (await api.app.server.inject('/v1/models')).json();
    expect(models).toContainEqual(expect.objectContaining({ name: 'twice', scale: 2, task: 'restore', origin: 'imported' }));
    expect(models).toContainEqual(expect.objectContaining({ name: 'face', task: 'face', origin: 'imported' }));
  });

  test.each([{ scale: 2 }, { scale: 2, model: 'twice' }])('/v1 enlarges with %j', async (parameter) => {
    const answer = await api.post(bodyOf(source, parameter));
    expect(answer.statusCode, answer.body).toBe(200);
    const picture = Buffer.from(answer.json().media_info_list[0].media_data, 'base64');
    expect(await sharp(picture).metadata()).toMatchObject({ format: 'jpeg', width: 320, height: 192 });
  });

  test('/v2 enlarges', async () => {
    const answer = await v2('scale=2&format=png');
    expect(answer.statusCode, answer.body).toBe(200);
    expect(await sharp(answer.rawPayload).metadata()).toMatchObject({ format: 'png', width: 320, height: 192 });
  });

  test.each<[string, Record<string, unknown>, ErrorName]>([
    ['a factor nobody offers', { scale: 4 }, 'PARAM_VALUE_ERROR'],
    ['the network without its factor', { model: 'twice' }, 'PARAM_VALUE_ERROR'],
    ['a face network for a whole picture', { model: 'face' }, 'PARAM_VALUE_ERROR'],
  ])('/v1 refuses %s', async (_, parameter, kind) => {
    const answer = await api.post(bodyOf(source, parameter));
    expect([answer.statusCode, answer.json().ErrorCode]).toEqual([ERRORS[kind].status, ERRORS[kind].code]);
  });

  test('a result with more pixels than configured is refused on both', async () => {
    source = await jpeg(400, 300);
    const answer = await api.post(bodyOf(source, { scale: 2 }));
    expect(answer.json()).toMatchObject({ ErrorCode: ERRORS.RESOLUTION_TOO_LARGE_ERROR.code });
    expect((await v2('scale=2')).body).toMatch(/enlarged ×2 would be 800×600 px; a result may have at most 200000 pixels/);
  });
});

describe('networks that come and go while the server runs', () => {
  const UNIT = { layout: 'NCHW', type: 'float32', channels: 'RGB', range: [0, 1] } as const satisfies Draft['input'];
  const draft: Draft = { task: 'restore', input: UNIT, scale: 1, licence: 'MIT', tile: { multiple: 8, halo: 0, max: 256 } };
  const models = join(folder, 'models');
  const add = (factor: number) => addTestModel(models, 'darker', multiplier({ tensor: UNIT, factors: [factor, factor, factor] }), draft);
  const names = async () => (await api.app.server.inject('/v1/models')).json().models.map((model: { name: string }) => model.name);
  const mean = async () => {
    const answer = await v2('model=darker&format=png');
    expect(answer.statusCode, answer.body).toBe(200);
    return (await sharp(answer.rawPayload).stats()).channels[1]?.mean ?? 0;
  };

  test('one that is added is used, one of its name that replaces it too, one that is removed is refused', async () => {
    const before = (await sharp(source).stats()).channels[1]?.mean ?? 0;
    expect(await names()).not.toContain('darker');
    expect((await v2('model=darker')).json().code).toBe(ERRORS.PARAM_VALUE_ERROR.code);

    await add(0.95);
    expect(await names()).toContain('darker');
    expect((await mean()) / before).toBeCloseTo(0.95, 2);

    await removeModel(models, 'darker', []);
    await add(0.92);
    expect((await mean()) / before).toBeCloseTo(0.92, 2);

    await removeModel(models, 'darker', []);
    expect(await names()).not.toContain('darker');
    const refused = await v2('model=darker');
    expect(refused.statusCode).toBe(400);
    expect(JSON.stringify(refused.json())).toContain('There is no model');
  });
});
