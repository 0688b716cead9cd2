import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import type { RestoreTask } from '../../src/pipeline/options.ts';
import { asOrdinary } from '../../src/workers/network-time.ts';
import { outcomeOf } from '../support/outcome.ts';
import { obedientPool, task } from './task.ts';

const folder = mkdtempSync(join(tmpdir(), 'mingxi-network-time-'));
const pool = obedientPool({});
afterAll(async () => {
  await pool.close();
  rmSync(folder, { recursive: true });
});

/** What the child is told of the time. */
async function told(timeout?: number): Promise<RestoreTask['time']> {
  const result = join(folder, 'look.json');
  await pool.run(task('look', result), { pixels: 1e6, ...(timeout === undefined ? {} : { timeout }) });
  return JSON.parse(readFileSync(result, 'utf8')).time;
}

describe('the time a child is told', () => {
  it('nothing while all that is known is a guess; then what is left and what such a picture takes; nothing without a limit', async () => {
    expect(await told(30_000)).toBeUndefined();
    const { left = 0, expected = 0 } = (await told(30_000)) ?? {};
    expect(left).toBeGreaterThan(0);
    expect(left).toBeLessThanOrEqual(30);
    expect(expected).toBeGreaterThan(0);
    expect(await told()).toBeUndefined();
  });
});

describe('what is learned from a picture', () => {
  const after = (restore: number, work?: number) => ({
    ...outcomeOf(1, 1, 'jpg'),
    report: { ...outcomeOf(1, 1, 'jpg').report, timings: { decode: 100, restore } },
    ...(work === undefined ? {} : { work }),
  });

  it.each([
    ['the default network', 2, 1500, 1, 2],
    ['eight times its work', 12.5, 12_000, 8, 2],
    ['half its work', 1.25, 1000, 0.5, 2.25],
    ['a network of unknown work', 2, 1500, undefined, 2],
  ])('%s: the seconds of the default one', (_, seconds, restore, work, expected) => {
    expect(asOrdinary(seconds, after(restore, work))).toBeCloseTo(expected, 9);
  });

  it('a picture that was copied: its own seconds', () => {
    expect(asOrdinary(0.3, outcomeOf(1, 1, 'jpg'))).toBeCloseTo(0.3, 9);
  });
});
