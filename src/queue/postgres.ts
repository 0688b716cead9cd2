import type { Client, ClientConfig } from 'pg';
import { optionalPackage } from '../optional-package.ts';
import { type BullBackend, createBullQueue } from './bullmq.ts';
import { type Bus, newsOf } from './bus.ts';
import type { JobQueue, Listener } from './contract.ts';
import type { ServerOptions } from './open.ts';

/** Reconnecting waits this long at first and at most, ms. */
const RETRY = { first: 100, most: 2_000 };
/** A lost peer is noticed after some of these, ms. */
const KEEP_ALIVE = { keepAlive: true, keepAliveInitialDelayMillis: 5_000 };
const LIMITS = { connectionTimeoutMillis: 5_000, query_timeout: 3_000 };
/** BullMQ's statements take milliseconds and its migrations seconds; a connection that is silent for this long is given up, ms. */
const ANSWER_LIMIT = 10_000;
/** The connection for news is asked this often whether it still is one, ms: who only listens would not notice. */
const PULSE = 5_000;
/** A farewell that nobody hears is not waited for, ms. */
const END_LIMIT = 2_000;
/** Connections of one part (announcing, working); each call is short. One more listens for who works. */
const CONNECTIONS = 2;
/** BullMQ's schema. It sets the path to it in pools that it makes, and expects it to be set in others. */
const PATH = '-c search_path=bullmq';

type Pg = typeof import('pg');

/**
 * BullMQ and LISTEN/NOTIFY over Postgres. BullMQ's tables are in a schema of their own (`bullmq`) and are
 * brought up to date at the start.
 * @throws ConfigError when a package is missing; Error when the server does not answer
 */
export async function createPostgresQueue({ url, name, onError }: ServerOptions): Promise<JobQueue> {
  const { Queue, Worker, createPostgresBackend } = await optionalPackage('bullmq', 'MINGXI_QUEUE_URL', () => import('bullmq'));
  const pg = (await optionalPackage('pg', 'MINGXI_QUEUE_URL', () => import('pg'))) as unknown as { default: Pg };
  const connection = {
    ...{ connectionString: url, max: CONNECTIONS, ...KEEP_ALIVE, connectionTimeoutMillis: 5_000 },
    // A pool throws away a client whose statement failed, and the next one is made on a new connection.
    query_timeout: ANSWER_LIMIT,
    Client: heardOut(pg.default, onError),
  };
  const entries = new Queue(
    name,
    { connection: { ...connection, migrate: true }, streams: { events: { maxLen: 100 } } },
    createPostgresBackend,
  );
  entries.on('error', onError);
  try {
    await entries.waitUntilReady();
  } catch (error) {
    await entries.close().catch(() => undefined);
    throw error;
  }
  const bus = await createPostgresBus(pg.default, { connectionString: url, ...KEEP_ALIVE, ...LIMITS }, `mingxi.${name}.news`, onError);
  const backend: BullBackend = {
    entries,
    onError,
    makeWorker(processor, options) {
      // A pool of ours: of its own, BullMQ would have its listening client be of the driver's class.
      const pool = new pg.default.Pool({ ...connection, max: CONNECTIONS + 1, options: PATH });
      const makeAwake: typeof createPostgresBackend = (...made) =>
        // After an error it would sleep for an hour and trust in being woken, over a connection that may be gone.
        Object.defineProperty(createPostgresBackend(...made), 'maximumBlockTimeout', { value: options.drainDelay });
      const worker = new Worker(name, processor, { ...options, connection: pool }, makeAwake);
      worker.on('error', onError);
      return {
        waitUntilReady: () => worker.waitUntilReady(),
        run: () => worker.run(),
        pause: (doNotWaitActive) => worker.pause(doNotWaitActive),
        async close(force) {
          await worker.close(force);
          await pool.end();
        },
      };
    },
    bus,
    close: async () => undefined,
  };
  return createBullQueue(backend);
}

/**
 * BullMQ has its pool's clients in hand for a while without listening to their errors, and an error
 * event that nobody listens to ends the process. A connection that is lost without a word would keep
 * the process alive after its end, and BullMQ goes on asking its listening client until that client
 * has an error: a worker would never work again. So a statement that is not answered ends the connection.
 */
function heardOut(pg: Pg, onError: (error: unknown) => void): Pg['Client'] {
  return class extends pg.Client {
    constructor(config?: string | ClientConfig) {
      super(config);
      this.on('error', onError);
    }

    override query(...statement: unknown[]): never {
      const dropped = (error: unknown) => {
        if (error && !(error instanceof pg.DatabaseError)) drop(this);
      };
      const last = statement.at(-1);
      if (typeof last === 'function') {
        statement[statement.length - 1] = (error: unknown, result: unknown) => {
          dropped(error);
          last(error, result);
        };
      }
      const answer: unknown = (super.query as (...statement: unknown[]) => unknown)(...statement);
      if (answer instanceof Promise) answer.catch(dropped);
      return answer as never;
    }

    override end(callback?: (error: Error) => void): Promise<void> {
      setTimeout(() => drop(this), END_LIMIT).unref();
      return super.end(callback as never) as unknown as Promise<void>;
    }
  };
}

/** The driver has no public way to drop a connection that does not answer. */
function drop(client: Client): void {
  (client as unknown as { connection?: { stream?: { destroy(): void } } }).connection?.stream?.destroy();
}

/** News over LISTEN/NOTIFY on one connection, which is made again whenever it ends. */
async function createPostgresBus(pg: Pg, config: ClientConfig, channel: string, onError: (error: unknown) => void): Promise<Bus> {
  let client: Client | undefined;
  let listener: Listener | undefined;
  let retry: NodeJS.Timeout | undefined;
  let closed = false;
  /** After a statement that was not answered none of the next ones would be. */
  const say = async (one: Client, text: string, values: string[] = []) => {
    try {
      await one.query(text, values);
    } catch (error) {
      if (!(error instanceof pg.DatabaseError)) drop(one);
      throw error;
    }
  };
  const pulse = setInterval(() => void (client && say(client, 'select 1').catch(onError)), PULSE);
  pulse.unref();
  const listenTo = (one: Client) => say(one, `listen ${one.escapeIdentifier(channel)}`);

  const connect = async () => {
    const next = new pg.Client(config);
    next.on('error', onError);
    next.once('end', () => {
      if (client === next) client = undefined;
      again(RETRY.first);
    });
    next.on('notification', ({ payload }) => {
      const news = newsOf(payload);
      if (news) listener?.news(news);
    });
    await next.connect();
    if (listener) await listenTo(next);
    client = next;
    // What was sent while there was no connection is lost.
    listener?.look();
  };
  const again = (wait: number) => {
    if (closed || retry) return;
    retry = setTimeout(() => {
      retry = undefined;
      if (closed || client) return;
      connect().catch((error) => {
        onError(error);
        again(Math.min(wait * 2, RETRY.most));
      });
    }, wait);
    retry.unref();
  };
  await connect();
  return {
    async send(news) {
      if (!client) throw new Error('the connection for news is being made again');
      await say(client, 'select pg_notify($1, $2)', [channel, JSON.stringify(news)]);
    },
    listen(one) {
      listener = one;
      if (client) listenTo(client).catch(onError);
    },
    async close() {
      closed = true;
      clearTimeout(retry);
      clearInterval(pulse);
      await client?.end();
    },
  };
}
