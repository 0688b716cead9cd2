import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import sharp from 'sharp';
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import { ERRORS, type ErrorName } from '../../src/errors.ts';
import { type TestApp, testApp } from '../support/app.ts';
import { jpeg, webp } from '../support/pictures.ts';
import { type OrderService, orderService } from './order-service.ts';
import { bearer, type Draft, sign } from './signature/signed-request.ts';

const folder = mkdtempSync(join(tmpdir(), 'mingxi-test-'));
let real: TestApp;
let t: OrderService;
let picture: Buffer;
beforeAll(async () => {
  picture = await jpeg(72, 64);
  real = await testApp(join(folder, 'real'), { fetchAllow: '127.0.0.1', taskAliases: 'hd_portrait' });
  await real.listen();
  t = await orderService(join(folder, 'obedient'));
});
afterAll(async () => {
  await real.app.close();
  await t.close();
  rmSync(folder, { recursive: true, force: true });
});

/** Sends a signed request; the host is what `inject` says it is. */
async function send(api: TestApp, method: 'GET' | 'POST', url: string, payload = '', change: (draft: Draft) => void = () => {}) {
  const draft: Draft = {
    method,
    url,
    headers: [
      ['Host', 'localhost:80'],
      ['X-Sdk-Date', new Date().toISOString().replace(/[-:]|\.\d+/g, '')],
      ...(method === 'POST' ? [['Content-Type', 'application/json'] as [string, string]] : []),
    ],
    body: payload,
  };
  const { credential } = sign(draft, { accessKey: api.key, secret: api.secret });
  change(draft);
  return api.app.server.inject({
    method,
    url: draft.url,
    headers: { ...Object.fromEntries(draft.headers), authorization: bearer(credential) },
    ...(draft.body === '' ? {} : { payload: draft.body }),
  });
}

const image = (url: string, label = 'url') => ({ url, profile: { media_profiles: { media_data_type: label }, version: 'v1' } });
const pushBody = (extra: Record<string, unknown> = {}) => ({
  task: '/v1/aiquality',
  task_type: 'mtlab',
  init_images: [image(picture.toString('base64'), 'jpg')],
  params: JSON.stringify({ parameter: {} }),
  ...extra,
});
const orderBody = (order: string, extra: Record<string, unknown> = {}) => pushBody({ init_images: [image(t.order(order))], ...extra });
const push = (api: TestApp, body: unknown, path = '/api/v1/sdk/sync/push') => send(api, 'POST', path, JSON.stringify(body));
const status = (api: TestApp, id: string, more = '') => send(api, 'GET', `/api/v1/sdk/status?task_id=${id}${more}`);

const ENVELOPE = ['request_id', 'trace_id', 'code', 'error_code', 'message', 'data'];
const DATA = ['status', 'task_id', 'progress', 'predict_elapsed', 'create_time', 'result'];

describe('sync/push', () => {
  test('answers a link by default, in the exact envelope', async () => {
    const before = Date.now();
    const answer = await push(real, pushBody({ context: '随便 anything', sync_timeout: 30 }));
    const body = answer.json();
    expect([answer.statusCode, Object.keys(body), Object.keys(body.data)]).toEqual([200, ENVELOPE, DATA]);
    expect(body).toMatchObject({ code: 0, error_code: 0, message: '', data: { status: 10, progress: 1 } });
    expect(body.request_id).toBe(answer.headers['x-request-id']);
    const { data } = body;
    expect(data.task_id).toMatch(/^t_[0-9a-f-]{36}$/);
    expect(data.create_time).toBeGreaterThanOrEqual(before);
    expect(data.predict_elapsed).toBeGreaterThanOrEqual(0);
    expect(data.result).toEqual({
      id: data.task_id.slice(2),
      urls: [expect.stringMatching(/^http:\/\/localhost(:80)?\/v1\/results\/[0-9a-f]{46}\.jpg$/)],
      parameter: { rsp_media_type: 'url', version: '1.0.1' },
      media_info_list: [{ media_data: data.result.urls[0], media_profiles: { media_data_type: 'url' } }],
      msg: '',
      msg_id: data.task_id.slice(2),
      code: 0,
    });
    const file = await real.app.server.inject({ url: new URL(data.result.urls[0]).pathname });
    expect(await sharp(file.rawPayload).metadata()).toMatchObject({ format: 'jpeg', width: 72, height: 64 });
  });

  test.each<[string, Record<string, unknown>]>([
    ['in the body', { rsp_media_type: 'jpg' }],
    ['beside parameter', { params: '{"parameter":{"strength":"0.5"},"rsp_media_type":"jpg"}' }],
    ['in parameter', { params: '{"parameter":{"rsp_media_type":"jpg"}}' }],
    [
      'in the body, over what the others say',
      { rsp_media_type: 'jpg', params: '{"parameter":{"rsp_media_type":"png"},"rsp_media_type":"url"}' },
    ],
  ])('answers base64 when asked to, %s', async (_, extra) => {
    const { data } = (await push(real, pushBody(extra))).json();
    expect(data).toMatchObject({ status: 10, result: { urls: [], parameter: { rsp_media_type: 'jpg' } } });
    const bytes = Buffer.from(data.result.media_info_list[0].media_data, 'base64');
    expect((await sharp(bytes).metadata()).format).toBe('jpeg');
  });

  test.each<[string, Record<string, unknown>]>([
    ['params as empty text', { params: '' }],
    ['no params', { params: undefined }],
    ['params null', { params: null }],
    ['params without parameter', { params: '{}' }],
    ['params as an object', { params: { parameter: {} } }],
    ['the other task type', { task_type: 'formula' }],
    ['no task type', { task_type: undefined }],
    [
      'no profile',
      {
        get init_images() {
          return [{ url: picture.toString('base64') }];
        },
      },
    ],
    [
      'a link labelled jpg',
      {
        get init_images() {
          return [image(t.order('x'), 'jpg')];
        },
        sync_timeout: 0,
      },
    ],
    ['a time-out as text', { sync_timeout: '20' }],
    ['a time-out of −1', { sync_timeout: -1 }],
    ['context of another type', { context: { a: 1 } }],
  ])('puts up with %s', async (_, extra) => {
    expect((await push(real, { ...pushBody(), ...extra })).json()).toMatchObject({ code: 0, error_code: 0 });
  });

  test.each([
    'v1/aiquality',
    '/v1/aiquality_async',
    'v1_aiquality',
    'V1/AIQuality',
    'mtlab/v1/aiquality',
    '/v2/image_restoration',
    'v2_image_restoration_async',
    'some_v2_image_restoration_async',
    '/v1/AIDenoise',
    'v2/denoise_async',
    '/v1/night_denoise',
    'hd_portrait',
    'xx/hd_portrait_async',
  ])('knows the task %s', async (task) => {
    expect((await push(real, pushBody({ task, sync_timeout: 0 }), '/api/v1/sdk/push')).json()).toMatchObject({ code: 0 });
  });

  test('says 9 when the wait runs out, and the task goes on', async () => {
    const impatient = await orderService(join(folder, 'impatient'), { gatewayTimeout: 1 });
    onTestFinished(() => impatient.close());
    const started = Date.now();
    const answer = await push(impatient.api, orderBody('restore 1600', { sync_timeout: 300 }));
    expect(Date.now() - started).toBeGreaterThanOrEqual(950);
    const body = answer.json();
    expect([answer.statusCode, body.code, body.data.status]).toEqual([200, 0, 9]);
    expect(body.data.result).toEqual({ id: body.data.task_id.slice(2) });
    let data = body.data;
    while (data.status !== 10) {
      data = (await status(impatient.api, data.task_id)).json().data;
      expect([1, 10]).toContain(data.status);
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
    expect(data.result.urls).toHaveLength(1);
  });

  test('does not wait at all with 0', async () => {
    const { data } = (await push(t.api, orderBody('restore 10', { sync_timeout: 0 }))).json();
    expect(data.status).toBe(9);
  });

  test('of a failing picture is 400 with code and name, and the result says the same', async () => {
    const answer = await push(t.api, orderBody('refuse x'));
    const body = answer.json();
    const { code } = ERRORS.IMAGE_DECODE_ERROR;
    expect([answer.statusCode, Object.keys(body)]).toEqual([400, ENVELOPE]);
    expect(body).toMatchObject({ code, error_code: code, message: 'IMAGE_DECODE_ERROR', data: { status: 2 } });
    const id = body.data.task_id.slice(2);
    const result = { id, code, error_code: code, error_msg: 'IMAGE_DECODE_ERROR', msg: 'The picture is damaged.', msg_id: id };
    expect(body.data.result).toEqual({ ...result, media_info_list: [], parameter: null });
    const asked = await status(t.api, body.data.task_id);
    expect([asked.statusCode, asked.json().data.result]).toEqual([400, body.data.result]);
  });
});

describe('push and status', () => {
  test('a task is created, then running, then successful', async () => {
    const blocker = (await push(t.api, orderBody('restore 400'), '/api/v1/sdk/push')).json().data;
    const created = (await push(t.api, orderBody('restore 300'), '/api/v1/sdk/push')).json().data;
    expect(created).toMatchObject({ status: 0, progress: 0, result: { id: created.task_id.slice(2) } });
    const seen = new Set<number>([created.status]);
    for (let now = created.status; now !== 10; ) {
      now = (await status(t.api, created.task_id, '&context=a%20b')).json().data.status;
      seen.add(now);
      await new Promise((resolve) => setTimeout(resolve, 30));
    }
    expect([...seen]).toEqual([0, 1, 10]);
    expect((await status(t.api, blocker.task_id)).json().data.status).toBe(10);
  });

  test.each([
    ['unknown', () => 't_8d0d5ac9-8a80-4a5e-9ad0-000000000000'],
    ['of another form', () => 'x'],
  ])('a task that is %s is −1 with 10004', async (_, id) => {
    const answer = await status(t.api, id());
    expect(answer.statusCode).toBe(400);
    expect(answer.json()).toMatchObject({
      code: 10004,
      error_code: 10004,
      message: 'TASK_NOEXIST',
      data: { status: -1, task_id: id(), result: null },
    });
  });

  test('a task of another key is −1 too', async () => {
    const { data } = (await push(t.api, orderBody('restore 0'))).json();
    const other = await t.api.newKey();
    const answer = await t.api.app.server.inject({ url: `/api/v1/sdk/status?${other.query}&task_id=${data.task_id}` });
    expect(answer.json().data.status).toBe(-1);
  });

  test('status without an id', async () => {
    expect((await send(t.api, 'GET', '/api/v1/sdk/status')).json()).toMatchObject({
      code: 21102,
      message: 'PARAM_MISSING_ERROR',
      data: null,
    });
  });
});

describe('who may come in', () => {
  test('a good signature passes the self-test', async () => {
    const answer = await send(real, 'POST', '/demo/authorization', '{}');
    expect([answer.statusCode, Object.keys(answer.json())]).toEqual([200, ENVELOPE]);
    expect(answer.json()).toMatchObject({ code: 0, error_code: 0, data: null });
  });

  test('key and secret in the query do as well', async () => {
    const answer = await real.app.server.inject({ method: 'POST', url: `/demo/authorization?${real.query}`, payload: '{}' });
    expect(answer.json().code).toBe(0);
  });

  test('paths in capitals or with doubled slashes are signed as they are sent', async () => {
    expect((await send(real, 'POST', '//DEMO/authorization/', '{}')).json().code).toBe(0);
  });

  const forgeries: [string, (draft: Draft) => void][] = [
    [
      'an altered body',
      (draft) => {
        draft.body = '{"a":1}';
      },
    ],
    [
      'an altered path',
      (draft) => {
        draft.url = '/Demo/authorization';
      },
    ],
    [
      'a query more',
      (draft) => {
        draft.url += '?a=1';
      },
    ],
    [
      'good keys in the query beside a bad signature',
      (draft) => {
        draft.url += `?${real.query}`;
      },
    ],
    [
      'another content type',
      (draft) => {
        draft.headers = draft.headers.map(([n, v]) => [n, n === 'Content-Type' ? 'text/plain' : v]);
      },
    ],
    [
      'another date',
      (draft) => {
        draft.headers = draft.headers.map(([n, v]) => [n, n === 'X-Sdk-Date' ? '20240102T030405Z' : v]);
      },
    ],
  ];
  test.each(forgeries)('%s is 400 with 90002', async (_, change) => {
    const answer = await send(real, 'POST', '/demo/authorization', '{}', change);
    const { code } = ERRORS.GATEWAY_AUTHORIZED_ERROR;
    expect([answer.statusCode, answer.json()]).toMatchObject([
      400,
      { code, error_code: code, message: 'GATEWAY_AUTHORIZED_ERROR', data: null },
    ]);
  });

  test('nobody, a revoked, a disabled and an expired key are 90002', async () => {
    const ask = async (query: string) =>
      (await real.app.server.inject({ method: 'POST', url: `/demo/authorization?${query}` })).json().code;
    expect(await ask('')).toBe(90002);
    const revoked = await real.newKey();
    await real.app.keys.revoke(revoked.id);
    expect(await ask(revoked.query)).toBe(90002);
    const signed = { ...real, key: revoked.id, secret: revoked.secret };
    expect((await send(signed, 'POST', '/demo/authorization', '{}')).json().code).toBe(90002);
    const disabled = await real.newKey();
    await real.app.keys.disable(disabled.id);
    expect(await ask(disabled.query)).toBe(90002);
    const bySignature = { ...real, key: disabled.id, secret: disabled.secret };
    expect((await send(bySignature, 'POST', '/demo/authorization', '{}')).json().code).toBe(90002);
    await real.app.keys.enable(disabled.id);
    expect((await send(bySignature, 'POST', '/demo/authorization', '{}')).json().code).toBe(0);
    const expired = await real.newKey({ expiresAt: Date.now() - 1 });
    expect((await send({ ...real, key: expired.id, secret: expired.secret }, 'POST', '/demo/authorization', '{}')).json().code).toBe(90002);
  });

  test('scope, rate and quota hold as everywhere', async () => {
    const call = async (query: string) => {
      const body = JSON.stringify(pushBody({ sync_timeout: 0 }));
      const answer = await real.app.server.inject({ method: 'POST', url: `/api/v1/sdk/push?${query}`, payload: body });
      return [answer.statusCode, answer.json().code, answer.json().message];
    };
    expect(await call((await real.newKey({ scopes: ['denoise'] })).query)).toEqual([400, 90003, 'GATEWAY_AUTHORIZED_NOT_MATCH']);
    const slow = await real.newKey({ qps: 1 });
    expect(await call(slow.query)).toEqual([200, 0, '']);
    expect(await call(slow.query)).toEqual([429, 90024, 'GATEWAY_QPS_LIMIT']);
    const poor = await real.newKey({ dailyLimit: 1 });
    expect(await call(poor.query)).toEqual([200, 0, '']);
    expect(await call(poor.query)).toEqual([400, 80001, 'RIGHTS_LIMIT_EXCEEDED']);
  });
});

describe('refusals are 400 with code and name', () => {
  const cases: [string, () => Promise<unknown> | unknown, ErrorName][] = [
    ['no JSON', () => 'no json', 'PARAM_JSON_DECODE_ERROR'],
    ['JSON but no object', () => [], 'PARAM_JSON_DECODE_ERROR'],
    ['no task', () => pushBody({ task: undefined }), 'PARAM_MISSING_ERROR'],
    ['an empty task', () => pushBody({ task: '' }), 'PARAM_MISSING_ERROR'],
    ['a task that is a number', () => pushBody({ task: 5 }), 'PARAM_TYPE_ERROR'],
    ['a task of another trade', () => pushBody({ task: '/v1/hair_dyeing' }), 'PARAM_VALUE_ERROR'],
    ['a name that only contains a known one', () => pushBody({ task: 'v1_aiquality_plus' }), 'PARAM_VALUE_ERROR'],
    ['an unknown task type', () => pushBody({ task_type: 'other' }), 'PARAM_VALUE_ERROR'],
    ['no pictures', () => pushBody({ init_images: undefined }), 'PARAM_MISSING_ERROR'],
    ['an empty list', () => pushBody({ init_images: [] }), 'PARAM_MISSING_ERROR'],
    ['a list that is none', () => pushBody({ init_images: {} }), 'PARAM_TYPE_ERROR'],
    ['a picture without url', () => pushBody({ init_images: [{}] }), 'PARAM_MISSING_ERROR'],
    ['a picture that is a number', () => pushBody({ init_images: [5] }), 'PARAM_TYPE_ERROR'],
    ['17 pictures', () => pushBody({ init_images: Array(17).fill(image('AAAA', 'jpg')) }), 'PARAM_VALUE_ERROR'],
    ['no base64', () => pushBody({ init_images: [image('***', 'jpg')] }), 'GATEWAY_BASE64_DECODE_ERROR'],
    [
      'a WebP file',
      async () => pushBody({ init_images: [image((await webp(64, 64)).toString('base64'), 'jpg')] }),
      'IMAGE_DECODE_FORMAT_ERROR',
    ],
    ['a malformed link', () => pushBody({ init_images: [image('nowhere')] }), 'INVALID_URL_ERROR'],
    ['params that are no JSON', () => pushBody({ params: '{' }), 'PARAM_JSON_DECODE_ERROR'],
    ['params that are no object', () => pushBody({ params: '[]' }), 'PARAM_JSON_DECODE_ERROR'],
    ['params that are a number', () => pushBody({ params: 5 }), 'PARAM_TYPE_ERROR'],
    ['a parameter that is a number', () => pushBody({ params: '{"parameter":5}' }), 'PARAM_TYPE_ERROR'],
    ['a wrong value in it', () => pushBody({ params: '{"parameter":{"quality":101}}' }), 'PARAM_VALUE_ERROR'],
    ['an unknown kind of answer', () => pushBody({ rsp_media_type: 'webp' }), 'PARAM_VALUE_ERROR'],
    ['a time-out of −2', () => pushBody({ sync_timeout: -2 }), 'PARAM_VALUE_ERROR'],
    ['a time-out that is no number', () => pushBody({ sync_timeout: 'soon' }), 'PARAM_VALUE_ERROR'],
  ];
  test.each(cases)('%s', async (_, make, kind) => {
    const body = await make();
    const answer = await send(real, 'POST', '/api/v1/sdk/push', typeof body === 'string' ? body : JSON.stringify(body));
    const { code } = ERRORS[kind];
    expect([answer.json().message, answer.json().code, answer.json().error_code, answer.statusCode, answer.json().data]).toEqual([
      kind,
      code,
      code,
      400,
      null,
    ]);
    expect(Object.keys(answer.json())).toEqual(ENVELOPE);
  });

  test('another method, in the same envelope', async () => {
    const answer = await real.app.server.inject({ url: `/api/v1/sdk/push?${real.query}` });
    expect([answer.statusCode, answer.headers.allow, Object.keys(answer.json())]).toEqual([405, 'POST, OPTIONS', ENVELOPE]);
  });
});
