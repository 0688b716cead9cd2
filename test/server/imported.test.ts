import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import sharp from 'sharp';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { ERRORS, type ErrorName } from '../../src/errors.ts';
import { presetDraft } from '../../src/models/presets.ts';
import { bodyOf, type TestApp, testApp } from '../support/app.ts';
import { addTestModel } from '../support/imported.ts';
import { faceNetwork, repeater } from '../support/onnx.ts';
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
