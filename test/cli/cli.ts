import { type ChildProcess, spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';

/** Compiled by `test/build.ts` before all tests. */
export const MAIN = fileURLToPath(new URL('../../build-test/cli/main.js', import.meta.url));

export interface Ended {
  readonly status: number | null;
  readonly signal: string | null;
  readonly stdout: Buffer;
  readonly stderr: string;
}

export interface RunOptions {
  readonly cwd?: string;
  readonly stdin?: Buffer;
  readonly environment?: Readonly<Record<string, string>>;
}

/** The command in a process of its own, compiled from the sources as they are. */
export function start(
  args: readonly string[],
  options: RunOptions = {},
): { readonly process: ChildProcess; readonly ended: Promise<Ended> } {
  const child = spawn(process.execPath, [MAIN, ...args], {
    cwd: options.cwd,
    env: { PATH: process.env.PATH, HOME: process.env.HOME, ...options.environment },
    stdio: ['pipe', 'pipe', 'pipe'],
  });
  const out: Buffer[] = [];
  let stderr = '';
  child.stdout.on('data', (chunk: Buffer) => out.push(chunk));
  child.stderr.on('data', (chunk: Buffer) => {
    stderr += chunk.toString('utf8');
  });
  child.stdin.on('error', () => {});
  child.stdin.end(options.stdin ?? '');
  const ended = new Promise<Ended>((resolve) => {
    child.once('close', (status, signal) => resolve({ status, signal, stdout: Buffer.concat(out), stderr }));
  });
  return { process: child, ended };
}

/** Runs the command to its end. */
export function mingxi(args: readonly string[], options: RunOptions = {}): Promise<Ended> {
  return start(args, options).ended;
}
