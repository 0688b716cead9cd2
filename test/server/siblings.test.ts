import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { loadConfig } from '../../src/config.ts';
import { siblingParameters } from '../../src/server/dialect/sibling-parameters.ts';
import { familyInterfaces } from '../../src/server/routes/family.ts';
import { bodyOf, type TestApp, testApp } from '../support/app.ts';
import { jpeg } from '../support/pictures.ts';

const folder = mkdtempSync(join(tmpdir(), 'mingxi-test-'));
let t: TestApp;
let picture: Buffer;
beforeAll(async () => {
  picture = await jpeg(64, 64);
  t = await testApp(folder);
  await t.listen();
});
afterAll(async () => {
  await t.app.close();
  rmSync(folder, { recursive: true, force: true });
});

const call = (path: string, parameter: Record<string, unknown> = {}, query = t.query) =>
  t.app.server.inject({ method: 'POST', url: `${path}?${query}`, payload: JSON.stringify(bodyOf(picture, parameter)) });
const PATHS = ['/v1/image_restoration', '/v2/image_restoration', '/v1/AIDenoise', '/v2/denoise', '/v1/night_denoise'];

describe.each(PATHS)('%s', (path) => {
  test('takes the same body and gives the same answer', async () => {
    const sibling = await call(path, { outputType: 1, use_denoise: '1', unknown: [1] });
    expect([sibling.statusCode, sibling.json()]).toEqual([200, (await call('/v1/aiquality')).json()]);
  });

  test('has its asynchronous form', async () => {
    const { msg_id } = (await call(`${path}_async`)).json();
    const ask = async () => (await t.app.server.inject({ url: `/v1/query?${t.query}&msg_id=${msg_id}` })).json();
    let body = await ask();
    while (body.ErrorCode === 29901) {
      // Calls in memory leave no turn for the jobs by themselves.
      await new Promise((resolve) => setTimeout(resolve, 30));
      body = await ask();
    }
    expect(body).toMatchObject({ msg_id, media_info_list: [{ media_profiles: { media_data_type: 'jpg' } }] });
  });

  test('is a scope of its own', async () => {
    const scope = path.split('/').at(-1)?.toLowerCase() ?? '';
    const own = await t.newKey({ scopes: [scope] });
    expect((await call(path, {}, own.query)).statusCode).toBe(200);
    expect((await call('/v1/aiquality', {}, own.query)).json().ErrorCode).toBe(90003);
    const other = await t.newKey({ scopes: ['aiquality'] });
    expect((await call(path, {}, other.query)).json().ErrorCode).toBe(90003);
    expect((await call(`${path}_async`, {}, other.query)).json().ErrorCode).toBe(90003);
  });
});

test('faces may be switched off by the siblings’ own word', async () => {
  const report = async (parameter: Record<string, unknown>) => {
    const answer = await call('/v2/image_restoration', { ...parameter, report: 'true' });
    return answer.json().media_info_list[0].media_extra.report;
  };
  expect((await report({ use_denoise: 0, use_hd_face_opt: 0 })).strength).toBe(0);
  expect((await report({ use_hd_face_opt: 0 })).strength).toBe(1);
});

test.each<[Record<string, unknown>, Record<string, unknown>]>([
  [{ use_hd_face_opt: '1' }, { face: 'auto' }],
  [{ use_hd_face_opt: 'false' }, { face: 'off' }],
  [{ use_hd_face_opt: 0 }, { face: 'off' }],
  [{ use_hd_face_opt: 'perhaps' }, {}],
  [{ use_denoise: true }, {}],
  [{ use_denoise: '0' }, { face: 'only' }],
  [{ use_denoise: false, use_hd_face_opt: true }, { face: 'only' }],
  [
    { use_denoise: '0', use_hd_face_opt: '0' },
    { face: 'off', strength: 0 },
  ],
  [{ use_hd_face_opt: 0, face: 'only' }, { face: 'only' }],
  [{ outputType: 2 }, {}],
])('%j means %j', (theirs, ours) => {
  expect(siblingParameters(theirs)).toEqual({ ...theirs, ...ours });
});

test('the table comes from the configuration, each path once', () => {
  const paths = (value: string) => familyInterfaces(loadConfig({ MINGXI_INTERFACES: value })).map((spec) => spec.path);
  expect(paths('/v1/x, v1/X/ ,/v1/AIQUALITY,/')).toEqual(['/v1/aiquality', '/v1/x']);
  expect(familyInterfaces(loadConfig({})).map((spec) => spec.path)).toEqual(['/v1/aiquality', ...PATHS]);
});
