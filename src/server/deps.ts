import type { Config } from '../config.ts';
import type { KeyStore } from '../db/keys.ts';
import type { Db } from '../db/tables.ts';
import type { Fetcher } from '../fetcher/fetcher.ts';
import type { Accounting } from '../jobs/accounting.ts';
import type { Jobs } from '../jobs/jobs.ts';
import type { Registry } from '../models/registry.ts';
import type { Logger } from '../observability/logger.ts';
import type { Metrics } from '../observability/metrics.ts';
import type { JobQueue } from '../queue/contract.ts';
import type { Storage } from '../storage/contract.ts';
import type { Spool } from '../storage/spool.ts';
import type { Restorer } from '../workers/contract.ts';
import type { Gatekeeper } from './access/gatekeeper.ts';
import type { Lifecycle } from './lifecycle.ts';

/** Everything the HTTP layer stands on; built once in `app.ts`. */
export interface ServerDeps {
  readonly config: Config;
  readonly version: string;
  readonly logger: Logger;
  readonly metrics: Metrics;
  readonly db: Db;
  readonly keys: KeyStore;
  readonly gatekeeper: Gatekeeper;
  readonly accounting: Accounting;
  readonly storage: Storage;
  readonly spool: Spool;
  readonly fetcher: Fetcher;
  readonly models: Registry;
  readonly restorer: Restorer;
  readonly jobs: Jobs;
  readonly queue: JobQueue;
  readonly lifecycle: Lifecycle;
}
