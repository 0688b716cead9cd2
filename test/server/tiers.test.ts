import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { bodyOf, type TestApp, testApp } from '../support/app.ts';
import { jpeg } from '../support/pictures.ts';

const folder = mkdtempSync(join(tmpdir(), 'mingxi-test-'));
let api: TestApp;
let source: Buffer;

beforeAll(async () => {
  api = await testApp(folder);
  await api.listen();
  source = await jpeg(96, 64);
});
afterAll(async () => {
  await api.app.close();
  rmSync(folder, { recursive: true, force: true });
});

async function restored(parameter: Record<string, unknown>) {
  const answer = await api.post(bodyOf(source, { ...parameter, report: true }));
  expect(answer.statusCode, answer.body).toBe(200);
  const [{ media_data, media_extra }] = answer.json().media_info_list;
  return { picture: media_data as string, report: media_extra.report };
}

describe('tiers over HTTP', () => {
  test('are listed with whose tier they are and what they compute', async () => {
    const { default: name, models } = (await api.app.server.inject('/v1/models')).json();
    expect(name).toBe('general');
    expect(models).toContainEqual(expect.objectContaining({ name: 'general', tier: null }));
    const best = models.find((model: { name: string }) => model.name === 'general-best');
    expect(best).toMatchObject({ task: 'restore', scale: 1, tier: { of: 'general', level: 'best' }, origin: 'shipped' });
    expect(best.cost.gmacPerMegapixel).toBeLessThanOrEqual(400);
  });

  test('/v1 uses the one that is named, and the default one for auto; the report says which and why', async () => {
    const best = await restored({ model: 'general-best' });
    expect(best.report).toMatchObject({ model: 'general-best', choice: 'asked for by name' });
    const [auto, absent] = [await restored({ model: 'auto' }), await restored({})];
    for (const { report } of [auto, absent]) expect(report).toMatchObject({ model: 'general', choice: 'the default' });
    expect(absent.picture).toBe(auto.picture);
    expect(best.picture).not.toBe(auto.picture);
  });

  test('a tier that there is not is refused with those that there are', async () => {
    const answer = await api.post(bodyOf(source, { model: 'general-finest' }));
    expect(answer.statusCode).toBe(400);
    expect(answer.body).toMatch(/there are: .*general.*general-best/);
  });
});
