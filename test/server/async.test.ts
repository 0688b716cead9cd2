import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import sharp from 'sharp';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { ERRORS, type ErrorName } from '../../src/errors.ts';
import { bodyOf, type TestApp, testApp } from '../support/app.ts';
import { flatPng, jpeg, png, webp } from '../support/pictures.ts';
import { temporaryFolder } from '../support/temporary.ts';
import { type OrderService, orderService } from './order-service.ts';

const folder = mkdtempSync(join(tmpdir(), 'mingxi-test-'));
let api: TestApp;
let obedient: OrderService;
beforeAll(async () => {
  api = await testApp(join(folder, 'real'), { fetchAllow: '127.0.0.1' });
  await api.listen();
  obedient = await orderService(join(folder, 'obedient'), { jobTimeout: 6 });
});
afterAll(async () => {
  await api.app.close();
  await obedient.close();
  rmSync(folder, { recursive: true, force: true });
});

const submit = (t: TestApp, body: unknown, query = t.query, path = '/v1/aiquality_async') =>
  t.app.server.inject({ method: 'POST', url: `${path}?${query}`, payload: JSON.stringify(body) });
const ask = (t: TestApp, id: string, query = t.query, method: 'GET' | 'POST' = 'POST') =>
  t.app.server.inject({ method, url: `/v1/query?${query}&msg_id=${id}` });

/** Submits and asks until the job has ended. */
async function run(t: TestApp, body: unknown) {
  const submitted = await submit(t, body);
  expect([submitted.statusCode, Object.keys(submitted.json())]).toEqual([200, ['msg_id']]);
  const id: string = submitted.json().msg_id;
  for (;;) {
    const answer = await ask(t, id);
    if (answer.json().ErrorCode !== ERRORS.NOT_RESULT.code) return { id, answer, body: answer.json() };
    await new Promise((resolve) => setTimeout(resolve, 30));
  }
}

describe('a submit and its query', () => {
  test('carry the ordinary success body plus msg_id, by GET and POST alike, as often as asked', async () => {
    const source = await jpeg(96, 64);
    const { id, answer, body } = await run(api, bodyOf(source));
    expect(id).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
    expect(answer.statusCode).toBe(200);
    expect(answer.headers['content-type']).toBe('application/json; charset=utf-8');
    expect(Object.keys(body)).toEqual(['media_info_list', 'parameter', 'msg_id']);
    expect(body).toMatchObject({ parameter: { rsp_media_type: 'jpg', version: '1.0.1' }, msg_id: id });
    expect(body.media_info_list[0].media_profiles).toEqual({ media_data_type: 'jpg' });
    const result = Buffer.from(body.media_info_list[0].media_data, 'base64');
    expect(await sharp(result).metadata()).toMatchObject({ format: 'jpeg', width: 96, height: 64 });
    expect(result.equals(source)).toBe(false);
    expect((await ask(api, id, api.query, 'GET')).json()).toEqual(body);
    // The same work as the synchronous call does.
    expect((await api.post(bodyOf(source))).json().media_info_list).toEqual(body.media_info_list);
  });

  test('may be png, a link, with a report, and several pictures in order', async () => {
    const { body: asPng } = await run(api, bodyOf(await png(64, 48), { rsp_media_type: 'png' }));
    expect((await sharp(Buffer.from(asPng.media_info_list[0].media_data, 'base64')).metadata()).format).toBe('png');
    const two = { ...bodyOf(await jpeg(64, 64), { rsp_media_type: 'url', report: true }) };
    two.media_info_list.push(bodyOf(await jpeg(80, 64)).media_info_list[0] as never);
    const { body } = await run(api, two);
    const widths: (number | undefined)[] = [];
    for (const { media_data, media_profiles, media_extra } of body.media_info_list) {
      expect(media_profiles.media_data_type).toBe('url');
      const response = await api.app.server.inject({ url: new URL(media_data).pathname });
      expect(response.statusCode).toBe(200);
      widths.push((await sharp(response.rawPayload).metadata()).width);
      expect(media_extra.report.source.width).toBe(widths.at(-1));
    }
    expect(widths).toEqual([64, 80]);
  });

  test('do not care for a content type, and the query not for a body', async () => {
    const submitted = await api.app.server.inject({
      method: 'POST',
      url: `//v1/AIQUALITY_async/?${api.query}`,
      headers: { 'content-type': 'application/x-www-form-urlencoded' },
      payload: JSON.stringify(bodyOf(await jpeg(64, 64))),
    });
    expect(submitted.statusCode).toBe(200);
    const strange = await api.app.server.inject({
      method: 'POST',
      url: `/v1/query?${api.query}&msg_id=${submitted.json().msg_id}`,
      headers: { 'content-type': 'application/json' },
      payload: 'no json',
    });
    expect([200, 400]).toContain(strange.statusCode);
    expect(strange.json().msg_id).toBe(submitted.json().msg_id);
  });
});

describe('a query', () => {
  const { NOT_RESULT, TASK_NOEXIST } = ERRORS;

  test('for a job that is not done says 29901 with msg_id and progress', async () => {
    const { json } = await submit(obedient.api, bodyOf(obedient.order('progress 900'), {}, 'url'));
    const id: string = json().msg_id;
    const seen: number[] = [];
    for (let answer = await ask(obedient.api, id); answer.statusCode === 400; answer = await ask(obedient.api, id)) {
      const body = answer.json();
      expect(body).toMatchObject({ ErrorCode: NOT_RESULT.code, ErrorMsg: 'NOT_RESULT', Data: null, msg_id: id });
      seen.push(body.progress);
      await new Promise((resolve) => setTimeout(resolve, 40));
    }
    expect(seen.every((value) => value >= 0 && value <= 1)).toBe(true);
    expect(seen).toEqual([...seen].sort((a, b) => a - b));
    expect(Math.max(...seen)).toBeGreaterThan(Math.min(...seen));
  });

  test.each<[string, string, ErrorName]>([
    ['a damaged picture', 'refuse x', 'IMAGE_DECODE_ERROR'],
    ['what takes too long, with 400 like every failed job', 'hang 0', 'GATEWAY_TIMEOUT'],
    ['a picture that kills its workers', 'die 0', 'PROCESS_ERROR'],
  ])('for %s answers 400 with its code', async (_, order, kind) => {
    const { id, answer, body } = await run(obedient.api, bodyOf(obedient.order(order), {}, 'url'));
    expect([answer.statusCode, body.ErrorCode, body.ErrorMsg, body.Data, body.msg_id]).toEqual([400, ERRORS[kind].code, kind, null, id]);
    expect(body.message).toMatch(/\.$/);
  });

  test('for a link that does not answer carries the download’s code', async () => {
    const { body } = await run(obedient.api, bodyOf('http://127.0.0.1:1/a.jpg', {}, 'url'));
    expect(body.ErrorCode).toBe(ERRORS.IMAGE_DOWNLOAD_FAILED.code);
  });

  test.each([
    ['an unknown id', '8d0d5ac9-8a80-4a5e-9ad0-000000000000'],
    ['an id of another form', '../../etc/passwd'],
    ['SQL', encodeURIComponent("' or '1'='1")],
    ['a very long id', 'a'.repeat(5000)],
  ])('for %s says 10004', async (_, id) => {
    const answer = await ask(api, id);
    expect([answer.statusCode, answer.json().ErrorCode, answer.json().ErrorMsg]).toEqual([400, TASK_NOEXIST.code, 'TASK_NOEXIST']);
  });

  test('with another key says 10004, as if the id were unknown', async () => {
    const { id } = await run(api, bodyOf(await jpeg(64, 64)));
    const other = await api.newKey();
    const foreign = (await ask(api, id, other.query)).json();
    const unknown = (await ask(api, '8d0d5ac9-8a80-4a5e-9ad0-000000000000', other.query)).json();
    expect({ ...foreign, request_id: '' }).toEqual({ ...unknown, request_id: '' });
  });

  test('without id, with two, or without a key', async () => {
    const code = async (query: string) => (await api.app.server.inject({ method: 'POST', url: `/v1/query?${query}` })).json().ErrorCode;
    expect(await code(api.query)).toBe(ERRORS.PARAM_MISSING_ERROR.code);
    expect(await code(`${api.query}&msg_id=a&msg_id=b`)).toBe(ERRORS.PARAM_TYPE_ERROR.code);
    expect(await code('msg_id=a')).toBe(ERRORS.GATEWAY_AUTHORIZED_ERROR.code);
    expect(await code(`api_key=${api.key}&api_secret=wrong&msg_id=a`)).toBe(ERRORS.GATEWAY_AUTHORIZED_ERROR.code);
  });
});

describe('a submit that cannot succeed is refused at once', () => {
  const list = (media_data: unknown) => ({ media_info_list: [{ media_data }], parameter: {} });
  const cases: [string, () => Promise<unknown>, ErrorName][] = [
    ['a WebP file', async () => bodyOf(await webp(64, 64)), 'IMAGE_DECODE_FORMAT_ERROR'],
    ['47 px', async () => bodyOf(await flatPng(47, 64)), 'IMAGE_DECODE_SIZE_ERROR'],
    ['4097 px', async () => bodyOf(await flatPng(4097, 64)), 'RESOLUTION_TOO_LARGE_ERROR'],
    ['a file over 2 MB', async () => bodyOf(Buffer.alloc(2 * 1024 * 1024 + 1, 7)), 'PICTURE_OVERRUN_ERROR'],
    ['no base64', async () => list('***'), 'GATEWAY_BASE64_DECODE_ERROR'],
    ['a malformed link', async () => list('http://'), 'INVALID_URL_ERROR'],
    ['a number as picture', async () => list(5), 'PARAM_TYPE_ERROR'],
    ['no parameter', async () => ({ media_info_list: [{ media_data: 'AAAA' }] }), 'PARAM_MISSING_ERROR'],
    ['an impossible strength', async () => bodyOf(await jpeg(64, 64), { strength: 2 }), 'PARAM_VALUE_ERROR'],
    ['a callback that is no link', async () => ({ ...bodyOf(await jpeg(64, 64)), extra: { callback_url: 'x' } }), 'INVALID_URL_ERROR'],
    ['a callback of another type', async () => ({ ...bodyOf(await jpeg(64, 64)), extra: { callback_url: 5 } }), 'PARAM_TYPE_ERROR'],
  ];
  test.each(cases)('%s', async (_, body, kind) => {
    const answer = await submit(api, await body());
    expect([answer.json().ErrorMsg, answer.json().ErrorCode, answer.statusCode]).toEqual([kind, ERRORS[kind].code, ERRORS[kind].status]);
  });

  test('a GET is no submit', async () => {
    expect((await api.app.server.inject({ url: `/v1/aiquality_async?${api.query}` })).statusCode).toBe(405);
  });
});

describe('restart and expiry', () => {
  test('an accepted job is finished by the next process', async () => {
    const data = temporaryFolder();
    const first = await testApp(data, { role: 'api', drainTimeout: 0 });
    const { json } = await submit(first, bodyOf(await jpeg(64, 64)));
    await first.app.close();
    const second = await testApp(data);
    await second.listen();
    const query = `api_key=${first.key}&api_secret=${first.secret}`;
    let answer = await ask(second, json().msg_id, query);
    while (answer.json().ErrorCode === 29901) {
      await new Promise((resolve) => setTimeout(resolve, 50));
      answer = await ask(second, json().msg_id, query);
    }
    expect(answer.statusCode).toBe(200);
    await second.app.close();
  });

  test('after its time job, source and result are gone together', async () => {
    const t = await testApp(temporaryFolder(), { resultHours: 0.01, sweepSeconds: 3600 });
    await t.listen();
    const { id } = await run(t, bodyOf(await jpeg(64, 64)));
    const job = await t.app.db.selectFrom('jobs').selectAll().where('id', '=', id).executeTakeFirstOrThrow();
    const objects = [JSON.parse(job.pictures)[0].source.object, JSON.parse(job.results ?? '')[0].object];
    for (const object of objects) expect(await t.app.storage.stat(object)).toBeDefined();
    await t.app.db.updateTable('jobs').set({ expires_at: Date.now() }).execute();
    expect((await ask(t, id)).json().ErrorCode).toBe(ERRORS.TASK_NOEXIST.code);
    await t.app.retention.sweep();
    for (const object of objects) expect(await t.app.storage.stat(object)).toBeUndefined();
    expect(await t.app.db.selectFrom('jobs').selectAll().execute()).toEqual([]);
    await t.app.close();
  });
});
