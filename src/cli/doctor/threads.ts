import { writeFile } from 'node:fs/promises';
import type { Config } from '../../config.ts';
import { DEFAULT_OPTIONS, DOCUMENTED_LIMITS } from '../../pipeline/options.ts';
import { speedPicture } from '../bench/speed-picture.ts';
import { commandPool } from '../pool-of.ts';
import { makeWorkspace } from '../restore/workspace.ts';

/** One way to divide the cores. */
export interface Arrangement {
  readonly workers: number;
  readonly threads: number;
  /** Throughput of that many pictures at once. */
  readonly megapixelsPerSecond: number;
  /** Seconds one picture of the measurement took, with all children busy. */
  readonly secondsPerPicture: number;
}

const MEGAPIXELS = 0.25;
/** Pictures per child; the first one, which warms the child up, does not count. */
const PICTURES = 2;

/**
 * Restores small pictures with all cores in one child, and with one child per core; more children
 * than four are not tried, they would mostly measure memory.
 */
export async function measureArrangements(config: Config, cores: number): Promise<readonly Arrangement[]> {
  const most = Math.min(cores, 4);
  const shapes =
    most === 1
      ? [{ workers: 1, threads: 1 }]
      : [
          { workers: 1, threads: cores },
          { workers: most, threads: Math.max(1, Math.floor(cores / most)) },
        ];
  const results: Arrangement[] = [];
  for (const shape of shapes) results.push(await measure(config, shape));
  return results;
}

/** The arrangement with the most throughput; of two within a tenth, the one that answers a single picture sooner. */
export function advise(arrangements: readonly Arrangement[]): Arrangement | undefined {
  const most = Math.max(...arrangements.map((one) => one.megapixelsPerSecond));
  return arrangements.filter((one) => one.megapixelsPerSecond >= most * 0.9).sort((a, b) => a.workers - b.workers)[0];
}

async function measure(config: Config, { workers, threads }: { workers: number; threads: number }): Promise<Arrangement> {
  const workspace = makeWorkspace(undefined);
  const pool = commandPool({ ...config, threads }, workers);
  try {
    await pool.ready();
    const source = workspace.file();
    await writeFile(source, await speedPicture(MEGAPIXELS));
    const round = async (count: number) => {
      const began = performance.now();
      const work = Array.from({ length: count }, () =>
        pool.run({ source, result: workspace.file(), options: DEFAULT_OPTIONS, limits: DOCUMENTED_LIMITS }),
      );
      await Promise.all(work);
      return (performance.now() - began) / 1000;
    };
    await round(workers);
    const seconds = await round(workers * PICTURES);
    return {
      workers,
      threads,
      megapixelsPerSecond: (workers * PICTURES * MEGAPIXELS) / seconds,
      secondsPerPicture: seconds / PICTURES,
    };
  } finally {
    await pool.close(0);
    workspace.remove();
  }
}
