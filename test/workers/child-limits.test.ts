import { existsSync, mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, describe, expect, test } from 'vitest';
import { loadConfig } from '../../src/config.ts';
import { childLimitsOf } from '../../src/workers/child-limits.ts';
import type { PoolEvent } from '../../src/workers/events.ts';
import type { Pool } from '../../src/workers/pool.ts';
import { obedientPool, task } from './task.ts';

const MB = 1024 * 1024;
const folder = mkdtempSync(join(tmpdir(), 'mingxi-limits-'));
const open: Pool[] = [];
afterEach(async () => {
  await Promise.all(open.splice(0).map((pool) => pool.close(0)));
});
afterAll(() => rmSync(folder, { recursive: true }));

// Not less than 1.2 GB: what Node.js 24 sets aside when it starts counts as data of the process.
const events: PoolEvent[] = [];
function limited(memory: number, fileSize = 100 * MB): Pool {
  events.length = 0;
  const pool = obedientPool({ limits: { memory, fileSize }, onEvent: (event) => events.push(event) });
  open.push(pool);
  return pool;
}

describe.skipIf(!existsSync('/proc/self/limits'))('limits of a child, kept by the kernel', () => {
  test('memory, size of files, open files and core dumps, from its first instruction', async () => {
    const result = join(folder, 'limits');
    await limited(1500 * MB, 3 * MB).run(task('limits', result));
    const text = readFileSync(result, 'utf8');
    const soft = (name: string) => Number(new RegExp(`^${name}\\s+(\\d+)`, 'm').exec(text)?.[1]);
    expect(['Max data size', 'Max file size', 'Max open files', 'Max core file size'].map(soft)).toEqual([1500 * MB, 3 * MB, 256, 0]);
  });

  test('a child that wants more memory fails its own picture, and the next one passes', async () => {
    const pool = limited(1500 * MB);
    await expect(pool.run(task('allocate:4000'))).rejects.toMatchObject({ kind: 'PROCESS_ERROR' });
    await pool.run(task('allocate:50'));
    const peaks = events.flatMap((event) => (event.type === 'task' ? [event.peak] : []));
    expect(Math.max(...peaks)).toBeLessThan(1500 * MB);
  });

  test('a file beyond the limit is not written', async () => {
    const result = join(folder, 'large');
    const pool = limited(1500 * MB, 2 * MB);
    await expect(pool.run(task('write:3', result))).rejects.toMatchObject({ kind: 'PROCESS_ERROR' });
    expect(statSync(result).size).toBeLessThanOrEqual(2 * MB);
    await pool.run(task('write:1', result));
  });

  test('its process id is that of the child itself: a kill ends it and leaves no shell behind', async () => {
    const pool = limited(1500 * MB);
    const result = join(folder, 'pid.json');
    await pool.run(task('look', result));
    const { pid } = JSON.parse(readFileSync(result, 'utf8')) as { pid: number };
    expect(events).toContainEqual({ type: 'child-ready', pid });
  });
});

test('the limits of a configuration: room for the largest allowed result, no memory limit beside a device', () => {
  const config = loadConfig({}, { workerMemoryLimit: 2048 * MB, v2MaxPixels: 100e6 });
  expect(childLimitsOf(config)).toEqual({ memory: 2048 * MB, fileSize: 800e6 + 50 * MB });
  expect(childLimitsOf({ ...config, provider: 'cuda' }).memory).toBe(Number.POSITIVE_INFINITY);
});
