import { type ChildProcess, spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

/** The command's source, or with `MINGXI_TEST_MAIN` a built one, which starts faster. */
export const MAIN = process.env.MINGXI_TEST_MAIN ?? fileURLToPath(new URL('../../src/cli/main.ts', import.meta.url));
const LOADER = MAIN.endsWith('.ts') ? ['--import', 'tsx'] : [];

/** A server in a process of its own, as a user starts it. */
export interface ServerProcess {
  readonly url: string;
  readonly pid: number;
  /** Process ids of its children. */
  children(): number[];
  kill(signal: NodeJS.Signals): Promise<void>;
}

/** Starts `mingxi serve` in any role; resolves when it listens. A worker's URL has its health and metrics only. */
export async function serve(data: string, environment: Record<string, string> = {}): Promise<ServerProcess> {
  const server = spawn(process.execPath, [...LOADER, MAIN, 'serve', '--port', '0', '--data', data, '--no-dev-key'], {
    env: { PATH: process.env.PATH, HOME: process.env.HOME, MINGXI_LOG_LEVEL: 'warn', ...environment },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const ended = new Promise<void>((resolve) => server.once('exit', () => resolve()));
  const url = await listening(server);
  const pid = server.pid as number;
  return {
    url,
    pid,
    children: () => childrenOf(pid),
    kill: async (signal) => {
      server.kill(signal);
      await ended;
    },
  };
}

function listening(server: ChildProcess): Promise<string> {
  return new Promise((resolve, reject) => {
    let output = '';
    const look = (chunk: Buffer) => {
      output += chunk.toString();
      const ready = /^(?:listening on|working; health and metrics on) (\S+)$/m.exec(output);
      if (ready?.[1]) resolve(ready[1]);
    };
    server.stdout?.on('data', look);
    server.stderr?.on('data', (chunk: Buffer) => {
      output += chunk.toString();
    });
    server.once('exit', (code, signal) => reject(new Error(`the server ended before it listened (${code ?? signal}):\n${output}`)));
  });
}

/** Linux only: the children as the kernel has them. */
export function childrenOf(pid: number): number[] {
  try {
    return readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').trim().split(/\s+/).filter(Boolean).map(Number);
  } catch {
    return [];
  }
}
