import { join } from 'node:path';
import type { FastifyInstance } from 'fastify';
import { type Config, threadsPerWorker } from './config.ts';
import { openDatabase } from './db/database.ts';
import { databaseServerOf } from './db/database-server.ts';
import { createKeyStore, type KeyStore } from './db/keys.ts';
import { reasonOf } from './db/postgres/failure.ts';
import { loadServerKey } from './db/server-key.ts';
import type { Db } from './db/tables.ts';
import { createFetcher } from './fetcher/fetcher.ts';
import type { PrecisionWish } from './inference/precision.ts';
import { createAccounting } from './jobs/accounting.ts';
import { registerJobMetrics } from './jobs/job-metrics.ts';
import { createJobs, type JobsOptions } from './jobs/jobs.ts';
import { createRegistry, shippedModelsDir } from './models/registry.ts';
import { createLogger, type Logger } from './observability/logger.ts';
import { createMetrics, type Metrics } from './observability/metrics.ts';
import { openQueue } from './queue/open.ts';
import { createGatekeeper } from './server/access/gatekeeper.ts';
import { createMemoryRateLimiter, type RateLimiter } from './server/access/rate-limiter.ts';
import type { ServerDeps } from './server/deps.ts';
import { createLifecycle } from './server/lifecycle.ts';
import { queryAnswer } from './server/restoration/job-answer.ts';
import { buildServer } from './server/server.ts';
import type { Storage } from './storage/contract.ts';
import { createDiskStorage } from './storage/disk.ts';
import { createRetention, type Retention, sweepSpool, sweepStorage } from './storage/retention.ts';
import { createSpool } from './storage/spool.ts';
import { packageVersion } from './version.ts';
import { childLimitsOf } from './workers/child-limits.ts';
import type { Restorer } from './workers/contract.ts';
import type { PoolEvent } from './workers/events.ts';
import { createPool } from './workers/pool.ts';

/** A running service, or one about to run. */
export interface App {
  /** Waits for the first child process where it has any, then listens. A process of role `worker` tells of its health only. */
  start(): Promise<{ readonly url: string }>;
  /** From now on `/readyz` says 503 and new work is refused; what runs goes on. */
  drain(): void;
  /** Drains, waits for running work up to `drainTimeout`, then closes everything. Safe to call twice. */
  close(): Promise<void>;
  /** The fastify instance, for calls without a socket. */
  readonly server: FastifyInstance;
  readonly config: Config;
  readonly logger: Logger;
  readonly db: Db;
  readonly keys: KeyStore;
  readonly storage: Storage;
  readonly restorer: Restorer;
  readonly retention: Retention;
}

/** What a test or an embedding program may bring instead of the built-in part. */
export interface AppParts {
  readonly logger?: Logger;
  readonly restorer?: Restorer;
}

/** Spool folders untouched for longer belong to nothing that still runs. */
const spoolAge = (config: Config) => Math.max(3_600_000, 2000 * Math.max(config.syncTimeout, config.gatewayTimeout, config.jobTimeout));

/**
 * The composition root: configuration → database → storage → models → process pool → server.
 * @throws ConfigError, or what the database or a missing network reports
 */
export async function createApp(config: Config, parts: AppParts = {}): Promise<App> {
  const version = packageVersion();
  const logger = parts.logger ?? createLogger(config.logLevel);
  const serverKey = loadServerKey(config.serverKey, config.data);
  const fetcher = createFetcher({
    timeout: config.fetchTimeout * 1000,
    redirects: config.fetchRedirects,
    allow: config.fetchAllow,
    ports: config.fetchPorts,
    userAgent: `mingxi/${version}`,
  });
  const storage = await openStorage(config, logger);
  const rateLimiter = await openRateLimiter(config, logger);
  const ending = new AbortController();
  const db = await openDatabase(
    config.data,
    databaseServerOf(config, {
      ...{ serverKey, ending: ending.signal },
      onFailure: (err) => logger.warn({ err, reason: reasonOf(err) }, 'database'),
    }),
  ).catch(async (error: unknown) => {
    await rateLimiter.close?.();
    throw error;
  });
  const keys = createKeyStore(db, serverKey);
  const spool = createSpool(join(config.data, 'spool'));
  const modelsDir = config.modelsDir === '' ? join(config.data, 'models') : config.modelsDir;
  const models = createRegistry({ shippedDir: shippedModelsDir(), importedDir: modelsDir });
  models.get(config.model);
  models.forFaces('face', config.faceModel);
  models.forFaces('face-detect', config.faceDetector);
  const queue = await openQueue({
    ...{ url: config.queueUrl, name: config.queueName, folder: config.data },
    onError: (err) => logger.warn({ err }, 'queue'),
  }).catch(async (error: unknown) => {
    // An open connection would keep a process alive that could not start.
    await db.destroy();
    throw error;
  });
  // A process that only serves HTTP has no children: pictures go to the workers, through the queue.
  const pool = parts.restorer ?? (config.role === 'api' ? undefined : startPool(config, modelsDir, logger));
  // What a server knows of others' children would be counted once for every server.
  const figures = () => (pool ? pool.stats() : { ...jobs.remote.stats(), children: 0, running: 0 });
  const metrics = createMetrics({ version, pool: figures });
  const lifecycle = createLifecycle();
  const accounting = createAccounting(db);
  const gatekeeper = createGatekeeper({ keys, rateLimiter });
  const jobs = createJobs(
    {
      db,
      accounting,
      storage,
      spool,
      fetcher,
      restorer: pool,
      queue,
      secretOf: (id) => keys.secretOf(id),
      answer: async (job) => (await queryAnswer(job, job.id, { storage })).body,
    },
    jobsOptions(config, logger, metrics),
  );
  const restorer = pool ?? jobs.remote;
  registerJobMetrics(metrics.registry, jobs, queue);
  const retention = createRetention({
    tasks: [
      jobs.sweep,
      sweepStorage(storage),
      sweepSpool(spool, spoolAge(config)),
      { name: 'reservations', run: (now) => accounting.sweep(now) },
    ],
    everyMs: config.sweepSeconds * 1000,
    onError: (task, err) => logger.error({ err, task }, 'sweep failed'),
  });
  const deps: ServerDeps = {
    ...{ config, version, logger, metrics, db, keys, gatekeeper, accounting },
    ...{ storage, spool, fetcher, models, restorer, jobs, queue, lifecycle },
  };
  const server = await buildServer(deps);

  let closing: Promise<void> | undefined;
  const close = async () => {
    lifecycle.drain();
    ending.abort();
    const started = performance.now();
    const grace = config.drainTimeout * 1000;
    // Without children of its own a process waits for what others do for its callers.
    if (pool) await Promise.all([lifecycle.idle(grace), jobs.stop(grace)]);
    else await lifecycle.idle(grace).then(() => jobs.stop(0));
    await restorer.close(Math.max(0, grace - (performance.now() - started)));
    await server.close();
    // Side by side: each has its own few seconds for a server that does not answer.
    await Promise.all([retention.stop(), queue.close(), fetcher.close(), rateLimiter.close?.()]);
    await storage.close?.();
    await db.destroy();
  };
  return {
    ...{ server, config, logger, db, keys, storage, restorer, retention },
    async start() {
      retention.start();
      if ('ready' in restorer) await (restorer as { ready(): Promise<void> }).ready();
      await jobs.start();
      return { url: await server.listen({ host: config.host, port: config.port }) };
    },
    drain: () => lifecycle.drain(),
    close() {
      closing ??= close();
      return closing;
    },
  };
}

/** Other adapters are loaded only when asked for: their packages are optional. */
async function openStorage(config: Config, logger: Logger): Promise<Storage> {
  if (config.storage === 'disk') return createDiskStorage(join(config.data, 'objects'));
  const [{ createS3Storage }, { s3OptionsOf }] = await Promise.all([import('./storage/s3.ts'), import('./storage/s3-options.ts')]);
  return createS3Storage(s3OptionsOf(config), { onFailure: (err) => logger.warn({ err }, 'picture store') });
}

async function openRateLimiter({ redisUrl, redisOutage }: Config, logger: Logger): Promise<RateLimiter> {
  if (redisUrl === '') return createMemoryRateLimiter();
  const { createRedisRateLimiter } = await import('./server/access/redis-rate-limiter.ts');
  return createRedisRateLimiter({
    url: redisUrl,
    outage: redisOutage === 'closed' ? 'closed' : 'open',
    onOutage: (err) => (err ? logger.warn({ err }, 'Redis does not answer: rates') : logger.info('Redis answers again: rates')),
  });
}

function startPool(config: Config, modelsDir: string, logger: Logger): Restorer {
  return createPool({
    workers: config.workers,
    threads: threadsPerWorker(config),
    provider: config.provider,
    modelsDir,
    defaultModel: config.model,
    autoBest: config.autoBest,
    faceModel: config.faceModel,
    faceDetector: config.faceDetector,
    precision: config.precision as PrecisionWish,
    findings: config.data,
    queueLimit: config.queueLimit,
    maxTasks: config.workerTasks,
    maxMemory: config.workerMemory,
    limits: childLimitsOf(config),
    onEvent: (event) => logger[isAlarming(event) ? 'warn' : 'debug'](event, 'pool'),
  });
}

/** A child that ended by itself, in contrast to one replaced or killed on purpose. */
function isAlarming(event: PoolEvent): boolean {
  return event.type === 'child-gone' && ['crashed', 'silent', 'not-started'].includes(event.reason);
}

function jobsOptions(config: Config, logger: Logger, metrics: Metrics): JobsOptions {
  return {
    // A process that only serves HTTP accepts jobs and leaves them to the workers.
    concurrency: config.role === 'api' ? 0 : config.jobConcurrency || config.workers,
    limit: config.jobLimit,
    attempts: config.jobAttempts,
    takeovers: config.jobTakeovers,
    timeout: config.jobTimeout * 1000,
    lease: config.jobLease * 1000,
    queueLimit: config.queueLimit,
    lifetime: Math.round(config.resultHours * 3_600_000),
    callbackAttempts: config.callbackAttempts,
    callbackBackoff: config.callbackBackoff * 1000,
    callbackTimeout: config.fetchTimeout * 1000,
    onError: (err, job) => logger.warn({ err, job }, 'asynchronous work met an error'),
    onEnd: (end) => {
      if ('failure' in end) return metrics.picture({ outcome: end.failure.kind });
      for (const { outcome } of end.results) {
        const megapixels = (outcome.width * outcome.height) / 1e6;
        metrics.picture({ outcome: 'ok', model: outcome.report.model ?? 'none', megapixels, timings: outcome.report.timings });
      }
    },
  };
}
