import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openDatabase } from '../../src/db/database.ts';
import { createKeyStore } from '../../src/db/keys.ts';
import { loadServerKey } from '../../src/db/server-key.ts';
import type { Db } from '../../src/db/tables.ts';
import { type FaultProxy, faultProxy } from '../support/fault-proxy.ts';
import { type PostgresServer, postgresServer } from '../support/postgres-server.ts';
import { type RedisServer, redisServer } from '../support/redis-server.ts';
import { type S3FaultProxy, s3FaultProxy } from '../support/s3-faults.ts';
import { type SwiftServer, swiftServer } from '../support/swift-server.ts';
import { type Load, startLoad } from './load.ts';
import { createMember, type Member } from './member.ts';
import { type Namespace, namespacesMissing, network } from './namespaces.ts';
import { type Receiver, startReceiver } from './receiver.ts';
import { judge, type Verdict } from './verdict.ts';

/** What a process needs of others. */
export const STORES = ['database', 'queue', 'storage'] as const;
export type StoreName = (typeof STORES)[number];

/** A process with its ways to the stores and, where there are namespaces, a cable of its own. */
export interface ClusterMember extends Member {
  readonly ways: Readonly<Record<StoreName, FaultProxy>>;
  readonly cable: Namespace | undefined;
  readonly data: string;
  /** Variables added at its next start. */
  readonly extra: Map<string, string>;
}

/** A load with accounts of its own. */
export interface ClusterLoad extends Load {
  /** Stops, waits for every end, and compares what was told with what is. */
  judge(): Promise<Verdict>;
}

/** What keeps the queue: `MINGXI_TEST_QUEUE=postgres` runs the same tests with BullMQ on PostgreSQL and without Redis. */
export const QUEUE: 'redis' | 'postgres' = process.env.MINGXI_TEST_QUEUE === 'postgres' ? 'postgres' : 'redis';

/** Two servers and two workers that share PostgreSQL, Redis and Swift. */
export interface Cluster {
  readonly apis: readonly ClusterMember[];
  readonly workers: readonly ClusterMember[];
  readonly members: readonly ClusterMember[];
  readonly postgres: PostgresServer;
  /** Undefined: PostgreSQL keeps the queue too. */
  readonly redis: RedisServer | undefined;
  readonly swift: SwiftServer;
  /** In front of Swift. */
  readonly s3: S3FaultProxy;
  load(seed: number): Promise<ClusterLoad>;
  /** Everything as it was: ways open, cables in, servers and processes running. */
  heal(): Promise<void>;
  close(): Promise<void>;
}

export interface ClusterOptions {
  readonly apis?: number;
  readonly workers?: number;
  readonly environment?: Readonly<Record<string, string>>;
}

const SERVER_KEY = '0123456789abcdef'.repeat(4);
/** Size of a worker's data folder where it can be a disk of its own, so that it can be filled. */
const DISK = '24m';

/** Starts everything; close it after use. What was started is ended also when a later part does not start. */
export async function startCluster(options: ClusterOptions = {}): Promise<Cluster> {
  const closers: (() => unknown)[] = [];
  const close = async () => {
    for (const closer of closers.splice(0).reverse()) await closer();
  };
  try {
    return await build(options, closers, close);
  } catch (error) {
    await close();
    throw error;
  }
}

async function build(options: ClusterOptions, closers: (() => unknown)[], close: () => Promise<void>): Promise<Cluster> {
  const missing = namespacesMissing();
  if (missing) console.log(`without network namespaces: ${missing}`);
  const net = missing ? undefined : network();
  if (net) closers.push(net.close);
  const host = net?.address ?? '127.0.0.1';

  const started = await Promise.allSettled([postgresServer(), swiftServer(), QUEUE === 'redis' ? redisServer() : undefined] as const);
  for (const one of started) if (one.status === 'fulfilled' && one.value) closers.push(one.value.close);
  for (const one of started) if (one.status === 'rejected') throw one.reason;
  const [postgres, swift, redis] = started.map((one) => (one as PromiseFulfilledResult<unknown>).value) as [
    PostgresServer,
    SwiftServer,
    RedisServer | undefined,
  ];
  const s3 = await s3FaultProxy(swift.endpoint);
  closers.push(s3.close);
  const receiver = await startReceiver(host);
  closers.push(receiver.close);
  const root = mkdtempSync(join(tmpdir(), 'mingxi-cluster-'));
  closers.push(() => rmSync(root, { recursive: true, force: true }));
  const databaseUrl = await postgres.createDatabase();
  const queueUrl = redis?.url ?? (await postgres.createDatabase());
  const targets = { database: new URL(databaseUrl), queue: new URL(queueUrl), storage: new URL(s3.endpoint) };
  const db = await openDatabase(root, { url: databaseUrl, connections: 2, timeout: 10_000, patience: 60_000, startPatience: 10_000 });
  closers.push(() => db.destroy());

  const add = async (name: string, role: 'api' | 'worker'): Promise<ClusterMember> => {
    const cable = net?.add(name);
    const data = join(root, name);
    mkdirSync(data);
    const ways = {} as Record<StoreName, FaultProxy>;
    for (const store of STORES) {
      ways[store] = await faultProxy({ host: targets[store].hostname, port: Number(targets[store].port) }, host);
      closers.push(ways[store].close);
    }
    const extra = new Map<string, string>();
    const through = (store: StoreName) => {
      const url = new URL(targets[store]);
      url.host = `${ways[store].host}:${ways[store].port}`;
      return url.href;
    };
    const member = createMember({
      name,
      role,
      host: cable?.address ?? '127.0.0.1',
      ...(cable ? { wrap: (command) => cable.wrap(role === 'worker' ? onOwnDisk(data, command) : command) } : {}),
      environment: () => ({
        MINGXI_DATA: data,
        MINGXI_LOG_LEVEL: 'warn',
        MINGXI_SERVER_KEY: SERVER_KEY,
        MINGXI_DATABASE_URL: through('database'),
        MINGXI_QUEUE_URL: through('queue'),
        ...(redis ? { MINGXI_REDIS_URL: through('queue') } : {}),
        MINGXI_STORAGE: 's3',
        MINGXI_S3_ENDPOINT: through('storage').replace(/\/$/, ''),
        MINGXI_S3_BUCKET: swift.bucket,
        MINGXI_S3_ACCESS_KEY: swift.keys.accessKeyId,
        MINGXI_S3_SECRET_KEY: swift.keys.secretAccessKey,
        MINGXI_S3_PATH_STYLE: 'true',
        MINGXI_S3_TIMEOUT: '3',
        MINGXI_WORKERS: '1',
        MINGXI_THREADS: '1',
        MINGXI_FETCH_ALLOW: host,
        MINGXI_CALLBACK_BACKOFF: '0.5',
        MINGXI_CALLBACK_ATTEMPTS: '20',
        ...options.environment,
        ...Object.fromEntries(extra),
      }),
    });
    closers.push(() => member.kill());
    return Object.assign(member, { ways, cable, data, extra });
  };
  const names = (kind: string, count: number) => Array.from({ length: count }, (_, i) => `${kind}${i + 1}`);
  const apis: ClusterMember[] = [];
  const workers: ClusterMember[] = [];
  for (const name of names('api', options.apis ?? 2)) apis.push(await add(name, 'api'));
  for (const name of names('worker', options.workers ?? 2)) workers.push(await add(name, 'worker'));
  const members = [...apis, ...workers];
  await Promise.all(members.map((member) => member.start()));

  return {
    ...{ apis, workers, members, postgres, redis, swift, s3, close },
    load: (seed) => loadOn({ apis, receiver, db, ask: (sql) => postgres.query(sql, databaseUrl) }, seed),
    async heal() {
      s3.fail();
      for (const server of [postgres, swift.proxy, ...(redis ? [redis] : [])]) {
        server.signal('SIGCONT');
        if (server.pid === undefined) await server.start();
      }
      for (const { cable, ways } of members) {
        cable?.plug();
        for (const store of STORES) ways[store].set('open');
      }
      for (const member of members) {
        member.thaw();
        await member.revive();
      }
    },
  };
}

/**
 * The data folder as a small disk. It is mounted in the process's own view of the file system, which
 * `ip netns exec` makes for it, and goes away with the process.
 */
function onOwnDisk(data: string, command: readonly string[]): readonly string[] {
  return ['sh', '-c', `mount -t tmpfs -o size=${DISK} tmpfs "$0" && exec "$@"`, data, ...command];
}

interface LoadedOn {
  readonly apis: readonly ClusterMember[];
  readonly receiver: Receiver;
  readonly db: Db;
  readonly ask: (sql: string) => Promise<Record<string, unknown>[]>;
}

async function loadOn({ apis, receiver, db, ask }: LoadedOn, seed: number): Promise<ClusterLoad> {
  const keys = createKeyStore(db, loadServerKey(SERVER_KEY, ''));
  const [jobs, calls] = [await keys.create({ name: 'jobs' }), await keys.create({ name: 'calls', qps: 1000 })];
  const queryOf = ({ key, secret }: typeof jobs) => `api_key=${key.id}&api_secret=${secret}`;
  const load = await startLoad({
    urls: () => apis.map((api) => api.url),
    jobsQuery: queryOf(jobs),
    callsQuery: queryOf(calls),
    callback: receiver.url,
    seed,
  });
  return {
    ...load,
    async judge() {
      await load.stop();
      await load.settle();
      return judge(load.ledger, { jobsKey: jobs.key.id, callsKey: calls.key.id, told: receiver.told }, ask);
    },
  };
}
