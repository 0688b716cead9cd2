import { expect, test } from 'vitest';
import { readQuotas, readUsage } from '../../../src/jobs/usage.ts';
import { type DatabaseUnderTest, draftOf, inProcess, openStores } from './under-test.ts';

/** Starting a few processes takes seconds, and minutes on a machine that has much else to do, ms. */
const START_LIMIT = 300_000;

/** What holds between processes. */
export function processesContract({ make, makeBare }: DatabaseUnderTest): void {
  test('four processes that start together on an empty database all come up', { timeout: START_LIMIT }, async () => {
    const place = await makeBare();
    const made = (await Promise.all([1, 2, 3, 4].map(() => inProcess(place, 'keys', '', '5')))).flat();
    expect(new Set(made).size).toBe(20);
    const { keys } = await openStores(place);
    expect((await keys.list()).map(({ id }) => id).sort()).toEqual(made.sort());
    for (const id of made) expect(await keys.secretOf(id)).toMatch(/^[\w-]{43}$/);
  });

  test('what is read and then written under a lock loses nothing', { timeout: START_LIMIT }, async () => {
    const { place, keys, newKey } = await openStores(await make());
    const key = await newKey({ dailyLimit: 0 });
    await Promise.all([1, 2, 3].map(() => inProcess(place, 'count', key.id, '20')));
    expect((await keys.find(key.id))?.dailyLimit).toBe(60);
  });

  test('exactly as many pictures are given out as there are', { timeout: START_LIMIT }, async () => {
    const { place, db, newKey } = await openStores(await make());
    const key = await newKey({ dailyLimit: 50 });
    const got = (await Promise.all([1, 2, 3].map(() => inProcess(place, 'reserve', key.id, '30')))).flat();
    expect(got.length).toBe(50);
    expect((await readQuotas(db, key, Date.now())).day).toEqual({ limit: 50, used: 50 });
  });

  test('each job is taken by one process, and charged once', { timeout: START_LIMIT }, async () => {
    const { place, db, store, newKey } = await openStores(await make(), Date.now());
    const owners = [await newKey(), await newKey(), await newKey()];
    const made: string[] = [];
    for (let i = 0; i < 60; i++) {
      const key = owners[i % 3];
      if (key) made.push((await store.accept(draftOf(key, { expiresAt: Date.now() + 3_600_000 }))).job.id);
    }
    const taken = await Promise.all([1, 2, 3].map(() => inProcess(place, 'claim')));
    expect(taken.flat().sort()).toEqual(made.sort());
    const ended = taken.reduce((sum, ids) => sum + Math.ceil(ids.length / 2), 0);
    expect(await store.counts()).toEqual({ succeeded: ended, running: 60 - ended });
    const usage = await readUsage(db);
    expect(usage.reduce((sum, { pictures }) => sum + pictures, 0)).toBe(ended);
    expect(usage.reduce((sum, { megapixels }) => sum + megapixels, 0)).toBe(ended / 2);
  });
}
