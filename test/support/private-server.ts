import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { chownSync, existsSync, mkdtempSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import type { AddressInfo } from 'node:net';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { describe } from 'vitest';
import { pause } from './until.ts';

/** A user that a server may run as; undefined: as whoever runs the tests. */
export interface User {
  readonly name: string;
  readonly uid: number;
  readonly gid: number;
}

/** A real server of its own for the tests, in a temporary folder. */
export interface PrivateServer {
  readonly host: string;
  readonly port: number;
  readonly folder: string;
  /** Process id of the running server; undefined while it is stopped. */
  readonly pid: number | undefined;
  /** Starts it again after `stop`, on the same port and data; resolves when it answers. */
  start(): Promise<void>;
  /** Ends it and waits for its end. */
  stop(signal?: NodeJS.Signals): Promise<void>;
  /** Sends a signal and does not wait, e.g. SIGSTOP and SIGCONT. */
  signal(signal: NodeJS.Signals): void;
  /** Ends it at once and removes its folder. */
  close(): Promise<void>;
}

export interface ServerSpec {
  readonly name: string;
  readonly host: string;
  readonly user: User | undefined;
  /** Once, in the new folder. */
  readonly prepare?: (folder: string) => void | Promise<void>;
  readonly command: (folder: string, port: number) => readonly [string, ...string[]];
  /** Ends it at once with its own children; default SIGKILL. */
  readonly quit?: NodeJS.Signals;
  /** Whether the server at this port answers. */
  readonly answers: (port: number, folder: string) => boolean | Promise<boolean>;
}

/** Longest wait for a start, ms: a loaded machine needs seconds. */
const START_LIMIT = 120_000;
const START_ATTEMPTS = 3;

/** Starts a server; tried on another port when the one that was free a moment ago is taken. */
export async function privateServer(spec: ServerSpec): Promise<PrivateServer> {
  const folder = mkdtempSync(join(tmpdir(), `mingxi-${spec.name}-`));
  if (spec.user) chownSync(folder, spec.user.uid, spec.user.gid);
  await spec.prepare?.(folder);
  let port = await freePort(spec.host);
  let child: ChildProcess | undefined;
  // The test's process may end without closing, by its time limit for instance.
  const bury = () => child?.kill('SIGKILL');
  process.once('exit', bury);

  const launch = async () => {
    const [program, ...parameters] = asUser(spec.command(folder, port), spec.user);
    const started = spawn(program, parameters, { cwd: folder, stdio: ['ignore', 'pipe', 'pipe'] });
    child = started;
    let output = '';
    for (const stream of [started.stdout, started.stderr]) {
      stream.on('data', (chunk: Buffer) => {
        output = (output + chunk).slice(-4000);
      });
    }
    started.once('exit', () => {
      if (child === started) child = undefined;
    });
    const limit = Date.now() + START_LIMIT;
    while (!(await spec.answers(port, folder))) {
      if (child !== started || Date.now() > limit) {
        started.kill('SIGKILL');
        throw new Error(`${spec.name} did not start:\n${output}`);
      }
      await pause(50);
    }
  };
  /** More than once: what a killed server leaves behind, such as children in their last moments, may be in the way. */
  const start = async () => {
    for (let left = START_ATTEMPTS; ; ) {
      try {
        return await launch();
      } catch (error) {
        if (--left === 0) throw error;
        await pause(500);
      }
    }
  };
  const stop = async (signal: NodeJS.Signals = 'SIGTERM') => {
    if (!child) return;
    const ended = once(child, 'exit');
    child.kill(signal);
    await ended;
  };
  const close = async () => {
    process.off('exit', bury);
    child?.kill('SIGCONT');
    await stop(spec.quit ?? 'SIGKILL');
    await rm(folder, { recursive: true, force: true, maxRetries: 5 });
  };
  try {
    await launch().catch(async () => {
      port = await freePort(spec.host);
      await start();
    });
  } catch (error) {
    await close();
    throw error;
  }
  return {
    host: spec.host,
    port,
    folder,
    get pid() {
      return child?.pid;
    },
    start,
    stop,
    signal: (signal) => child?.kill(signal),
    close,
  };
}

/** Where a program is, in the PATH or one of the given folders. */
export function findProgram(name: string, folders: readonly string[] = []): string | undefined {
  const all = [...folders, ...(process.env.PATH ?? '').split(delimiter), '/usr/sbin', '/usr/bin', '/usr/local/bin'];
  return all.map((folder) => join(folder, name)).find((path) => existsSync(path));
}

/** For a server that refuses to run as root: the first of these users that exists. */
export function otherThanRoot(names: readonly string[]): User | undefined {
  if (process.getuid?.() !== 0) return undefined;
  for (const name of names) {
    try {
      const id = (flag: string) => Number(execFileSync('id', [flag, name], { stdio: ['ignore', 'pipe', 'ignore'] }));
      return { name, uid: id('-u'), gid: id('-g') };
    } catch {
      // No such user; the next one.
    }
  }
  throw new Error(`none of the users ${names.join(', ')} exists`);
}

/** The same command as another user, and one that the kernel ends when the test's process is killed. */
export function asUser(command: readonly [string, ...string[]], user: User | undefined): readonly [string, ...string[]] {
  const setpriv = findProgram('setpriv');
  if (!setpriv) {
    if (user) throw new Error('running a server as another user needs setpriv (util-linux)');
    return command;
  }
  const identity = user ? [`--reuid=${user.uid}`, `--regid=${user.gid}`, '--clear-groups'] : [];
  return [setpriv, '--pdeathsig', 'KILL', ...identity, '--', ...command];
}

/** `describe` when nothing is missing; otherwise skipped with one printed line. */
export function describeWith(missing: string | undefined, name: string, body: () => void): void {
  if (missing !== undefined) console.log(`skipped: ${name}: ${missing}`);
  describe.skipIf(missing !== undefined)(name, body);
}

async function freePort(host: string): Promise<number> {
  const server = createServer().listen(0, host);
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}
