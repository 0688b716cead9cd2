import { describe, expect, test } from 'vitest';
import { type Measured, markdownTable, summarise } from '../../../src/cli/bench/summary.ts';

function one(picture: string, input: number | null, result: number | null, more: Partial<Measured> = {}): Measured {
  const standard = {
    set: 's',
    condition: 'c',
    ssimInput: 0.5,
    ssimResult: 0.75,
    perceivedInput: 40,
    perceivedResult: 60,
    gate: 'restore',
    reason: '',
    model: 'general',
    seconds: 1,
  };
  return { ...standard, picture, input, result, ...more };
}

describe('summary', () => {
  test('is paired per picture: means, wins, losses, the worst tenth', () => {
    const gains = [1, 2, 3, -0.5, 0, 1, 1, 1, 1, 1, -1.5, 2, 2, 2, 2, 2, 2, 2, 2, 2];
    const [row] = summarise(gains.map((gain, i) => one(String(i), 30 + i, 30 + i + gain)));
    expect(row).toMatchObject({ pictures: 20, wins: 17 / 20, worse: 2 / 20, copied: 0 });
    expect(row?.gain).toBeCloseTo(gains.reduce((a, b) => a + b) / 20, 9);
    // The lowest two of twenty.
    expect(row?.worstDecile).toBeCloseTo((-1.5 - 0.5) / 2, 9);
    expect(row?.input).toBeCloseTo(39.5, 9);
  });

  test('of clean pictures counts what fell under 42 dB, and takes untouched ones as 100 dB', () => {
    const [row] = summarise([one('a', null, null, { gate: 'copy' }), one('b', null, 44), one('c', null, 41)]);
    expect(row).toMatchObject({ input: null, gain: null, worse: 1 / 3, least: 41, copied: 1 / 3 });
    expect(row?.result).toBeCloseTo((100 + 44 + 41) / 3, 9);
  });

  test('keeps sets and conditions apart, in order, and prints one line each', () => {
    const rows = summarise([
      one('a', 30, 31, { condition: 'q20' }),
      one('a', 20, 21, { condition: 'q10' }),
      one('b', 30, 32, { condition: 'q20' }),
    ]);
    expect(rows.map((row) => [row.condition, row.pictures])).toEqual([
      ['q20', 2],
      ['q10', 1],
    ]);
    const lines = markdownTable(rows).split('\n');
    expect(lines).toHaveLength(4);
    expect(lines[2]).toBe(
      '| s | q20 | 2 | 30.00 | 31.50 | +1.50 | +1.00 | 100 % | 0 % | 31.00 | 0.5000 | 0.7500 | 40.0 | 60.0 | 100 % | 0 % |',
    );
  });
});
