import { connect } from 'node:net';
import { describeWith, findProgram, otherThanRoot, type PrivateServer, privateServer } from './private-server.ts';

/** A private Redis (or Valkey). It keeps its data over `stop` and `start`. */
export interface RedisServer extends PrivateServer {
  /** `redis://:PASSWORD@HOST:PORT/0` */
  readonly url: string;
}

export interface RedisOptions {
  /** Default 127.0.0.1. */
  readonly host?: string;
  /** Of redis.conf, over ours. */
  readonly settings?: Readonly<Record<string, string>>;
}

const PASSWORD = 'pass-word';
/** Every write is in the log before it is answered, so that a killed server loses nothing that was accepted. */
const SETTINGS = { appendonly: 'yes', appendfsync: 'always', save: '', 'maxmemory-policy': 'noeviction', loglevel: 'warning' };

const program = findProgram('redis-server') ?? findProgram('valkey-server');

/** Why tests on Redis cannot run here; undefined: they can. */
export const redisMissing: string | undefined = program ? undefined : 'Redis is not installed (apt-get install redis-server)';

/** `describe` of tests that need Redis; skipped with a line where it is not installed. */
export function describeOnRedis(name: string, body: () => void): void {
  describeWith(redisMissing, name, body);
}

/** Starts a Redis of its own; close it after use. */
export async function redisServer({ host = '127.0.0.1', settings = {} }: RedisOptions = {}): Promise<RedisServer> {
  if (!program) throw new Error(redisMissing);
  const server = await privateServer({
    name: 'redis',
    host,
    user: otherThanRoot(['redis', 'nobody']),
    command(folder, port) {
      const all = { ...SETTINGS, port: String(port), bind: host, dir: folder, requirepass: PASSWORD, ...settings };
      return [program, ...Object.entries(all).flatMap(([name, value]) => [`--${name}`, value])];
    },
    answers: (port) => ping(host, port),
  });
  return Object.assign(server, { url: `redis://:${PASSWORD}@${host}:${server.port}/0` });
}

/** Ready means that it answers PING; while it still reads its log it answers LOADING. */
function ping(host: string, port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ host, port, timeout: 1000 });
    let answer = '';
    const end = () => {
      socket.destroy();
      resolve(answer.includes('+PONG'));
    };
    socket.on('error', end).on('timeout', end).on('close', end);
    socket.on('data', (chunk: Buffer) => {
      answer += chunk;
      if (/\+PONG|-(?!NOAUTH)/.test(answer)) end();
    });
    socket.write(`AUTH ${PASSWORD}\r\nPING\r\n`);
  });
}
