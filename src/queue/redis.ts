import type { Redis, RedisOptions } from 'ioredis';
import { optionalPackage } from '../optional-package.ts';
import { type BullBackend, createBullQueue } from './bullmq.ts';
import { type Bus, newsOf } from './bus.ts';
import type { JobQueue, Listener } from './contract.ts';
import type { ServerOptions } from './open.ts';
import { keepAlive } from './redis-pulse.ts';

/** Reconnecting waits this long at first and at most, ms. */
const RETRY = { first: 100, most: 2_000 };
const COMMAND_LIMIT = 3_000;

const COMMON: RedisOptions = { connectTimeout: 5_000, keepAlive: 5_000 };
/** For calls somebody waits for: better a failure now than an answer after the server is back. */
const IMPATIENT: RedisOptions = { ...COMMON, maxRetriesPerRequest: 1, enableOfflineQueue: false, commandTimeout: COMMAND_LIMIT };
/** For connections that block until there is something, over any interruption. */
const PATIENT: RedisOptions = { ...COMMON, maxRetriesPerRequest: null, enableOfflineQueue: true };

/**
 * BullMQ and pub/sub over Redis or Valkey.
 * @throws ConfigError when a package is missing; Error when the server does not answer
 */
export async function createRedisQueue({ url, name, onError }: ServerOptions): Promise<JobQueue> {
  const { Queue, Worker } = await optionalPackage('bullmq', 'MINGXI_QUEUE_URL', () => import('bullmq'));
  const { Redis: Client } = await optionalPackage('ioredis', 'MINGXI_QUEUE_URL', () => import('ioredis'));
  let closed = false;
  // BullMQ makes connections of its own, which would try for ever and keep the process alive.
  const retryStrategy = (times: number) => (closed ? null : Math.min(times * RETRY.first, RETRY.most));
  const client = new Client(url, { ...IMPATIENT, retryStrategy, lazyConnect: true });
  client.on('error', onError);
  try {
    await client.connect();
  } catch (error) {
    closed = true;
    client.disconnect();
    throw error;
  }
  keepAlive(client);
  // Clients are of one class, but the package BullMQ types them with may be another copy of it.
  const connection = client as never;
  const entries = new Queue(name, { connection, prefix: 'mingxi', streams: { events: { maxLen: 100 } } });
  entries.on('error', onError);
  const backend: BullBackend = {
    entries,
    onError,
    makeWorker(processor, options) {
      const patient = { url, ...PATIENT, retryStrategy } as never;
      const worker = new Worker(name, processor, { ...options, connection: patient, prefix: 'mingxi' });
      worker.on('error', onError);
      // Its other connection, which blocks, is watched by BullMQ.
      worker.getBackend().client.then((own) => keepAlive(own as unknown as Redis), onError);
      return worker;
    },
    bus: createRedisBus(client, `mingxi:${name}:news`, onError),
    async close() {
      closed = true;
      client.disconnect();
    },
  };
  return createBullQueue(backend);
}

/** News over Redis's pub/sub: one more connection in processes that listen. */
function createRedisBus(client: Redis, channel: string, onError: (error: unknown) => void): Bus {
  let subscriber: Redis | undefined;
  return {
    async send(news) {
      await client.publish(channel, JSON.stringify(news));
    },
    listen(listener: Listener) {
      subscriber = client.duplicate({ ...PATIENT, commandTimeout: undefined, lazyConnect: false } as RedisOptions);
      subscriber.on('error', onError);
      subscriber.on('message', (_channel: string, text: string) => {
        const news = newsOf(text);
        if (news) listener.news(news);
      });
      // Subscriptions are renewed with the connection; what was sent in between is lost.
      subscriber.on('ready', () => listener.look());
      subscriber.subscribe(channel).catch(onError);
      keepAlive(subscriber);
    },
    async close() {
      subscriber?.disconnect();
    },
  };
}
