import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { mingxi, start } from '../cli/cli.ts';

export interface Service {
  readonly url: string;
  /** The data folder, for more commands on it. */
  readonly data: string;
  /** Ends the process; the data folder stays for `restart`. */
  halt(): Promise<void>;
  /** The same service again, on the same port and data. */
  restart(): Promise<void>;
  stop(): Promise<void>;
  /** A key of this name, made by the command line. */
  newKey(name: string): Promise<{ readonly api_key: string; readonly api_secret: string }>;
}

/** `mingxi serve` on a fresh folder, as anybody starts it. */
export async function serve(environment: Readonly<Record<string, string>> = {}, ...flags: string[]): Promise<Service> {
  const data = mkdtempSync(join(tmpdir(), 'mingxi-test-'));
  let { url, halt } = await begin(data, '0', environment, flags);
  return {
    url,
    data,
    halt: () => halt(),
    async restart() {
      ({ url, halt } = await begin(data, new URL(url).port, environment, flags));
    },
    async newKey(name) {
      return JSON.parse((await mingxi(['keys', 'create', '--name', name, '--json', '--data', data])).stdout.toString());
    },
    async stop() {
      await halt();
      rmSync(data, { recursive: true, force: true });
    },
  };
}

async function begin(data: string, port: string, environment: Readonly<Record<string, string>>, flags: readonly string[]) {
  const { process: child, ended } = start(['serve', '--port', port, '--workers', '1', '--data', data, ...flags], {
    environment: { MINGXI_LOG_LEVEL: 'error', ...environment },
  });
  const url = await new Promise<string>((resolve, reject) => {
    let text = '';
    child.stdout?.on('data', (chunk: Buffer) => {
      text += chunk.toString('utf8');
      const line = /listening on (\S+)/.exec(text);
      if (line?.[1] !== undefined) resolve(line[1]);
    });
    void ended.then(({ stderr }) => reject(new Error(`serve ended: ${stderr}`)));
  });
  const halt = async () => {
    child.kill('SIGTERM');
    await ended;
  };
  return { url, halt };
}
