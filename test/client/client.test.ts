import { afterEach, describe, expect, it } from 'vitest';
import { MingxiClient, type MingxiClientOptions, MingxiConnectionError, MingxiError, MingxiTimeoutError } from '../../src/client/index.ts';
import { ERRORS } from '../../src/errors.ts';
import { verifySignature } from '../../src/server/signature/verify.ts';
import { type Arrival, type Reply, scriptedService } from './scripted-service.ts';

const closing: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const close of closing.splice(0)) await close();
});

async function client(script: Parameters<typeof scriptedService>, options: Partial<MingxiClientOptions> = {}) {
  const service = await scriptedService(...script);
  closing.push(service.close);
  return { service, client: new MingxiClient({ baseUrl: service.baseUrl, apiKey: 'ak', apiSecret: 'sk', ...options }) };
}

const PICTURE = Buffer.from('a picture');
const SUCCESS: Reply = {
  json: {
    media_info_list: [{ media_data: PICTURE.toString('base64'), media_profiles: { media_data_type: 'jpg' } }],
    parameter: { rsp_media_type: 'jpg', version: '1.0.1' },
  },
};
const failure = (name: keyof typeof ERRORS, extra: Record<string, unknown> = {}, headers: Record<string, string> = {}): Reply => ({
  status: ERRORS[name].status,
  json: { ErrorCode: ERRORS[name].code, ErrorMsg: name, Data: null, message: 'why', request_id: 'r1', ...extra },
  headers,
});

describe('the direct call', () => {
  it('sends the documented request and reads the picture', async () => {
    const { client: mingxi, service } = await client([SUCCESS]);
    const [picture] = await mingxi.restore(new Uint8Array([1, 2, 3]), { strength: 0.5, rsp_media_type: 'jpg' });
    expect(picture?.data).toEqual(PICTURE);
    expect(await picture?.bytes()).toEqual(PICTURE);
    const arrival = service.arrivals[0] as Arrival;
    expect([arrival.method, arrival.url.pathname]).toEqual(['POST', '/v1/aiquality']);
    expect(Object.fromEntries(arrival.url.searchParams)).toEqual({ api_key: 'ak', api_secret: 'sk' });
    expect(JSON.parse(arrival.body)).toEqual({
      media_info_list: [{ media_data: 'AQID', media_profiles: { media_data_type: 'jpg' } }],
      parameter: { strength: 0.5, rsp_media_type: 'jpg' },
      extra: {},
    });
  });

  it('labels links, keeps base64, and keeps the order of several', async () => {
    const { client: mingxi, service } = await client([SUCCESS]);
    await mingxi.restore(['https://example.com/a.jpg', new URL('http://example.com/b'), 'AQID']);
    expect(JSON.parse((service.arrivals[0] as Arrival).body).media_info_list).toEqual([
      { media_data: 'https://example.com/a.jpg', media_profiles: { media_data_type: 'url' } },
      { media_data: 'http://example.com/b', media_profiles: { media_data_type: 'url' } },
      { media_data: 'AQID', media_profiles: { media_data_type: 'jpg' } },
    ]);
  });

  it('works below a path and against another interface of the family', async () => {
    const service = await scriptedService(SUCCESS);
    closing.push(service.close);
    const mingxi = new MingxiClient({ baseUrl: `${service.baseUrl}/proxy/`, apiKey: 'a&b', apiSecret: 's=+ /', path: '/v2/denoise' });
    await mingxi.restore('AQID');
    expect(service.arrivals[0]?.url.pathname).toBe('/proxy/v2/denoise');
    expect(service.arrivals[0]?.url.searchParams.get('api_secret')).toBe('s=+ /');
  });

  it('follows a result link', async () => {
    const { client: mingxi } = await client([
      (arrival) => ({
        json: { media_info_list: [{ media_data: `http://${hostOf(arrival)}/r`, media_profiles: { media_data_type: 'url' } }] },
      }),
      { text: 'bytes of the result' },
    ]);
    const [picture] = await mingxi.restore('AQID', { rsp_media_type: 'url' });
    expect(picture?.data).toBeUndefined();
    expect(Buffer.from((await picture?.bytes()) ?? []).toString()).toBe('bytes of the result');
  });

  it('says so when a result link is gone', async () => {
    const { client: mingxi } = await client([
      (arrival) => ({ json: { media_info_list: [{ media_data: `http://${hostOf(arrival)}/r` }] } }),
      { status: 404, text: '' },
    ]);
    const [picture] = await mingxi.restore('AQID');
    await expect(picture?.bytes()).rejects.toThrow(/status 404/);
  });
});

describe('failures', () => {
  it('carry code, name, status, request id and the service’s sentence', async () => {
    const { client: mingxi, service } = await client([failure('IMAGE_DECODE_SIZE_ERROR')]);
    const error = await mingxi.restore('AQID').catch((e: unknown) => e);
    expect(error).toBeInstanceOf(MingxiError);
    expect(error).toMatchObject({ code: 23103, kind: 'IMAGE_DECODE_SIZE_ERROR', status: 400, requestId: 'r1', retryable: false });
    expect((error as Error).message).toBe('23103 IMAGE_DECODE_SIZE_ERROR: why');
    expect(service.arrivals).toHaveLength(1);
  });

  const names = Object.keys(ERRORS) as (keyof typeof ERRORS)[];
  it.each(names)('%s is retried only if the table says so', async (name) => {
    const { client: mingxi, service } = await client([failure(name, {}, { 'retry-after': '0' }), SUCCESS]);
    const outcome = await mingxi.restore('AQID').then(
      () => 'restored',
      (error: MingxiError) => error.code,
    );
    // NOT_RESULT is the answer to a question, and asking again is the business of wait().
    const again = ERRORS[name].retryable && name !== 'NOT_RESULT';
    expect(outcome).toBe(again ? 'restored' : ERRORS[name].code);
    expect(service.arrivals).toHaveLength(again ? 2 : 1);
  });

  it('a code outside the table is not retried', async () => {
    const { client: mingxi, service } = await client([{ status: 400, json: { ErrorCode: 20003, ErrorMsg: 'NO_FACE', Data: null } }]);
    await expect(mingxi.restore('AQID')).rejects.toMatchObject({ code: 20003, kind: 'UNKNOWN', retryable: false });
    expect(service.arrivals).toHaveLength(1);
  });

  it('waits as long as Retry-After says', async () => {
    const { client: mingxi, service } = await client([failure('GATEWAY_QPS_LIMIT', {}, { 'retry-after': '1' }), SUCCESS]);
    await mingxi.restore('AQID');
    const [first, second] = service.arrivals as [Arrival, Arrival];
    expect(second.at - first.at).toBeGreaterThanOrEqual(990);
  });

  it('hands a long Retry-After to the caller', async () => {
    const { client: mingxi, service } = await client([failure('ALGORITHM_OVER_CONCURRENT', {}, { 'retry-after': '3600' })]);
    await expect(mingxi.restore('AQID')).rejects.toMatchObject({ code: 29904, retryAfter: 3600 });
    expect(service.arrivals).toHaveLength(1);
  });

  it('gives up after the agreed number of tries', async () => {
    const { client: mingxi, service } = await client([failure('GATEWAY_TIMEOUT', {}, { 'retry-after': '0' })], { retries: 3 });
    await expect(mingxi.restore('AQID')).rejects.toMatchObject({ code: 90009 });
    expect(service.arrivals).toHaveLength(4);
  });

  it.each<[string, Reply]>([
    ['a page of a proxy', { status: 502, text: '<html>Bad Gateway</html>' }],
    ['an empty body', { status: 200, text: '' }],
    ['a status without a code', { status: 500, json: {} }],
    ['a success without pictures', { json: { parameter: {} } }],
    ['a redirect that would carry the keys away', { status: 307, headers: { location: 'http://127.0.0.1:1/' } }],
  ])('%s is a connection error and never repeated', async (_, reply) => {
    const { client: mingxi, service } = await client([reply]);
    await expect(mingxi.restore('AQID')).rejects.toBeInstanceOf(MingxiConnectionError);
    expect(service.arrivals).toHaveLength(1);
  });

  it('a cut connection is not repeated for a submit but is for a query', async () => {
    const cut = await client([{ cut: true }, { json: { msg_id: 'm' } }]);
    await expect(cut.client.submit('AQID')).rejects.toMatchObject({ name: 'MingxiConnectionError', unsent: false });
    expect(cut.service.arrivals).toHaveLength(1);
    const asked = await client([{ cut: true }, SUCCESS]);
    expect(await asked.client.query('m')).toMatchObject({ done: true });
    expect(asked.service.arrivals).toHaveLength(2);
  });

  it('a refused connection is known to be unsent', async () => {
    const service = await scriptedService(SUCCESS);
    await service.close();
    const mingxi = new MingxiClient({ baseUrl: service.baseUrl, apiKey: 'a', apiSecret: 's', retries: 0 });
    await expect(mingxi.submit('AQID')).rejects.toMatchObject({ name: 'MingxiConnectionError', unsent: true });
  });

  it('the time limit of a request', async () => {
    const { client: mingxi } = await client([{ silent: true }], { timeout: 50 });
    await expect(mingxi.restore('AQID')).rejects.toBeInstanceOf(MingxiTimeoutError);
  });

  it.each(['before', 'during'])('an abort %s the call rejects with its reason', async (when) => {
    const { client: mingxi } = await client([{ silent: true }]);
    const reason = new Error('changed my mind');
    const controller = new AbortController();
    if (when === 'before') controller.abort(reason);
    else setTimeout(() => controller.abort(reason), 20);
    await expect(mingxi.restore('AQID', {}, { signal: controller.signal })).rejects.toBe(reason);
  });

  it('an abort ends the wait for a retry', async () => {
    const { client: mingxi } = await client([failure('GATEWAY_QPS_LIMIT', {}, { 'retry-after': '20' })]);
    await expect(mingxi.restore('AQID', {}, { signal: AbortSignal.timeout(100) })).rejects.toMatchObject({ name: 'TimeoutError' });
  });
});

describe('the asynchronous form', () => {
  const pending = (progress: number) => failure('NOT_RESULT', { msg_id: 'm1', progress });

  it('submits, asks with a bare POST until done, and reports progress', async () => {
    const { client: mingxi, service } = await client([{ json: { msg_id: 'm1' } }, pending(0.25), pending(0.75), SUCCESS]);
    const seen: number[] = [];
    const pictures = await mingxi.restoreAsync('AQID', {}, { interval: 5, onProgress: (progress) => seen.push(progress) });
    expect(pictures[0]?.data).toEqual(PICTURE);
    expect(seen).toEqual([0.25, 0.75, 1]);
    const [submit, question] = service.arrivals as [Arrival, Arrival];
    expect(submit.url.pathname).toBe('/v1/aiquality_async');
    expect([question.method, question.url.pathname, question.url.searchParams.get('msg_id'), question.body]).toEqual([
      'POST',
      '/v1/query',
      'm1',
      '',
    ]);
    expect(question.rawHeaders.map((name) => name.toLowerCase())).not.toContain('content-type');
  });

  it('sends the callback address in extra', async () => {
    const { client: mingxi, service } = await client([{ json: { msg_id: 'm1' } }]);
    expect(await mingxi.submit('AQID', {}, { callbackUrl: 'https://example.com/done' })).toBe('m1');
    expect(JSON.parse((service.arrivals[0] as Arrival).body).extra).toEqual({ callback_url: 'https://example.com/done' });
  });

  it('a failed job rejects with its code', async () => {
    const { client: mingxi } = await client([{ json: { msg_id: 'm1' } }, failure('PROCESS_ERROR')]);
    await expect(mingxi.restoreAsync('AQID', {}, { interval: 5 })).rejects.toMatchObject({ code: 20001 });
  });

  it('patience runs out', async () => {
    const { client: mingxi } = await client([pending(0.1)]);
    await expect(mingxi.wait('m1', { interval: 10, patience: 40 })).rejects.toBeInstanceOf(MingxiTimeoutError);
  });

  it('an abort ends the waiting', async () => {
    const { client: mingxi } = await client([pending(0.1)]);
    await expect(mingxi.wait('m1', { interval: 5000, signal: AbortSignal.timeout(50) })).rejects.toMatchObject({ name: 'TimeoutError' });
  });

  it('an answer without msg_id is no success', async () => {
    const { client: mingxi } = await client([{ json: {} }]);
    await expect(mingxi.submit('AQID')).rejects.toBeInstanceOf(MingxiConnectionError);
  });
});

describe('the signed gateway', () => {
  const envelope = (data: unknown): Reply => ({ json: { request_id: 'r1', trace_id: 't', code: 0, error_code: 0, message: '', data } });
  const task = (status: number, extra: Record<string, unknown> = {}) =>
    envelope({ status, task_id: 't_1', progress: status === 10 ? 1 : 0.5, result: { id: 't_1' }, ...extra });
  const done = task(10, {
    result: { id: 't_1', urls: [], media_info_list: (SUCCESS.json as { media_info_list: unknown }).media_info_list, code: 0 },
  });

  /** Answers only when the service's own verifier accepts the request. */
  const ifSigned = (reply: Reply) => async (arrival: Arrival) => {
    await verifySignature(
      { method: arrival.method, url: arrival.rawUrl, rawHeaders: arrival.rawHeaders, body: Buffer.from(arrival.body) },
      { now: Date.now(), findKey: async (id) => (id === 'ak' ? { key: id, secret: 'sk' } : undefined) },
    );
    return reply;
  };

  it('signs so that the verifier accepts, pushes, and polls until success', async () => {
    const { client: mingxi, service } = await client([ifSigned(task(9)), ifSigned(task(1)), ifSigned(done)]);
    const [picture] = await mingxi.gateway.restore(
      'https://example.com/a b.jpg',
      { quality: 90 },
      { interval: 5, context: 'a b~*明', syncTimeout: 3 },
    );
    expect(picture?.data).toEqual(PICTURE);
    const [push, status] = service.arrivals as [Arrival, Arrival];
    expect(push.url.pathname).toBe('/api/v1/sdk/sync/push');
    expect(JSON.parse(push.body)).toEqual({
      task: '/v1/aiquality',
      task_type: 'mtlab',
      init_images: [{ url: 'https://example.com/a b.jpg', profile: { media_profiles: { media_data_type: 'url' }, version: 'v1' } }],
      params: '{"parameter":{"quality":90}}',
      rsp_media_type: 'url',
      sync_timeout: 3,
      context: 'a b~*明',
    });
    expect([status.method, status.url.pathname]).toEqual(['GET', '/api/v1/sdk/status']);
    expect(Object.fromEntries(status.url.searchParams)).toEqual({ task_id: 't_1', context: 'a b~*明' });
  });

  it('push returns the created task', async () => {
    const { client: mingxi } = await client([ifSigned(task(0))]);
    expect(await mingxi.gateway.push('AQID')).toMatchObject({ status: 0, task_id: 't_1' });
  });

  it('the self-test of a signature', async () => {
    const { client: mingxi, service } = await client([ifSigned(envelope(null))]);
    await mingxi.gateway.authorize();
    expect([service.arrivals[0]?.rawUrl, service.arrivals[0]?.body]).toEqual(['/demo/authorization', '{}']);
  });

  it.each<[string, Reply, number]>([
    ['a refusal', { status: 400, json: { code: 90002, error_code: 90002, message: 'GATEWAY_AUTHORIZED_ERROR', data: null } }, 90002],
    [
      'a failed task with status 200',
      task(2, { result: { id: 't_1', code: 23101, error_code: 23101, error_msg: 'IMAGE_DECODE_ERROR' } }),
      23101,
    ],
    ['a task that is not found', task(-1, { result: null }), 10004],
  ])('%s rejects with its code', async (_, reply, code) => {
    const { client: mingxi } = await client([reply]);
    await expect(mingxi.gateway.status('t_1')).rejects.toMatchObject({ name: 'MingxiError', code });
  });

  it('an envelope without data is no success', async () => {
    const { client: mingxi } = await client([envelope(null)]);
    await expect(mingxi.gateway.status('t_1')).rejects.toBeInstanceOf(MingxiConnectionError);
  });
});

function hostOf(arrival: Arrival): string {
  const at = arrival.rawHeaders.findIndex((name) => name.toLowerCase() === 'host');
  return arrival.rawHeaders[at + 1] ?? '';
}
