import { appendFileSync, cpSync, existsSync, mkdtempSync, readdirSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeEach, describe, expect, test } from 'vitest';
import { shippedModelsDir } from '../../src/models/registry.ts';
import { mingxi } from './cli.ts';
import { put } from './pictures.ts';

const root = mkdtempSync(join(tmpdir(), 'mingxi-commands-'));
afterAll(() => rmSync(root, { recursive: true }));

let data = '';
let count = 0;
beforeEach(() => {
  data = join(root, String(count++));
});

/** Runs a command that must succeed, and reads its JSON. */
async function json(...args: string[]) {
  const { status, stdout, stderr } = await mingxi([...args, '--json', '--data', data]);
  expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
  return JSON.parse(stdout.toString());
}

describe('keys', () => {
  test('create prints exactly the three promised fields, once', async () => {
    const made = await json('keys', 'create', '--name', 'shop');
    expect(Object.keys(made).sort()).toEqual(['api_key', 'api_secret', 'name']);
    expect(made.name).toBe('shop');
    const shown = await json('keys', 'show', 'shop');
    expect(shown).toMatchObject({ api_key: made.api_key, state: 'valid', scopes: ['*'], qps: null, daily: null });
    expect(JSON.stringify(shown)).not.toContain(made.api_secret);
    expect(statSync(join(data, 'server.key')).mode & 0o777).toBe(0o600);
  });

  test('limits and expiry are kept', async () => {
    const limits = [
      '--scopes',
      'aiquality, query',
      '--qps',
      '0.5',
      '--daily',
      '100',
      '--monthly',
      '2000',
      '--concurrent',
      '3',
      '--expires',
      '2099-01-31',
    ];
    const { api_key } = await json('keys', 'create', '--name', 'limited', ...limits);
    expect(await json('keys', 'show', api_key)).toMatchObject({
      scopes: ['aiquality', 'query'],
      qps: 0.5,
      daily: 100,
      monthly: 2000,
      concurrent: 3,
      expires: '2099-01-31T23:59:59.999Z',
    });
  });

  test('rotate changes the secret, revoke ends the key, list shows both', async () => {
    const first = await json('keys', 'create', '--name', 'a');
    const second = await json('keys', 'create', '--name', 'b');
    const rotated = await json('keys', 'rotate', 'a');
    expect(rotated.api_key).toBe(first.api_key);
    expect(rotated.api_secret).not.toBe(first.api_secret);
    expect(await json('keys', 'revoke', second.api_key)).toMatchObject({ name: 'b', state: 'revoked' });
    const all: { name: string; state: string }[] = await json('keys', 'list');
    expect(all.map(({ name, state }) => [name, state])).toEqual([
      ['a', 'valid'],
      ['b', 'revoked'],
    ]);
  });

  test('disable and enable a key by its name; a revoked one is neither', async () => {
    const { api_key } = await json('keys', 'create', '--name', 'shop');
    expect(await json('keys', 'disable', 'shop')).toMatchObject({
      api_key,
      state: 'disabled',
      disabled: expect.stringMatching(/^2\d{3}-/),
    });
    expect(await json('keys', 'list')).toMatchObject([{ api_key, state: 'disabled' }]);
    // A second key of the same name takes nothing from the first: what can be enabled is the disabled one.
    await json('keys', 'create', '--name', 'shop');
    expect(await json('keys', 'enable', 'shop')).toMatchObject({ api_key, state: 'valid', disabled: null });
    const { stdout } = await mingxi(['keys', 'disable', api_key, '--data', data]);
    expect(stdout.toString()).toBe(`${api_key} (shop) is disabled\n`);
    await json('keys', 'revoke', api_key);
    for (const command of ['enable', 'disable']) {
      const { status, stderr } = await mingxi(['keys', command, api_key, '--data', data]);
      expect(status).toBe(2);
      expect(stderr).toMatch(/is revoked, which is for good/);
    }
  });

  test('a name of two keys asks for the id', async () => {
    for (let i = 0; i < 2; i++) await json('keys', 'create', '--name', 'twin');
    const { status, stderr } = await mingxi(['keys', 'revoke', 'twin', '--data', data]);
    expect(status).toBe(2);
    expect(stderr).toMatch(/several keys are named "twin"/);
  });

  test.each([
    [['keys', 'create'], /required option '--name/],
    [['keys', 'create', '--name', ' '], /name: expected 1 to 200 characters/],
    [['keys', 'create', '--name', 'x', '--qps', '0'], /number above 0/],
    [['keys', 'create', '--name', 'x', '--expires', 'tomorrow'], /expected a date like/],
    [['keys', 'create', '--name', 'x', '--expires', '2001-01-01'], /in the past/],
    [['keys', 'revoke', 'nobody'], /there is no key "nobody"/],
  ])('%j is exit 2', async (args, message) => {
    const { status, stderr } = await mingxi([...args, '--data', data]);
    expect(stderr).toMatch(message);
    expect(status).toBe(2);
  });

  test('usage of a fresh folder is empty', async () => {
    expect(await json('usage')).toEqual([]);
  });
});

describe('models', () => {
  test('list names the shipped networks with licence and cost', async () => {
    const models = await json('models', 'list');
    expect(models.length).toBeGreaterThan(0);
    expect(models).toContainEqual(
      expect.objectContaining({
        name: 'general',
        default: true,
        origin: 'shipped',
        scale: 1,
        parameters: expect.any(Number),
        licence: expect.any(String),
      }),
    );
  });

  test('verify is exit 0 for whole files, and exit 1 with the reason for a damaged one', async () => {
    expect((await json('models', 'verify')).every((model: { ok: boolean }) => model.ok)).toBe(true);
    const copy = join(data, 'models', 'general');
    cpSync(join(shippedModelsDir(), 'general'), copy, { recursive: true });
    const network = readdirSync(copy).find((name) => name.endsWith('.onnx')) ?? '';
    appendFileSync(join(copy, network), 'x');
    put(join(data, 'models', 'broken', 'manifest.json'), '{"name": "broken"');
    const { status, stdout } = await mingxi(['models', 'verify', '--json', '--data', data]);
    expect(status).toBe(1);
    const problem = expect.stringMatching(/checksum differs/);
    expect(JSON.parse(stdout.toString())).toContainEqual({ name: 'general', ok: false, problem });
    expect(JSON.parse(stdout.toString())).toContainEqual({ name: 'broken', ok: false, problem: 'manifest.json is no JSON' });
  });

  test('an unknown card is exit 2 and names what there is', async () => {
    const { status, stderr } = await mingxi(['models', 'card', 'nonsense']);
    expect(status).toBe(2);
    expect(stderr).toMatch(/no model "nonsense"; there are: face, face-detect, general/);
  });
});

describe('config', () => {
  test('prints the effective set, secrets hidden', async () => {
    const environment = { MINGXI_SERVER_KEY: 'ab'.repeat(32), MINGXI_WORKERS: '3' };
    const { status, stdout } = await mingxi(['config', '--json'], { environment });
    expect(status).toBe(0);
    expect(JSON.parse(stdout.toString())).toMatchObject({ MINGXI_SERVER_KEY: '***', MINGXI_WORKERS: 3, MINGXI_PORT: 8080 });
    expect((await mingxi(['config'], { environment })).stdout.toString()).not.toContain('abab');
  });

  test('an unknown variable is exit 2', async () => {
    const { status, stderr } = await mingxi(['config'], { environment: { MINGXI_WORKER: '3' } });
    expect(status).toBe(2);
    expect(stderr).toMatch(/MINGXI_WORKER: no such variable/);
  });
});

describe('doctor', () => {
  test('measures both ways to divide the cores and gives its advice out of them', async () => {
    const found = await json('doctor');
    expect(found).toMatchObject({ node: process.version, provider: { configured: 'cpu', available: true }, problems: [] });
    expect(found.providers).toContain('cpu');
    expect(found.data.free).toBeGreaterThan(0);
    expect(found.models.every((model: { ok: boolean }) => model.ok)).toBe(true);
    expect(found.threads.measured.length).toBeGreaterThan(0);
    for (const one of found.threads.measured) expect(one.megapixelsPerSecond).toBeGreaterThan(0);
    const shapes = found.threads.measured.map(({ workers, threads }: { workers: number; threads: number }) => ({ workers, threads }));
    expect(shapes).toContainEqual(found.threads.advice);
    expect(existsSync(data)).toBe(false);
  });

  test('is exit 1 and says what is wrong when the default network is not there', async () => {
    const { status, stdout } = await mingxi(['doctor', '--no-measure', '--data', data], { environment: { MINGXI_MODEL: 'gone' } });
    expect(status).toBe(1);
    expect(stdout.toString()).toMatch(/PROBLEM +the default model gone is not there/);
  });
});

describe('help', () => {
  test('names every command of the contract', async () => {
    const { status, stdout } = await mingxi(['--help']);
    expect(status).toBe(0);
    for (const command of ['serve', 'restore', 'keys', 'usage', 'db', 'models', 'bench', 'doctor', 'config', 'test']) {
      expect(stdout.toString()).toMatch(new RegExp(`^  ${command}\\b`, 'm'));
    }
  });

  test('--version is that of the package', async () => {
    const { stdout } = await mingxi(['--version'], { cwd: fileURLToPath(new URL('../..', import.meta.url)) });
    expect(stdout.toString()).toMatch(/^\d+\.\d+\.\d+\n$/);
  });
});
