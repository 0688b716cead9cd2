import { describe, expect, test } from 'vitest';
import { Silence } from '../../src/jobs/silence.ts';

/** Looks at these runs at these times (s) and tells whose lease was over at each. */
function looks(times: readonly number[], beats: Readonly<Record<string, readonly (string | undefined)[]>>): string[][] {
  let time = 0;
  const silence = new Silence(15_000, 9_000, () => time);
  return times.map((at, i) => {
    time = at * 1000;
    const isSilent = silence.look();
    return Object.entries(beats)
      .filter(([id, list]) => list[i] !== undefined && isSilent({ id, owner: id, beat: String(list[i]) }))
      .map(([id]) => id);
  });
}

describe('whose lease is over', () => {
  test('who did not change for the time of the lease', () => {
    const beats = { dead: ['1', '1', '1', '1', '1', '1', '1'], alive: ['1', '2', '3', '4', '5', '6', '7'] };
    expect(looks([0, 3, 6, 9, 12, 15, 18], beats)).toEqual([[], [], [], [], [], ['dead'], ['dead']]);
  });

  test('who changed late in it has a whole lease again', () => {
    const beats = { late: ['1', '1', '1', '1', '2', '2', '2', '2', '2', '2'] };
    expect(looks([0, 3, 6, 9, 12, 15, 18, 21, 24, 27], beats).findIndex((found) => found.length > 0)).toBe(9);
  });

  test('who was not seen for long because nobody looked is given time to be seen', () => {
    const beats = { one: ['1', '1', '1', '1'] };
    expect(looks([0, 100, 103, 106], beats)).toEqual([[], [], [], []]);
  });

  test('a clock that jumps in the lease itself is a sign of life, whichever way it jumps', () => {
    const beats = { jumped: ['1000', '4000000', '999', '4000', '4500', '5000', '5500'] };
    expect(looks([0, 3, 6, 9, 12, 15, 18], beats).flat()).toEqual([]);
  });

  test('a run that went and came again begins anew', () => {
    const beats = { one: ['1', '1', '1', undefined, '1', '1', '1'] };
    expect(looks([0, 3, 6, 9, 12, 15, 18], beats).flat()).toEqual([]);
  });
});
