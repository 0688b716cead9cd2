import { mkdtempSync, rmSync } from 'node:fs';
import { request } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, expect, test } from 'vitest';
import { IDLE } from '../../../scripts/openapi.ts';
import { type TestApp, testApp } from '../../support/app.ts';

let api: TestApp | undefined;
let folder: string | undefined;

afterEach(async () => {
  await api?.app.close();
  if (folder !== undefined) rmSync(folder, { recursive: true, force: true });
});

/** A server whose only valid key is the development key, as `mingxi serve` makes it on a fresh folder. */
async function start(overrides: Parameters<typeof testApp>[1] = {}, extraKeys = 0) {
  folder = mkdtempSync(join(tmpdir(), 'mingxi-test-'));
  api = await testApp(folder, overrides, { restorer: IDLE });
  for (const key of await api.app.keys.list()) await api.app.keys.revoke(key.id);
  await api.app.keys.create({ name: 'development' });
  for (let i = 0; i < extraKeys; i++) await api.newKey();
  return new URL(await api.listen());
}

interface Answer {
  readonly status: number;
  readonly headers: Record<string, string | string[] | undefined>;
  readonly body: string;
}

/** A raw call: fetch would not let us forge Host and Origin. */
function call(base: URL, path: string, method: string, headers: Record<string, string>): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const out = request({ host: '127.0.0.1', port: base.port, path, method, headers }, (answer) => {
      let body = '';
      answer
        .on('data', (chunk) => (body += chunk))
        .on('end', () => resolve({ status: answer.statusCode ?? 0, headers: answer.headers, body }));
    });
    out.on('error', reject).end();
  });
}

const open = (base: URL, headers: Record<string, string> = {}) =>
  call(base, '/studio/session', 'POST', { host: base.host, origin: base.origin, ...headers });
const mode = (answer: Answer) => (JSON.parse(answer.body) as { mode: string }).mode;

test('on the local default the page works without a key, within its own origin', async () => {
  const base = await start();
  const answer = await open(base);
  expect(mode(answer)).toBe('local');
  expect(answer.headers['access-control-allow-origin']).toBeUndefined();
  expect(answer.headers['cache-control']).toBe('no-store');
  const { token } = JSON.parse(answer.body) as { token: string };
  const ask = (headers: Record<string, string>) =>
    call(base, '/v2/jobs/none', 'GET', { host: base.host, 'x-mingxi-studio': token, ...headers });
  expect((await ask({})).status).toBe(404);
  expect((await ask({ origin: base.origin })).status).toBe(404);
  // The token is worth nothing from elsewhere.
  expect((await ask({ host: `evil.example:${base.port}` })).status).toBe(401);
  expect((await ask({ origin: 'http://evil.example' })).status).toBe(401);
  expect((await ask({ 'x-forwarded-for': '203.0.113.9' })).status).toBe(401);
  expect((await ask({ 'x-mingxi-studio': `${token}x` })).status).toBe(401);
});

test.each([
  ['another origin (a page elsewhere)', { origin: 'https://evil.example' }],
  ['no origin (no browser)', { origin: '' }],
  ['a rebound name', { host: 'evil.example', origin: 'http://evil.example' }],
  ['a proxy', { 'x-forwarded-for': '203.0.113.9' }],
  ['a proxy that says Via', { via: '1.1 gate' }],
])('no session for %s', async (_name, headers) => {
  expect(mode(await open(await start(), headers))).toBe('keys');
});

test('no session once there is a key of somebody', async () => {
  expect(mode(await open(await start({}, 1)))).toBe('keys');
});

test.each([
  ['listening on every address', { host: '0.0.0.0' }],
  ['published under an address', { publicUrl: 'https://img.example.com' }],
  ['behind a trusted proxy', { trustProxy: true }],
  ['keys demanded', { studio: 'keys' }],
])('no session when %s', async (_name, overrides) => {
  expect(mode(await open(await start(overrides)))).toBe('keys');
});

test('studio off: neither page nor session', async () => {
  const base = await start({ studio: 'off' });
  expect((await open(base)).status).toBe(404);
  expect((await call(base, '/', 'GET', { host: base.host })).status).toBe(404);
});
