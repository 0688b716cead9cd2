import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { onTestFinished } from 'vitest';
import { openDatabase } from '../../src/db/database.ts';
import { type ApiKey, createKeyStore, type NewKey } from '../../src/db/keys.ts';
import { loadServerKey } from '../../src/db/server-key.ts';
import { createFetcher } from '../../src/fetcher/fetcher.ts';
import { createAccounting } from '../../src/jobs/accounting.ts';
import type { Job } from '../../src/jobs/job.ts';
import { createJobs, type JobsOptions, type NewPicture } from '../../src/jobs/jobs.ts';
import { readQuotas, readUsage } from '../../src/jobs/usage.ts';
import { DEFAULT_OPTIONS, DOCUMENTED_LIMITS } from '../../src/pipeline/options.ts';
import { createEmbeddedQueue } from '../../src/queue/embedded.ts';
import { createDiskStorage } from '../../src/storage/disk.ts';
import { createSpool } from '../../src/storage/spool.ts';
import { createPool, type Pool } from '../../src/workers/pool.ts';
import { temporaryFolder } from '../support/temporary.ts';

export interface BenchOptions extends Partial<JobsOptions> {
  folder?: string;
  key?: Partial<NewKey>;
  /** Do not run jobs. */
  idle?: boolean;
}

/** Jobs over a real database, storage and process pool; only what the children do is by order. */
export async function bench(options: BenchOptions = {}) {
  const folder = options.folder ?? temporaryFolder();
  const db = await openDatabase(folder);
  const keys = createKeyStore(db, loadServerKey('', folder));
  const storage = createDiskStorage(join(folder, 'objects'));
  // Children of a bench that runs nothing would only take time to start.
  const pool = obedientPool(options.idle ? 0 : 1);
  const fetcher = createFetcher({ timeout: 2000, redirects: 0, allow: ['127.0.0.1'], ports: ['80', '443'] });
  const accounting = createAccounting(db);
  const errors: unknown[] = [];
  const queue = await createEmbeddedQueue({ folder, pollMs: 500, onError: (error) => errors.push(error) });
  const jobs = createJobs(
    {
      db,
      accounting,
      storage,
      spool: createSpool(join(folder, 'spool')),
      fetcher,
      restorer: pool,
      queue,
      secretOf: (id) => keys.secretOf(id),
      answer: async (job) => ({ msg_id: job.id, state: job.state }),
    },
    {
      concurrency: 1,
      limit: 10_000,
      attempts: 3,
      takeovers: 20,
      timeout: 20_000,
      lease: 15_000,
      queueLimit: 100,
      lifetime: 3_600_000,
      callbackAttempts: 4,
      callbackBackoff: 20,
      callbackTimeout: 1000,
      onError: (error) => errors.push(error),
      ...options,
    },
  );
  let closed = false;
  const close = async (grace = 0) => {
    if (closed) return;
    closed = true;
    await jobs.stop(grace);
    await pool.close(0);
    await queue.close();
    await fetcher.close();
    await db.destroy();
  };
  onTestFinished(() => close());
  const { key, secret } = await keys.create({ name: 'test', ...options.key });
  if (!options.idle) await jobs.start();
  const submit = (...orders: string[]) => submitAs(key, ...orders);
  const submitAs = async (as: ApiKey, ...orders: string[]): Promise<Job> =>
    (await jobs.submit({ key: as, pictures: orders.map(picture), wire: { by: 'test' } })).job;
  return {
    folder,
    db,
    keys,
    key,
    secret,
    storage,
    pool,
    jobs,
    accounting,
    errors,
    close,
    submit,
    submitAs,
    /** The job once it has ended. */
    end: async (job: Job) => {
      const ended = await jobs.wait(job.id, job.keyId, 20_000);
      if (!ended) throw new Error('the job is gone');
      return ended;
    },
    usage: async () => (await readUsage(db, { key: key.id }))[0],
    quotas: () => readQuotas(db, key, Date.now()),
    /** Text of a stored object; undefined when it is gone. */
    content: async (id: string) => {
      const path = join(temporaryFolder(), 'content');
      return (await storage.download(id, path)) ? readFileSync(path, 'utf8') : undefined;
    },
  };
}

/** A real pool whose children do what the source file says; see entries/obedient.ts. */
export function obedientPool(workers = 1, queueLimit = 100): Pool {
  return createPool({
    workers,
    threads: 1,
    provider: 'cpu',
    modelsDir: '',
    queueLimit,
    maxTasks: 1000,
    maxMemory: 2 ** 40,
    entry: fileURLToPath(new URL('./entries/obedient.ts', import.meta.url)),
  });
}

/** A picture whose bytes are an order for the child. */
export function picture(order: string): NewPicture {
  const source = /^https?:/.test(order) ? { link: order } : { bytes: Buffer.from(order) };
  return { source, options: DEFAULT_OPTIONS, limits: DOCUMENTED_LIMITS };
}

/** A file in which children note their starts. */
export function logFile() {
  const path = join(temporaryFolder(), 'log');
  writeFileSync(path, '');
  return { path, lines: () => (existsSync(path) ? readFileSync(path, 'utf8').split('\n').filter(Boolean) : []) };
}
