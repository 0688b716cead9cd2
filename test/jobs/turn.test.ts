import { sql } from 'kysely';
import { describe, expect, test } from 'vitest';
import type { ApiKey } from '../../src/db/keys.ts';
import { JobStore } from '../../src/jobs/store.ts';
import { jobInTurn } from '../../src/jobs/turn.ts';
import { until } from '../support/until.ts';
import { bench, logFile } from './bench.ts';

/** A bench that runs nothing, further keys, and a store whose clock is the test's. */
async function turns() {
  const t = await bench({ idle: true });
  let time = Date.now();
  const store = new JobStore(t.db, t.accounting, { jobs: 10_000, takeovers: 20 }, () => ++time);
  const newKey = async (name: string) => (await t.keys.create({ name })).key;
  /** Many jobs at once: a submit of its own for each would wait for the disk each time. */
  const queue = (key: ApiKey, count: number) =>
    t.db.transaction().execute(async (trx) => {
      for (let i = 0; i < count; i++) {
        time++;
        await trx
          .insertInto('jobs')
          .values({
            ...{ id: `${key.name}-${String(i).padStart(5, '0')}`, key_id: key.id, state: 'queued', pictures: '[]', wire: 'null' },
            ...{ available_at: time, created_at: time, expires_at: time + 3_600_000 },
          })
          .execute();
      }
    });
  const claim = async () => (await store.claim('me', time + 60_000))?.id;
  const finish = (id: string) => store.succeed(id, 'me', [], { megapixels: 0, seconds: 0 });
  return { ...t, store, newKey, queue, claim, finish, later: (ms: number) => (time += ms), now: () => time };
}

describe('keys take turns', () => {
  test('the key with the fewest running jobs comes first, its oldest job first', async () => {
    const t = await turns();
    await t.queue(await t.newKey('many'), 2000);
    await t.queue(await t.newKey('few'), 2);
    expect([await t.claim(), await t.claim(), await t.claim(), await t.claim(), await t.claim()]).toEqual([
      'many-00000',
      'few-00000',
      'many-00001',
      'few-00001',
      'many-00002',
    ]);
    await t.queue(await t.newKey('late'), 1);
    expect(await t.claim()).toBe('late-00000');
    expect(await t.claim()).toBe('many-00003');
  });

  test('of keys with nothing running, the one served longest ago', async () => {
    const t = await turns();
    for (const name of ['a', 'b', 'c']) await t.queue(await t.newKey(name), 3);
    const order: string[] = [];
    for (;;) {
      const id = await t.claim();
      if (id === undefined) break;
      order.push(id.slice(0, 1));
      await t.finish(id);
    }
    expect(order.join('')).toBe('abcabcabc');
  });

  test('a key whose jobs are not due, or over, takes no turn and holds up nobody', async () => {
    const t = await turns();
    const [waits, over, due] = [await t.newKey('waits'), await t.newKey('over'), await t.newKey('due')];
    for (const key of [waits, over, due]) await t.queue(key, 1);
    await t.db
      .updateTable('jobs')
      .set({ available_at: t.now() + 1000 })
      .where('key_id', '=', waits.id)
      .execute();
    await t.db.updateTable('jobs').set({ expires_at: t.now() }).where('key_id', '=', over.id).execute();
    expect([await t.claim(), await t.claim()]).toEqual(['due-00000', undefined]);
    t.later(2000);
    expect([await t.claim(), await t.claim()]).toEqual(['waits-00000', undefined]);
  });

  test('no claim reads through the jobs of a key', async () => {
    const t = await turns();
    const plan = await sql<{ detail: string }>`explain query plan select ${jobInTurn(t.db, 1)}`.execute(t.db);
    const steps = plan.rows.map(({ detail }) => detail);
    expect(steps.filter((step) => /\bjobs\b/.test(step)).length).toBeGreaterThanOrEqual(5);
    expect(steps.filter((step) => /SCAN (?!waiting|candidate|CONSTANT)/.test(step))).toEqual([]);
    // The one thing that is sorted is the list of candidates: a row a key.
    expect(steps.filter((step) => step.includes('TEMP B-TREE'))).toHaveLength(1);
  });

  test('through the whole service: the second key is done long before the first one’s queue', async () => {
    const log = logFile();
    const first = await bench({ idle: true });
    const { key: other } = await first.keys.create({ name: 'other' });
    for (let i = 0; i < 20; i++) await first.submit(`restore 0 ${log.path}`);
    const late = await first.submitAs(other, `progress 0 ${log.path}`);
    await first.close();
    const t = await bench({ folder: first.folder });
    await until(async () => (await t.jobs.counts()).succeeded === 21);
    expect(await t.jobs.find(late.id, other.id)).toMatchObject({ state: 'succeeded' });
    expect(log.lines().findIndex((line) => line.startsWith('progress'))).toBe(1);
  });
});
