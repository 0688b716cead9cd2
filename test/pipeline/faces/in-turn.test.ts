import { setTimeout as pause } from 'node:timers/promises';
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { inTurn } from '../../../src/pipeline/faces/in-turn.ts';

const waits = fc.array(fc.integer({ min: 0, max: 4 }), { maxLength: 12 });

it('results come in the order of the items, however long each takes, and no more are under way than may be', async () => {
  await fc.assert(
    fc.asyncProperty(waits, fc.integer({ min: 1, max: 4 }), async (times, atOnce) => {
      let underWay = 0;
      let most = 0;
      const seen: [number, number][] = [];
      const work = async (time: number) => {
        most = Math.max(most, ++underWay);
        await pause(time);
        underWay--;
        return time * 2;
      };
      for await (const each of inTurn(times, atOnce, work)) seen.push(each);
      expect(seen).toEqual(times.map((time) => [time, time * 2]));
      expect(most).toBe(Math.min(atOnce, times.length));
    }),
    { numRuns: 40 },
  );
});

it('a failure ends it at its turn, when what was under way has ended, too; nothing more is begun', async () => {
  const begun: number[] = [];
  const ended: number[] = [];
  const seen: number[] = [];
  const work = async (item: number) => {
    begun.push(item);
    await pause(item === 1 ? 1 : 20);
    ended.push(item);
    if (item === 1) throw new Error('one');
    return item;
  };
  const all = async () => {
    for await (const [item] of inTurn([0, 1, 2, 3, 4], 3, work)) seen.push(item);
  };
  await expect(all()).rejects.toThrow('one');
  expect(seen).toEqual([0]);
  expect(begun).toEqual([0, 1, 2, 3]);
  expect([...ended].sort()).toEqual([0, 1, 2, 3]);
});
