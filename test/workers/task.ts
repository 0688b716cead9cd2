import { fileURLToPath } from 'node:url';
import { DEFAULT_OPTIONS, DOCUMENTED_LIMITS, type RestoreTask } from '../../src/pipeline/options.ts';
import { createPool, type Pool, type PoolOptions } from '../../src/workers/pool.ts';

/** A work order whose source is an order for `entries/obedient.ts`. */
export function task(order: string, result = '/dev/null'): RestoreTask {
  return { source: order, result, options: DEFAULT_OPTIONS, limits: DOCUMENTED_LIMITS };
}

/** A pool of children that obey. */
export function obedientPool(options: Partial<PoolOptions> = {}): Pool {
  return createPool({
    workers: 1,
    threads: 1,
    provider: 'cpu',
    modelsDir: '/nowhere/models',
    queueLimit: 100,
    maxTasks: 1000,
    maxMemory: 2 ** 40,
    entry: entry('obedient'),
    ...options,
  });
}

export function entry(name: string): string {
  return fileURLToPath(new URL(`./entries/${name}.ts`, import.meta.url));
}

/** True while a process of this id exists (a zombie does not count). */
export function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}
