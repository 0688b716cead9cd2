import { spawn } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { jpeg } from '../support/pictures.ts';
import { temporaryFolder } from '../support/temporary.ts';
import { type Service, serve } from '../web/service.ts';
import { codeBlocks } from './code-blocks.ts';

const MAIN = join(import.meta.dirname, '..', '..', 'build-test', 'cli', 'main.js');
let service: Service;
let key: { api_key: string; api_secret: string };

beforeAll(async () => {
  service = await serve();
  key = await service.newKey('docs');
});
afterAll(() => service.stop());

/** Runs lines as a reader pastes them, on the port the test's server has. */
async function run(code: string): Promise<{ status: number | null; output: string }> {
  const folder = temporaryFolder();
  mkdirSync(join(folder, 'bin'));
  // Installed as `mingxi`, and as the launcher of a checkout.
  for (const name of ['bin/mingxi', 'mingxi']) {
    writeFileSync(join(folder, name), `#!/bin/sh\nexec "${process.execPath}" "${MAIN}" "$@"\n`, { mode: 0o755 });
  }
  writeFileSync(join(folder, 'holiday.jpg'), await jpeg(200, 150));
  mkdirSync(join(folder, 'album', '2019'), { recursive: true });
  writeFileSync(join(folder, 'album', '2019', 'a.jpg'), await jpeg(120, 90));
  const child = spawn('bash', ['-euo', 'pipefail', '-c', code.replaceAll('http://127.0.0.1:8080', service.url)], {
    cwd: folder,
    env: {
      PATH: `${join(folder, 'bin')}:${process.env.PATH}`,
      HOME: folder,

      API_KEY: key.api_key,
      API_SECRET: key.api_secret,
    },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let output = '';
  child.stdout.on('data', (chunk) => (output += chunk));
  child.stderr.on('data', (chunk) => (output += chunk));
  return { status: await new Promise((resolve) => child.once('close', resolve)), output };
}

const pages = ['../README.md', '../README.zh-CN.md', 'guide/getting-started.md', 'guide/rest.md', 'guide/cli.md'];
const blocks = pages.flatMap((page) => codeBlocks(page, 'sh')).filter(({ info }) => info === 'run');

test('the pages have examples', () => {
  for (const page of pages) expect(blocks.some(({ name }) => name.startsWith(page))).toBe(true);
  expect(blocks.length).toBeGreaterThanOrEqual(11);
});

test.each(blocks.map(({ name, code }) => [name, code] as const))('%s', async (_name, code) => {
  const { status, output } = await run(code);
  expect(status, output).toBe(0);
});
