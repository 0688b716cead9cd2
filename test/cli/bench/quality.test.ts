import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import type { Measured, Summary } from '../../../src/cli/bench/summary.ts';
import { mingxi } from '../cli.ts';
import { png, put } from '../pictures.ts';

const root = mkdtempSync(join(tmpdir(), 'mingxi-bench-'));
afterAll(() => rmSync(root, { recursive: true }));

describe('bench quality', () => {
  test('measures files in and files out through the product, paired per picture', async () => {
    for (const i of [1, 2]) put(join(root, `data/LIVE1/${i}.png`), await png(128, 96, i));
    const json = join(root, 'figures.json');
    const sets = ['--set', 'live1-jpeg', 'live1-double', 'clean', 'cbsd68-noise'];
    const { status, stdout, stderr } = await mingxi(['bench', 'quality', ...sets, '--data', join(root, 'data'), '--json', json, '--cases']);
    expect(status).toBe(0);
    expect(stderr).toMatch(/cbsd68-noise: no folder CBSD68/);
    const { summary, pictures }: { summary: Summary[]; pictures: Measured[] } = JSON.parse(readFileSync(json, 'utf8'));
    expect(summary.map((row) => `${row.set} ${row.condition} ${row.pictures}`)).toEqual([
      ...[10, 20, 30, 40, 50, 60, 70, 80, 90, 95].map((quality) => `live1-jpeg q${quality} 2`),
      'live1-double q10,50 2',
      'clean clean 2',
    ]);
    expect(pictures).toHaveLength(24);
    // The scene is synthetic, so how good the repair is says nothing; that figures are of real work does.
    const inputs = summary.slice(0, 10).map((row) => row.input ?? 0);
    expect(inputs).toEqual([...inputs].sort((a, b) => a - b));
    const coarse = pictures.filter((one) => one.condition === 'q10');
    const gains = coarse.map((one) => (one.result ?? 0) - (one.input ?? 0));
    expect(gains.every((gain) => gain !== 0)).toBe(true);
    expect(summary[0]?.gain).toBeCloseTo(gains.reduce((a, b) => a + b) / 2, 9);
    expect(coarse[0]).toMatchObject({ gate: 'restore', model: 'general', reason: expect.stringContaining('JPEG quality 10') });
    const perceived = summary.slice(0, 10).map((row) => row.perceivedInput);
    expect(perceived).toEqual([...perceived].sort((a, b) => a - b));
    expect(coarse.every((one) => one.perceivedResult !== one.perceivedInput)).toBe(true);
    const text = stdout.toString();
    expect(text).toMatch(/^\| live1-jpeg \| q10 \| 2 \| \d+\.\d\d \|/m);
    expect(text).toMatch(/^LIVE1\/1 q10: .* dB; restore \(JPEG quality 10/m);
  });

  test('--limit takes so many pictures of each folder', async () => {
    const data = join(root, 'data');
    const { stdout } = await mingxi(['bench', 'quality', '--set', 'live1-double', '--limit', '1', '--data', data]);
    expect(stdout.toString()).toMatch(/\| live1-double \| q10,50 \| 1 \|/);
  });

  test.each([
    [['quality', '--data', '/nowhere/at/all'], /no test pictures at \/nowhere\/at\/all/],
    [['quality', '--data', tmpdir(), '--set', 'nonsense'], /there is no set nonsense; there are: live1-jpeg/],
    [['speed', '--sizes', 'big'], /--sizes big: expected megapixels/],
    [['speed', '--repeat', '0'], /whole number from 1 up/],
  ])('%j is exit 2', async (args, message) => {
    const { status, stderr } = await mingxi(['bench', ...args]);
    expect(stderr).toMatch(message);
    expect(status).toBe(2);
  });
});
