import { afterAll, describe, expect, test } from 'vitest';
import { psnr, ssim } from '../../../src/cli/bench/metrics.ts';
import type { Pixels } from '../../../src/cli/bench/pixels.ts';
import type { Pair } from '../../../src/cli/bench/score.ts';
import { createScorers } from '../../../src/cli/bench/scorers.ts';
import { ssimulacra2 } from '../../../src/cli/bench/ssimulacra2.ts';
import { seeded } from '../../pipeline/pictures.ts';

const scorers = createScorers(2);
afterAll(() => scorers.close());

function grain(seed: number, width = 40): Pixels {
  const random = seeded(seed);
  return { width, height: 24, channels: 3, data: Uint8Array.from({ length: width * 24 * 3 }, () => random() * 256) };
}

const pair = (before: Pixels, after: Pixels, reference: Pixels): Pair => ({ before, after, reference, metric: 'rgb' });

describe('threads that measure', () => {
  test('say for every pair what the metrics themselves say, whichever thread and whatever it measured before', async () => {
    const pairs = [1, 2, 3, 4, 5, 6].map((i) => pair(grain(10 + i), grain(20 + i), grain(1 + (i >> 1))));
    const scores = await Promise.all(pairs.map((one) => scorers.score(one)));
    for (const [i, { before, after, reference }] of pairs.entries())
      expect(scores[i]).toEqual({
        input: psnr(before, reference),
        result: psnr(after, reference),
        ssimInput: ssim(before, reference),
        ssimResult: ssim(after, reference),
        perceivedInput: ssimulacra2(before, reference),
        perceivedResult: ssimulacra2(after, reference),
      });
  });

  test('a picture that is its reference scores 100 and has no PSNR', async () => {
    const one = grain(7);
    const { input, result, ssimInput, perceivedInput, perceivedResult } = await scorers.score(pair(one, grain(8), one));
    expect([input, ssimInput, perceivedInput]).toEqual([null, 1, 100]);
    expect(result).toBeLessThan(20);
    expect(perceivedResult).toBeLessThan(100);
  });

  test('pictures of two sizes are refused with the reason, and the next pair is measured', async () => {
    await expect(scorers.score(pair(grain(1), grain(1, 48), grain(1)))).rejects.toThrow(/pictures differ in size: 48×24×3 and 40×24×3/);
    expect((await scorers.score(pair(grain(2), grain(3), grain(4)))).ssimResult).toBeLessThan(1);
  });

  test('what is still to be measured when they end fails', async () => {
    const others = createScorers(1);
    const pending = [1, 2].map((i) => others.score(pair(grain(i), grain(i + 2), grain(i + 4))));
    const outcomes = Promise.allSettled(pending);
    await others.close();
    expect((await outcomes).map(({ status }) => status)).toEqual(['rejected', 'rejected']);
  });
});
