import { execFile } from 'node:child_process';
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { Agent } from 'undici';
import { expect, onTestFinished, test } from 'vitest';
import { createLogger } from '../../src/observability/logger.ts';
import { obedientPool } from '../jobs/bench.ts';
import { bodyOf, testApp } from '../support/app.ts';
import { describeWith, findProgram } from '../support/private-server.ts';
import { temporaryFolder } from '../support/temporary.ts';
import { until } from '../support/until.ts';
import { orderPicture } from './order-service.ts';

/** What a refused client gets to see, over real connections: the whole answer, whatever it was about to send. */
const MB = 2 ** 20;

/** A service whose only child is busy; so many more pictures may wait. */
async function busy({ queueLimit = 0, ...overrides }: { queueLimit?: number } & Record<string, unknown> = {}) {
  const folder = temporaryFolder();
  const lines: Record<string, unknown>[] = [];
  const logger = createLogger('info', { write: (line: string) => void lines.push(JSON.parse(line)) });
  const restorer = obedientPool(1, queueLimit);
  const api = await testApp(folder, { drainTimeout: 0, syncTimeout: 600, ...overrides }, { restorer, logger });
  const url = await api.listen();
  onTestFinished(() => api.app.close());
  const running = new AbortController();
  const post = (query: string, body: string | Buffer, init: object = {}) =>
    fetch(`${url}/v1/aiquality?${query}`, { method: 'POST', body, ...init });
  const first = post(api.query, ordering('hang'), { signal: running.signal }).catch(() => undefined);
  await until(() => restorer.stats().running === 1);
  return {
    ...{ api, url, lines, restorer, folder, post },
    /** The child has nothing to do from now on. */
    free: async () => {
      running.abort();
      await first;
      await until(() => restorer.stats().running === 0);
    },
    refusedAfterAll: () => api.app.db.selectFrom('usage_failures').selectAll().execute(),
  };
}

const ordering = (order: string) => JSON.stringify(bodyOf(orderPicture(order)));
const padded = (bytes: number) => JSON.stringify({ ...bodyOf(orderPicture('restore 1')), padding: 'x'.repeat(bytes) });

async function checkRefusal(answer: { status: number; headers: Headers; body: string }): Promise<string> {
  const { status, headers } = answer;
  expect([status, headers.get('content-type')]).toEqual([503, 'application/json; charset=utf-8']);
  expect(headers.get('retry-after')).toMatch(/^[1-9]\d*$/);
  expect(headers.get('access-control-allow-origin')).toBe('*');
  const body = JSON.parse(answer.body);
  expect(body).toMatchObject({ ErrorCode: 29904, ErrorMsg: 'ALGORITHM_OVER_CONCURRENT', Data: null });
  expect(body.message).toMatch(/queue/);
  expect(body.request_id).toBe(headers.get('x-request-id'));
  return body.request_id;
}

test('fetch gets the whole refusal for bodies of any size, and each is logged and counted', async () => {
  const { api, post, lines } = await busy();
  const ids: string[] = [];
  for (const bytes of [10, 200_000, 5 * MB, 30 * MB]) {
    const answer = await post(api.query, padded(bytes));
    ids.push(await checkRefusal({ status: answer.status, headers: answer.headers, body: await answer.text() }));
  }
  await until(() => lines.filter(({ msg }) => msg === 'request').length >= ids.length);
  for (const id of ids) {
    expect(lines.find((line) => line.request_id === id)).toMatchObject({
      ...{ msg: 'request', path: '/v1/aiquality', status: 503, failure: 'ALGORITHM_OVER_CONCURRENT', key_name: 'test' },
    });
  }
  const metrics = (await api.app.server.inject('/metrics')).body;
  expect(metrics).toMatch(/^mingxi_http_requests_total\{route="\/v1\/aiquality",method="POST",status="503"\} 4$/m);
  expect(metrics).toMatch(/^mingxi_pictures_total\{outcome="ALGORITHM_OVER_CONCURRENT",model="none"\} 4$/m);
});

test('a connection is used again after refusals of small bodies', async () => {
  const { api, url, post, free } = await busy();
  const agent = new Agent({ connections: 1 });
  onTestFinished(() => agent.destroy());
  let connections = 0;
  agent.on('connect', () => connections++);
  const call = () => agent.request({ origin: url, path: `/v1/aiquality?${api.query}`, method: 'POST', body: padded(50_000) });
  for (let i = 0; i < 5; i++) {
    const { statusCode, body } = await call();
    expect([statusCode, ((await body.json()) as { ErrorCode: number }).ErrorCode]).toEqual([503, 29904]);
  }
  await free();
  const { statusCode, body } = await call();
  await body.dump();
  expect([statusCode, connections]).toEqual([200, 1]);
  expect((await post(api.query, padded(10))).status).toBe(200);
});

test('of calls that come at once only those that a place is kept for send their pictures; none of the others reserves anything', async () => {
  const { api, url, restorer, refusedAfterAll, free } = await busy({ queueLimit: 3 });
  const body = ordering('restore 1');
  const { hostname, port } = new URL(url);
  const head = `POST /v1/aiquality?${api.query} HTTP/1.1\r\nHost: a\r\nConnection: close\r\nContent-Length: ${body.length}\r\n\r\n`;
  const seen = Array.from({ length: 12 }, () => '');
  const sockets = seen.map((_, i) => {
    const socket = connect(Number(port), hostname, () => socket.write(head));
    socket.on('data', (chunk) => {
      seen[i] = `${seen[i]}${chunk}`;
    });
    onTestFinished(() => void socket.destroy());
    return socket;
  });
  await until(() => seen.filter((text) => text.includes('ALGORITHM_OVER_CONCURRENT')).length === 9);
  const kept = sockets.filter((_, i) => seen[i] === '');
  expect(kept).toHaveLength(3);
  for (const socket of kept) socket.write(body);
  await until(() => restorer.stats().waiting === 3);
  await free();
  await until(() => seen.filter((text) => text.startsWith('HTTP/1.1 200 ')).length === 3);
  expect(await refusedAfterAll()).toEqual([]);
});

test('who is slow to send a picture loses the place, and is let in all the same when there is room', async () => {
  const { api, url, restorer, post, free } = await busy({ queueLimit: 1 });
  const body = ordering('restore 1');
  const { hostname, port } = new URL(url);
  const head = `POST /v1/aiquality?${api.query} HTTP/1.1\r\nHost: a\r\nContent-Length: ${body.length}\r\n\r\n`;
  let seen = '';
  const asked = once(api.app.server.server, 'request');
  const socket = connect(Number(port), hostname, () => socket.write(head + body.slice(0, 10)));
  onTestFinished(() => void socket.destroy());
  socket.on('data', (chunk) => {
    seen += chunk;
  });
  await asked;
  expect((await post(api.query, body)).status).toBe(503);
  const other = until(async () => (await post(api.query, body)).status === 200);
  await until(() => restorer.stats().waiting === 1);
  expect(seen).toBe('');
  await free();
  await other;
  socket.write(body.slice(10));
  await until(() => seen.startsWith('HTTP/1.1 200 '));
});

test('a key is looked up before anybody is let in, and one that is wrong is told nothing of the load', async () => {
  const { api, post, free } = await busy();
  const { id, query } = await api.newKey();
  expect((await post(query, padded(10))).status).toBe(503);
  expect((await post(query.replace(/.$/, '!'), padded(10))).status).toBe(401);
  expect((await post(`api_key=${id}&api_secret=a&api_secret=b`, padded(10))).status).toBe(401);
  await api.app.keys.revoke(id);
  await free();
  // However short the time since it was right.
  expect((await post(query, padded(10))).status).toBe(401);
});

test('scope and rate come before the load', async () => {
  const { api, post } = await busy();
  const slow = await api.newKey({ qps: 0.001 });
  const statuses = [];
  for (let i = 0; i < 3; i++) statuses.push((await post(slow.query, padded(10))).status);
  expect(statuses).toEqual([503, 429, 429]);
  const other = await api.newKey({ scopes: ['image_restoration'] });
  for (let i = 0; i < 2; i++) expect((await post(other.query, padded(10))).status).toBe(403);
});

const curl = findProgram('curl');

describeWith(curl ? undefined : 'curl is not installed', 'curl', () => {
  const run = promisify(execFile);
  /** Status, headers, body, and how many bytes of the body curl has sent. */
  async function upload(url: string, file: string, ...options: string[]) {
    const { stdout } = await run(
      curl as string,
      ['-sS', '-i', '--expect100-timeout', '60', '-w', '\n%{size_upload}', ...options, '--data-binary', `@${file}`, url],
      {
        maxBuffer: 64 * MB,
      },
    );
    const sections = stdout.split('\r\n\r\n').filter((part) => !part.startsWith('HTTP/1.1 100'));
    const [head = '', ...rest] = sections;
    const text = rest.join('\r\n\r\n');
    const end = text.lastIndexOf('\n');
    const headers = new Headers(
      head
        .split('\r\n')
        .slice(1)
        .map((line) => line.split(': ', 2) as [string, string]),
    );
    return { status: Number(head.split(' ')[1]), headers, body: text.slice(0, end), sent: Number(text.slice(end + 1)) };
  }

  test.each([1000, 3 * MB])('gets the whole refusal for a body of %i bytes, asked for or not', async (bytes) => {
    const { api, url, folder } = await busy();
    const file = join(folder, 'body.json');
    writeFileSync(file, padded(bytes));
    await checkRefusal(await upload(`${url}/v1/aiquality?${api.query}`, file, '-H', 'Expect:'));
    const asked = await upload(`${url}/v1/aiquality?${api.query}`, file, '-H', 'Expect: 100-continue');
    await checkRefusal(asked);
    // It asked before it sent, and was told in time.
    expect(asked.sent).toBe(0);
    expect(asked.headers.get('connection')).toBe('close');
  });

  test('is told to go on where there is room, and where the key is in the body', async () => {
    const { api, url, folder, free } = await busy();
    const file = join(folder, 'body.json');
    const keys = Object.fromEntries(new URLSearchParams(api.query));
    writeFileSync(file, JSON.stringify({ ...JSON.parse(padded(3 * MB)), ...keys }));
    const inBody = await upload(`${url}/v1/aiquality`, file, '-H', 'Expect: 100-continue');
    await checkRefusal(inBody);
    expect(inBody.sent).toBeGreaterThan(3 * MB);
    await free();
    expect((await upload(`${url}/v1/aiquality?${api.query}`, file, '-H', 'Expect: 100-continue')).status).toBe(200);
  });
});
