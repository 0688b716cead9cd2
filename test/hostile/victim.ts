import { type ChildProcess, spawn } from 'node:child_process';
import { closeSync, openSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { openDatabase } from '../../src/db/database.ts';
import { createKeyStore } from '../../src/db/keys.ts';
import { loadServerKey } from '../../src/db/server-key.ts';
import { pause } from '../support/until.ts';

const SOURCE = fileURLToPath(new URL('../../src/cli/main.ts', import.meta.url));

/** The service under attack: the real command in a process of its own, with real children. */
export interface Victim {
  readonly url: string;
  readonly pid: number;
  /** `api_key=…&api_secret=…` */
  readonly query: string;
  /** Everything it wrote. */
  readonly log: string;
  /** Undefined while it runs; then its exit status or signal. */
  ended(): number | string | undefined;
  /** SIGTERM; answers exit status or signal. */
  stop(): Promise<number | string>;
}

/**
 * Starts `mingxi serve` with a key.
 * @param main the command's file: source, or built, which starts faster
 */
export async function startVictim(data: string, environment: Record<string, string>, main = SOURCE): Promise<Victim> {
  const db = await openDatabase(data);
  const { key, secret } = await createKeyStore(db, loadServerKey('', data)).create({ name: 'hostile' });
  await db.destroy();
  const log = join(data, 'log');
  const out = openSync(log, 'w');
  const loader = main.endsWith('.ts') ? ['--import', 'tsx'] : [];
  const server = spawn(process.execPath, [...loader, main, 'serve', '--port', '0', '--data', data, '--no-dev-key'], {
    env: { PATH: process.env.PATH, HOME: process.env.HOME, MINGXI_LOG_LEVEL: 'warn', ...environment },
    stdio: ['ignore', out, out],
  });
  closeSync(out);
  process.once('exit', () => server.kill('SIGKILL'));
  let end: number | string | undefined;
  const exit = new Promise<number | string>((resolve) => server.once('exit', (code, signal) => resolve(signal ?? code ?? 0)));
  void exit.then((how) => {
    end = how;
  });
  const url = await listening(server, log);
  return {
    ...{ url, log, pid: server.pid as number, query: `api_key=${key.id}&api_secret=${secret}` },
    ended: () => end,
    stop: () => {
      server.kill('SIGTERM');
      return exit;
    },
  };
}

async function listening(server: ChildProcess, log: string): Promise<string> {
  for (;;) {
    const output = readFileSync(log, 'utf8');
    const url = /^listening on (\S+)$/m.exec(output)?.[1];
    if (url) return url;
    if (server.exitCode !== null) throw new Error(`the server ended before it listened:\n${output}`);
    await pause();
  }
}
