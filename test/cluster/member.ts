import { type ChildProcess, spawn } from 'node:child_process';
import { MAIN } from '../cli/cli.ts';
import { childrenOf } from '../e2e/server-process.ts';
import { pause } from '../support/until.ts';

/** What kind of process it is, where it runs and what it is told. */
export interface MemberSpec {
  readonly name: string;
  readonly role: 'api' | 'worker' | 'all';
  /** Address an api process listens on. */
  readonly host: string;
  /** Asked at each start: what is told may have changed. */
  readonly environment: () => Readonly<Record<string, string>>;
  /** Puts the command line into other surroundings, such as a namespace. */
  readonly wrap?: (command: readonly string[]) => readonly string[];
}

/** One process of a cluster, as its operator starts it; it may be killed and started again. */
export interface Member {
  readonly name: string;
  readonly role: MemberSpec['role'];
  /** Where it listens, the same after every start; a worker tells its health there. */
  readonly url: string;
  /** Undefined while it is not running. */
  readonly pid: number | undefined;
  /** Process ids of its children, which restore the pictures. */
  children(): number[];
  /** Resolves when it listens or works. */
  start(): Promise<void>;
  /** Starts it until it runs, as a supervisor does: a start fails while what it needs is away. */
  revive(): Promise<void>;
  /** SIGKILL, or what is given; resolves when it is gone. */
  kill(signal?: NodeJS.Signals): Promise<void>;
  /** SIGSTOP and SIGCONT: a machine that hangs, and goes on as if nothing had happened. */
  freeze(): void;
  thaw(): void;
  /** The end of what it wrote. */
  words(): string;
}

/** Characters of a member's log that are kept. */
const WORDS = 20_000;
const REVIVALS = 30;

export function createMember(spec: MemberSpec): Member {
  let child: ChildProcess | undefined;
  let url = '';
  let words = '';

  const start = async () => {
    const port = url === '' ? '0' : new URL(url).port;
    const serve = [process.execPath, MAIN, 'serve', '--role', spec.role, '--host', spec.host, '--port', port, '--no-dev-key'];
    const [program = '', ...rest] = spec.wrap?.(serve) ?? serve;
    // The kernel ends it with the test's process, however that ends.
    const started = spawn('setpriv', ['--pdeathsig', 'KILL', '--', program, ...rest], {
      env: { PATH: process.env.PATH, HOME: process.env.HOME, ...spec.environment() },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    child = started;
    const begun = words.length;
    let ready = () => {};
    let failed = (_: Error) => {};
    const isReady = new Promise<void>((resolve, reject) => {
      ready = resolve;
      failed = reject;
    });
    let printed = '';
    started.stdout.on('data', (chunk: Buffer) => {
      if (printed.length < 10_000) printed += chunk.toString();
      const line = /^(?:listening on|working;.* on) (\S+)$/m.exec(printed);
      if (!line) return;
      url = line[1] ?? '';
      ready();
    });
    for (const stream of [started.stdout, started.stderr]) {
      stream.on('data', (chunk: Buffer) => {
        words = (words + chunk.toString()).slice(-WORDS);
      });
    }
    started.once('exit', (code, signal) => {
      if (child === started) child = undefined;
      failed(new Error(`${spec.name} ended before it was ready (${code ?? signal}):\n${words.slice(Math.min(begun, words.length))}`));
    });
    await isReady;
  };
  return {
    name: spec.name,
    role: spec.role,
    get url() {
      return url;
    },
    get pid() {
      return child?.pid;
    },
    children: () => (child?.pid === undefined ? [] : childrenOf(child.pid)),
    start,
    async revive() {
      for (let left = REVIVALS; child === undefined; left--) {
        const failure = await start().then(
          () => undefined,
          (error: unknown) => error,
        );
        if (failure !== undefined && left === 0) throw failure;
        if (failure !== undefined) await pause(1_000);
      }
    },
    async kill(signal = 'SIGKILL') {
      const running = child;
      if (!running) return;
      const gone = new Promise((resolve) => running.once('exit', resolve));
      running.kill(signal);
      await gone;
    },
    freeze: () => void child?.kill('SIGSTOP'),
    thaw: () => void child?.kill('SIGCONT'),
    words: () => words,
  };
}
