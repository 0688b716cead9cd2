import { ConfigError } from '../config.ts';
import type { JobQueue } from './contract.ts';
import { createEmbeddedQueue } from './embedded.ts';

/** How a queue's server is reached. */
export interface ServerOptions {
  readonly url: string;
  /** Services with different names share a server without meeting. */
  readonly name: string;
  /** Told of lost connections and the like; the queue goes on by itself. */
  readonly onError: (error: unknown) => void;
}

export interface QueueOptions extends ServerOptions {
  /** Folder for the processes of one machine to wake each other by; used without a URL. */
  readonly folder: string;
}

/** Which adapter serves which URL. Each is loaded only when asked for: its packages are optional. */
const ADAPTERS: Readonly<Record<string, (options: ServerOptions) => Promise<JobQueue>>> = {
  'redis:': async (options) => (await import('./redis.ts')).createRedisQueue(options),
  'rediss:': async (options) => (await import('./redis.ts')).createRedisQueue(options),
  'postgres:': async (options) => (await import('./postgres.ts')).createPostgresQueue(options),
  'postgresql:': async (options) => (await import('./postgres.ts')).createPostgresQueue(options),
};

/** BullMQ joins names with colons; a name is also part of a Postgres channel, which has at most 63 bytes. */
const NAME = /^[A-Za-z0-9_-]{1,40}$/;

/**
 * The queue of a configuration, connected.
 * @throws ConfigError when the URL or name is none, a package is missing, or the server does not answer
 */
export async function openQueue(options: QueueOptions): Promise<JobQueue> {
  if (options.url === '') return createEmbeddedQueue(options);
  const url = URL.canParse(options.url) ? new URL(options.url) : undefined;
  const open = ADAPTERS[url?.protocol ?? ''];
  // The value is not repeated: it may hold a password.
  if (!url || !open) throw new ConfigError(['MINGXI_QUEUE_URL: expected redis://, rediss:// or postgres:// and a host']);
  if (!NAME.test(options.name)) throw new ConfigError(['MINGXI_QUEUE_NAME: expected 1 to 40 letters, digits, - or _']);
  try {
    return await open({ ...options, onError: seldom(options.onError) });
  } catch (error) {
    if (error instanceof ConfigError) throw error;
    throw new ConfigError([`MINGXI_QUEUE_URL: the queue's server at ${url.host} cannot be used: ${reasonOf(error)}`]);
  }
}

/** A server that is away fails many calls a second with the same words; one of them a second is enough. */
function seldom(onError: (error: unknown) => void): (error: unknown) => void {
  const told = new Map<string, number>();
  return (error) => {
    const words = String(error).slice(0, 200);
    const now = performance.now();
    if (now - (told.get(words) ?? Number.NEGATIVE_INFINITY) < 1000) return;
    if (told.size > 100) told.clear();
    told.set(words, now);
    onError(error);
  };
}

/** Only the code or the server's words; a connection error's message may hold more than is good for a terminal. */
function reasonOf(error: unknown): string {
  const { code, message } = error as NodeJS.ErrnoException;
  return code ?? message ?? 'it does not answer';
}
