import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { start } from '../cli/cli.ts';

export interface Service {
  readonly url: string;
  /** The data folder, for more commands on it. */
  readonly data: string;
  stop(): Promise<void>;
}

/** `mingxi serve` on a fresh folder, as anybody starts it. */
export async function serve(environment: Readonly<Record<string, string>> = {}, ...flags: string[]): Promise<Service> {
  const data = mkdtempSync(join(tmpdir(), 'mingxi-test-'));
  const { process: child, ended } = start(['serve', '--port', '0', '--workers', '1', '--data', data, ...flags], {
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
  return {
    url,
    data,
    async stop() {
      child.kill('SIGTERM');
      await ended;
      rmSync(data, { recursive: true, force: true });
    },
  };
}
