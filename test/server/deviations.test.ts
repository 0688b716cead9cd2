import { mkdtempSync, rmSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { bodyOf, type TestApp, testApp } from '../support/app.ts';
import { httpServer, type TestServer } from '../support/http-server.ts';
import { jpeg, png } from '../support/pictures.ts';

/** One test for each thing real clients do that the documentation does not say (api.md §1.2). */
const folder = mkdtempSync(join(tmpdir(), 'mingxi-test-'));
let api: TestApp;
let files: TestServer;
let base: string;
let url: string;
let picture: Buffer;
let base64: string;

beforeAll(async () => {
  picture = await jpeg(80, 64);
  base64 = picture.toString('base64');
  files = await httpServer((_request, response) => response.end(picture));
  base = files.base;
  api = await testApp(folder, { fetchAllow: '127.0.0.1' });
  url = await api.listen();
});
afterAll(async () => {
  await api.app.close();
  await files.close();
  rmSync(folder, { recursive: true, force: true });
});

/** A request over a real socket, with exactly these header lines. */
function raw(head: string[], body: string | Buffer): Promise<string> {
  const { hostname, port } = new URL(url);
  return new Promise((resolve, reject) => {
    const socket = connect(Number(port), hostname, () => {
      socket.write(
        `${[...head, 'Host: example.test', 'Connection: close', `Content-Length: ${Buffer.byteLength(body)}`].join('\r\n')}\r\n\r\n`,
      );
      socket.write(body);
    });
    let text = '';
    socket.setEncoding('latin1');
    socket.on('data', (chunk) => {
      text += chunk;
    });
    socket.on('end', () => resolve(text));
    socket.on('error', reject);
  });
}

describe('1. content type', () => {
  const body = () => JSON.stringify(bodyOf(base64));

  test('absent', async () => {
    expect(await raw([`POST /v1/aiquality?${api.query} HTTP/1.1`], body())).toMatch(/^HTTP\/1\.1 200 /);
  });

  test("the documentation's own curl line: a misspelt header option leaves the form type", async () => {
    const head = [`POST /v1/aiquality?${api.query} HTTP/1.1`, 'Content-Type: application/x-www-form-urlencoded'];
    expect(await raw(head, body())).toMatch(/^HTTP\/1\.1 200 /);
  });

  test.each([
    'APPLICATION/JSON',
    'application/json;charset=UTF-8',
    'application/json; charset=gbk',
    'text/plain',
    'multipart/form-data',
    'image/jpeg',
    'json',
    'utf-8',
    ';;;',
    'application/json, application/json',
    '*/*',
  ])('%s', async (type) => {
    const answer = await api.post(bodyOf(base64), { 'content-type': type });
    expect(answer.statusCode).toBe(200);
  });

  test('with a body that is no JSON: a well-formed JSON error', async () => {
    const answer = await api.post('media_info_list=1&parameter=2', { 'content-type': 'application/x-www-form-urlencoded' });
    expect(answer.headers['content-type']).toBe('application/json; charset=utf-8');
    expect(answer.json()).toMatchObject({ ErrorCode: 21105, ErrorMsg: 'PARAM_JSON_DECODE_ERROR', Data: null });
  });

  test('a byte order mark before the JSON', async () => {
    expect((await api.post(`\uFEFF${body()}`)).statusCode).toBe(200);
  });

  test('a chunked body without a length', async () => {
    const head = `POST /v1/aiquality?${api.query} HTTP/1.1\r\nHost: a\r\nConnection: close\r\nTransfer-Encoding: chunked\r\n\r\n`;
    const { hostname, port } = new URL(url);
    const text = await new Promise<string>((resolve) => {
      const socket = connect(Number(port), hostname, () => {
        socket.write(head);
        for (let at = 0; at < body().length; at += 1000) {
          const part = body().slice(at, at + 1000);
          socket.write(`${part.length.toString(16)}\r\n${part}\r\n`);
        }
        socket.write('0\r\n\r\n');
      });
      socket.once('data', (chunk) => {
        resolve(chunk.toString('latin1'));
        socket.destroy();
      });
    });
    expect(text).toMatch(/^HTTP\/1\.1 200 /);
  });
});

describe('2. base64', () => {
  const accepted = async (data: string) => expect((await api.post(bodyOf(data))).statusCode).toBe(200);

  test('with line breaks every 76 characters', () => accepted(base64.replace(/.{76}/g, '$&\r\n')));
  test('with line feeds and a last line feed', () => accepted(`${base64.replace(/.{64}/g, '$&\n')}\n`));
  test('with spaces and tabs', () => accepted(` ${base64.slice(0, 10)} \t${base64.slice(10)} `));
  test('without padding', async () => {
    // One of three neighbouring lengths needs padding of every kind.
    for (const extra of [0, 1, 2])
      await accepted(
        Buffer.concat([picture, Buffer.alloc(extra)])
          .toString('base64')
          .replace(/=+$/, ''),
      );
  });
  test('in the URL-safe alphabet', async () => {
    const urlSafe = picture.toString('base64url');
    expect(urlSafe).toMatch(/[-_]/);
    await accepted(urlSafe);
  });
  test('behind a data: prefix', () => accepted(`data:image/jpeg;base64,${base64}`));
  test('behind a data: prefix with parameters and capitals', () => accepted(`DATA:image/png;name=a.png;Base64,${base64}`));
});

describe('3. labels', () => {
  test.each(['jpg', 'png', 'webp', 'base64', 'image', 'JPG', '', ' '])('PNG bytes labelled %j', async (label) => {
    expect((await api.post(bodyOf(await png(64, 64), {}, label))).statusCode).toBe(200);
  });

  test('a link under the label url, in capitals too', async () => {
    for (const label of ['url', 'URL', ' Url ']) expect((await api.post(bodyOf(`${base}/a.jpg`, {}, label))).statusCode).toBe(200);
  });

  test.each(['jpg', 'base64', ''])('a link under the label %j', async (label) => {
    expect((await api.post(bodyOf(`${base}/a.jpg`, {}, label))).statusCode).toBe(200);
  });

  test('a link with a scheme in capitals and space around it', async () => {
    expect((await api.post(bodyOf(`  ${base.replace('http', 'HTTP')}/a.jpg\n`))).statusCode).toBe(200);
  });

  test('a link that is not percent-encoded: spaces and Chinese', async () => {
    expect((await api.post(bodyOf(`${base}/我的 照片.jpg?名=一 二`, {}, 'url'))).statusCode).toBe(200);
  });

  test.each([['absent'], [null], [[]], [{}], [{ media_data_type: null }], [{ media_data_type: 5 }]])(
    'media_profiles %j',
    async (profiles) => {
      const entry = { media_data: base64, ...(profiles === 'absent' ? {} : { media_profiles: profiles }) };
      expect((await api.post({ media_info_list: [entry], parameter: {} })).statusCode).toBe(200);
    },
  );
});

describe('4. empty and unknown members', () => {
  test.each([[undefined], [{}], [null], [[]], ['']])('extra and media_extra %j', async (empty) => {
    const body = { ...bodyOf(base64), extra: empty };
    const entry = { ...body.media_info_list[0], media_extra: empty };
    expect((await api.post({ ...body, media_info_list: [entry] })).statusCode).toBe(200);
  });

  test('unknown members at every level', async () => {
    const body = bodyOf(base64, { unknown: 1, rsp_media_type: 'jpg', nested: { a: [] } });
    const entry = { ...body.media_info_list[0], other: 1 };
    expect((await api.post({ ...body, media_info_list: [entry], version: 2, app: null })).statusCode).toBe(200);
  });

  test('members named like those of every object', async () => {
    const text = JSON.stringify(bodyOf(base64)).replace(
      '"parameter":{',
      '"__proto__":{"a":1},"constructor":1,"parameter":{"__proto__":null,"toString":1',
    );
    expect((await api.post(text)).statusCode).toBe(200);
  });

  test('parameter as the empty array PHP makes of an empty object', async () => {
    expect((await api.post({ ...bodyOf(base64), parameter: [] })).statusCode).toBe(200);
  });

  test('numbers and booleans as strings', async () => {
    const answer = await api.post(bodyOf(base64, { strength: '0.5', quality: ' 90 ', report: 'true', scale: '1', face_strength: '1' }));
    expect(answer.json().media_info_list[0].media_extra.report.strength).toBe(0.5);
  });
});

describe('5. credentials', () => {
  const send = (query: string, headers: Record<string, string>, body: object) =>
    api.app.server.inject({ method: 'POST', url: `/v1/aiquality${query}`, headers, payload: JSON.stringify(body) });

  test('as headers', async () => {
    expect((await send('', { 'x-api-key': api.key, 'x-api-secret': api.secret }, bodyOf(base64))).statusCode).toBe(200);
  });
  test('in the JSON body', async () => {
    expect((await send('', {}, { ...bodyOf(base64), api_key: api.key, api_secret: api.secret })).statusCode).toBe(200);
  });
  test('the key in the query, the secret in the body', async () => {
    expect((await send(`?api_key=${api.key}`, {}, { ...bodyOf(base64), api_secret: api.secret })).statusCode).toBe(200);
  });
  test('twice the same in the query', async () => {
    expect((await send(`?${api.query}&${api.query}`, {}, bodyOf(base64))).statusCode).toBe(200);
  });
});

describe('6. path', () => {
  test.each(['/V1/AIQuality', '/v1/aiquality/', '//v1/aiquality', '//V1//aiQuality//', '/v1/aiquality/?x=1'])('%s', async (path) => {
    const mark = path.includes('?') ? '&' : '?';
    const answer = await api.app.server.inject({
      method: 'POST',
      url: `${path}${mark}${api.query}`,
      payload: JSON.stringify(bodyOf(base64)),
    });
    expect(answer.statusCode).toBe(200);
  });

  test('a doubled leading slash over a real connection', async () => {
    expect(await raw([`POST //v1/aiquality?${api.query} HTTP/1.1`], JSON.stringify(bodyOf(base64)))).toMatch(/^HTTP\/1\.1 200 /);
  });

  test('an absolute request target, as a proxy sends it', async () => {
    expect(await raw([`POST http://example.test/v1/aiquality?${api.query} HTTP/1.1`], JSON.stringify(bodyOf(base64)))).toMatch(
      /^HTTP\/1\.1 200 /,
    );
  });
});

describe('7. browsers', () => {
  const preflight = {
    origin: 'https://page.example',
    'access-control-request-method': 'POST',
    'access-control-request-headers': 'content-type,x-api-key',
  };

  test.each(['/v1/aiquality', '/V1/AIQUALITY/', '/v1/models'])('preflight of %s', async (path) => {
    const answer = await api.app.server.inject({ method: 'OPTIONS', url: path, headers: preflight });
    expect(answer.statusCode).toBe(204);
    expect(answer.headers['access-control-allow-origin']).toBe('*');
    expect(answer.headers['access-control-allow-methods']).toContain('POST');
    expect(answer.headers['access-control-allow-headers']).toContain('x-api-key');
    expect(answer.headers).not.toHaveProperty('access-control-allow-credentials');
  });

  test('answers and failures can be read by a page', async () => {
    for (const body of [bodyOf(base64), {}]) {
      const answer = await api.post(body, { origin: 'https://page.example' });
      expect(answer.headers['access-control-allow-origin']).toBe('*');
      expect(answer.headers['access-control-expose-headers']).toContain('X-Request-Id');
    }
  });
});

describe('8. face points in media_extra', () => {
  test.each([
    ['boxes', { faces: [{ box: [10, 10, 30] }] }],
    [
      'five points',
      {
        face_points: [
          [
            [10, 10],
            [30, 10],
            [20, 20],
            [12, 30],
            [28, 30],
          ],
        ],
      },
    ],
    [
      'nonsense',
      {
        faces: 'none',
        landmarks: [
          [1, 2],
          ['a', null],
        ],
        a: { b: { c: { d: { e: { f: [1] } } } } },
      },
    ],
    ['points far outside', { faces: [Array(5).fill([60000, -60000])] }],
  ])('%s never make a request fail', async (_name, extra) => {
    const body = bodyOf(base64);
    const answer = await api.post({ ...body, media_info_list: [{ ...body.media_info_list[0], media_extra: extra }] });
    expect(answer.statusCode).toBe(200);
  });
});
