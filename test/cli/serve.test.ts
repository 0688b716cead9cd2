import { execFile } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import sharp from 'sharp';
import { afterAll, beforeEach, describe, expect, test } from 'vitest';
import { until } from '../support/until.ts';
import { type Ended, mingxi, start } from './cli.ts';

const root = mkdtempSync(join(tmpdir(), 'mingxi-serve-'));
afterAll(() => rmSync(root, { recursive: true }));

let data = '';
let count = 0;
beforeEach(() => {
  data = join(root, String(count++));
});

interface Service {
  readonly url: string;
  /** Everything printed so far. */
  output(): string;
  /** Sends the signal and waits for the end. */
  stop(signal: NodeJS.Signals): Promise<Ended>;
}

async function serve(args: readonly string[] = []): Promise<Service> {
  const service = start(['serve', '--port', '0', '--data', data, '--workers', '1', ...args]);
  let printed = '';
  service.process.stdout?.on('data', (chunk: Buffer) => {
    printed += chunk.toString();
  });
  let over = false;
  void service.ended.then(() => {
    over = true;
  });
  await until(() => over || /^listening on .*\n/m.test(printed));
  if (over) throw new Error(`serve ended: ${(await service.ended).stderr}`);
  return {
    url: /^listening on (\S+)$/m.exec(printed)?.[1] ?? '',
    output: () => printed,
    stop(signal) {
      service.process.kill(signal);
      return service.ended;
    },
  };
}

describe('serve', () => {
  test('prints where it listens and a curl line that works as pasted; SIGTERM ends it with 0', async () => {
    const service = await serve();
    expect(service.url).toMatch(/^http:\/\/127\.0\.0\.1:\d+$/);
    await until(() => service.output().includes('curl'));
    const line = /^ *(curl .*)$/m.exec(service.output())?.[1] ?? '';
    const { stdout } = await promisify(execFile)('bash', ['-c', `${line} --silent`], { maxBuffer: 2 ** 26 });
    const answer = JSON.parse(stdout);
    expect(answer.parameter.rsp_media_type).toBe('jpg');
    const metadata = await sharp(Buffer.from(answer.media_info_list[0].media_data, 'base64')).metadata();
    expect([metadata.format, metadata.width, metadata.height]).toEqual(['jpeg', 160, 120]);
    expect(await service.stop('SIGTERM')).toMatchObject({ status: 0, stderr: '' });
  });

  test('makes the development key once; a second start is silent about keys', async () => {
    await (await serve()).stop('SIGINT');
    const second = await serve();
    expect(second.output()).not.toMatch(/api_secret|curl/);
    expect((await second.stop('SIGINT')).status).toBe(0);
    const { stdout } = await mingxi(['keys', 'list', '--json', '--data', data]);
    expect(JSON.parse(stdout.toString())).toMatchObject([{ name: 'development', state: 'valid' }]);
  });

  test('--no-dev-key makes none', async () => {
    const service = await serve(['--no-dev-key']);
    expect((await service.stop('SIGTERM')).status).toBe(0);
    expect(JSON.parse((await mingxi(['keys', 'list', '--json', '--data', data])).stdout.toString())).toEqual([]);
  });

  test('a signal during the start is an orderly end', async () => {
    const service = start(['serve', '--port', '0', '--data', data]);
    await until(() => readdirSync(root).includes(data.slice(root.length + 1)));
    service.process.kill('SIGTERM');
    const { status, signal } = await service.ended;
    // Before the handler is there the system ends it; after that it ends itself, with 0.
    expect(signal ?? status).toSatisfy((how) => how === 'SIGTERM' || how === 0);
  });

  test('the secret is on disk only hashed and sealed', async () => {
    const service = await serve();
    await until(() => service.output().includes('curl'));
    const secret = /api_secret +(\S+)/.exec(service.output())?.[1] ?? '';
    expect(secret.length).toBeGreaterThan(20);
    await service.stop('SIGTERM');
    const files = readdirSync(data, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile());
    expect(files.length).toBeGreaterThan(1);
    for (const file of files) expect(readFileSync(join(file.parentPath, file.name)).includes(secret)).toBe(false);
  });

  test('a port in use is told in words, exit 1', async () => {
    const blocker = createServer().listen(0, '127.0.0.1');
    await until(() => blocker.listening);
    const { port } = blocker.address() as { port: number };
    const { status, stderr } = await mingxi(['serve', '--port', String(port), '--data', data]);
    blocker.close();
    expect(status).toBe(1);
    expect(stderr).toBe(`mingxi: 127.0.0.1:${port} is in use by another process; --port 0 picks a free one\n`);
  });

  test.each([
    [['--port', '99999'], /MINGXI_PORT: expected a whole number from 0 to 65535, received "99999"/],
    [['--role', 'king'], /MINGXI_ROLE: expected one of all, api, worker/],
    [['--port', 'x', '--workers', '0'], /MINGXI_PORT.*MINGXI_WORKERS/s],
  ])('%j is exit 2 with every problem', async (args, message) => {
    const { status, stderr } = await mingxi(['serve', '--data', data, ...args]);
    expect(stderr).toMatch(message);
    expect(status).toBe(2);
  });
});
