import { join } from 'node:path';
import { type Config, threadsPerWorker } from '../config.ts';
import type { PrecisionWish } from '../inference/precision.ts';
import { childLimitsOf } from '../workers/child-limits.ts';
import { createPool, type Pool, type PoolOptions } from '../workers/pool.ts';

/** Where imported networks are, as configured or beside the other data. */
export function importedModelsDir(config: Pick<Config, 'modelsDir' | 'data'>): string {
  return config.modelsDir || join(config.data, 'models');
}

/** A pool for a command's own use: as configured, with so many children, and a queue as long as the command's list. */
export function commandPool(config: Config, workers: number, more: Partial<PoolOptions> = {}): Pool {
  return createPool({
    workers,
    threads: threadsPerWorker({ threads: config.threads, workers }),
    provider: config.provider,
    modelsDir: importedModelsDir(config),
    defaultModel: config.model,
    autoBest: config.autoBest,
    faceModel: config.faceModel,
    faceDetector: config.faceDetector,
    precision: config.precision as PrecisionWish,
    findings: config.data,
    queueLimit: Number.MAX_SAFE_INTEGER,
    maxTasks: config.workerTasks,
    maxMemory: config.workerMemory,
    limits: childLimitsOf(config),
    ...more,
  });
}
