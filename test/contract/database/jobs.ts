import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { JobResult } from '../../../src/jobs/job.ts';
import { isFinal } from '../../../src/jobs/states.ts';
import { JobStore } from '../../../src/jobs/store.ts';
import { readQuotas, readUsage } from '../../../src/jobs/usage.ts';
import { outcomeOf } from '../../support/outcome.ts';
import { type DatabaseUnderTest, draftOf, openBeside, openStores } from './under-test.ts';

const LEASE = 15_000;
const WORK = { megapixels: 1, seconds: 2 };
const results: readonly JobResult[] = [{ object: 'r1', outcome: outcomeOf(10, 10, 'png') }];

/** What the store of jobs promises. */
export function jobsContract({ make }: DatabaseUnderTest): void {
  /** A second process's store over the same database and the same clock. */
  const beside = async (t: Awaited<ReturnType<typeof openStores>>) => {
    const db = await openBeside(t.db, t.place);
    return new JobStore(db, t.accounting, { jobs: 10_000, takeovers: 2 }, t.now);
  };

  test('an accepted job comes back as it was given', async () => {
    const t = await openStores(await make());
    const key = await t.newKey();
    const wire = { text: 'a\u0000b 名前 🖼️ \' " \\ %s', list: [1, 2.5, null, true] };
    const { job, replayed } = await t.store.accept(
      draftOf(key, { wire, callbackUrl: 'https://example.com/?a=\u0000', fingerprint: 'f'.repeat(64) }),
    );
    expect(replayed).toBe(false);
    expect(await t.store.find(job.id)).toEqual(job);
    expect(job).toMatchObject({ keyId: key.id, state: 'queued', wire, progress: 0, attempts: 0, expiresAt: Date.UTC(2026, 10, 23) });
    expect(job.startedAt).toBeUndefined();
    expect(await t.store.find('unknown')).toBeUndefined();
  });

  test('a refused job leaves nothing', async () => {
    const t = await openStores(await make(), undefined, { jobs: 2 });
    const poor = await t.newKey({ dailyLimit: 1 });
    const two = draftOf(poor, { pictures: [...draftOf(poor).pictures, ...draftOf(poor).pictures] });
    await expect(t.store.accept(two)).rejects.toMatchObject({ kind: 'RIGHTS_LIMIT_EXCEEDED' });
    const key = await t.newKey();
    for (let i = 0; i < 2; i++) await t.store.accept(draftOf(key));
    await expect(t.store.accept(draftOf(key))).rejects.toMatchObject({ kind: 'ALGORITHM_OVER_CONCURRENT', retryAfter: 30 });
    expect(await t.store.counts()).toEqual({ queued: 2 });
    expect(await readQuotas(t.db, poor, t.now())).toMatchObject({ day: { used: 0 } });
    expect(await readQuotas(t.db, key, t.now())).toMatchObject({ day: { used: 2 } });
  });

  test('one idempotency key submitted at once to two processes is one job', async () => {
    const t = await openStores(await make());
    const [key, stranger] = [await t.newKey(), await t.newKey()];
    const stores = [t.store, await beside(t)];
    const draft = draftOf(key, { idempotencyKey: 'order 1' });
    const accepted = await Promise.all(Array.from({ length: 16 }, (_, i) => (stores[i % 2] as JobStore).accept(draft)));
    expect(new Set(accepted.map(({ job }) => job.id)).size).toBe(1);
    expect(accepted.filter(({ replayed }) => !replayed)).toHaveLength(1);
    expect(await readQuotas(t.db, key, t.now())).toMatchObject({ day: { used: 1 } });
    expect((await t.store.accept({ ...draft, key: stranger })).replayed).toBe(false);
  });

  test('claims at once, by two processes, each get another job, and none goes without while there are some', async () => {
    const t = await openStores(await make());
    const key = await t.newKey();
    const stores = [t.store, await beside(t)];
    const ids: string[] = [];
    for (let i = 0; i < 16; i++) ids.push((await t.store.accept(draftOf(key))).job.id);
    const claimed = await Promise.all(ids.map((_, i) => (stores[i % 2] as JobStore).claim(`p${i}`, t.now() + LEASE)));
    expect(claimed.map((job) => job?.id).sort()).toEqual([...ids].sort());
    expect(await t.store.claim('late', t.now() + LEASE)).toBeUndefined();
  });

  test('the oldest job of the key that has least running is next', async () => {
    const t = await openStores(await make());
    const [a, b] = [await t.newKey(), await t.newKey()];
    const order: string[] = [];
    for (const key of [a, a, a, b]) order.push((await t.store.accept(draftOf(key))).job.id);
    const claimed: (string | undefined)[] = [];
    for (let i = 0; i < 5; i++) claimed.push((await t.store.claim('me', t.now() + LEASE))?.id);
    // Both keys have nothing running and were never served: the oldest job decides.
    expect(claimed).toEqual([order[0], order[3], order[1], order[2], undefined]);
  });

  test('a lease is kept by its owner and nobody else', async () => {
    const t = await openStores(await make());
    const key = await t.newKey();
    for (let i = 0; i < 2; i++) await t.store.accept(draftOf(key));
    const mine = (await t.store.claim('me', t.now() + LEASE))?.id ?? '';
    const other = (await t.store.claim('other', t.now() + LEASE))?.id ?? '';
    const lost = await t.store.keep(
      'me',
      new Map([
        [mine, 0.25],
        [other, 0.5],
        ['unknown', 0.5],
      ]),
      t.now() + LEASE,
    );
    expect([...lost].sort()).toEqual([other, 'unknown'].sort());
    expect(await t.store.find(mine)).toMatchObject({ progress: 0.25, state: 'running', attempts: 1 });
    expect(await t.store.find(other)).toMatchObject({ progress: 0 });
  });

  test('released jobs count their attempts and their takeovers', async () => {
    const t = await openStores(await make());
    const { job } = await t.store.accept(draftOf(await t.newKey()));
    const claim = () => t.store.claim('me', t.now() + LEASE);
    await claim();
    expect(await t.store.release(job.id, 'somebody', 'tried', t.now())).toBe(false);
    expect(await t.store.release(job.id, 'me', 'tried', t.now() + 500)).toBe(true);
    expect(await claim()).toBeUndefined();
    t.later(600);
    expect(await claim()).toMatchObject({ attempts: 2 });
    expect(await t.store.release(job.id, 'me', 'untried', t.now())).toBe(true);
    expect(await claim()).toMatchObject({ attempts: 2 });
    // Its process is gone: taken up once, however many look at once, and failed after too many times.
    const other = await beside(t);
    for (let i = 0; i < 2; i++) {
      await Promise.all([t.store.recover(() => true), other.recover(() => true)]);
      expect(await claim()).toMatchObject({ attempts: 2 });
    }
    await t.store.recover(() => true);
    expect(await t.store.find(job.id)).toMatchObject({ state: 'failed', failure: { kind: 'PROCESS_ERROR' } });
  });

  test('its owner ends it, once, and it is charged once', async () => {
    const t = await openStores(await make());
    const key = await t.newKey();
    const other = await beside(t);
    const { job } = await t.store.accept(draftOf(key, { callbackUrl: 'https://example.com/' }));
    await t.store.claim('me', t.now() + LEASE);
    expect(await other.succeed(job.id, 'other', results, WORK)).toBe(false);
    const ends = await Promise.all([1, 2, 3, 4].map((i) => (i % 2 ? t.store : other).succeed(job.id, 'me', results, WORK)));
    expect(ends.filter(Boolean)).toHaveLength(1);
    expect(await t.store.find(job.id)).toMatchObject({ state: 'succeeded', results, progress: 1 });
    expect([await t.store.cancel(job.id), await t.store.fail(job.id, { kind: 'PROCESS_ERROR', message: '' })]).toEqual([false, false]);
    expect(await readUsage(t.db)).toMatchObject([{ pictures: 1, megapixels: 1, seconds: 2, failures: {} }]);
    expect(await t.db.selectFrom('callbacks').select('job_id').execute()).toEqual([{ job_id: job.id }]);
  });

  test('a failed job costs nothing, a cancelled one is not even counted', async () => {
    const t = await openStores(await make());
    const key = await t.newKey();
    const [bad, unwanted] = [(await t.store.accept(draftOf(key))).job, (await t.store.accept(draftOf(key))).job];
    expect(await t.store.fail(bad.id, { kind: 'IMAGE_DECODE_ERROR', message: 'The picture is damaged.' })).toBe(true);
    expect(await t.store.cancel(unwanted.id)).toBe(true);
    expect(await t.store.find(bad.id)).toMatchObject({ state: 'failed', failure: { message: 'The picture is damaged.' } });
    expect(await readUsage(t.db)).toMatchObject([{ pictures: 0, failures: { 23101: 1 } }]);
    expect(await readQuotas(t.db, key, t.now())).toMatchObject({ day: { used: 0 }, month: { used: 0 } });
  });

  test('what is over is unknown at its minute and removed with everything that hangs on it', async () => {
    const t = await openStores(await make());
    const key = await t.newKey();
    const other = await beside(t);
    const end = t.now() + 1000;
    for (let i = 0; i < 5; i++) await t.store.accept(draftOf(key, { expiresAt: end }));
    const { job: done } = await t.store.accept(draftOf(key, { expiresAt: end, callbackUrl: 'https://example.com/' }));
    await t.store.fail(done.id, { kind: 'PROCESS_ERROR', message: '' });
    const { job: kept } = await t.store.accept(draftOf(key));
    t.later(1000);
    expect(await t.store.find(done.id)).toBeUndefined();
    expect((await t.store.claim('me', t.now() + LEASE))?.id).toBe(kept.id);
    for (const portion of await Promise.all([t.store.expire(t.now(), 100), other.expire(t.now(), 100)])) {
      for (const job of portion) await t.store.remove(job.id);
    }
    expect(await t.store.counts()).toEqual({ running: 1 });
    expect(await t.db.selectFrom('callbacks').selectAll().execute()).toEqual([]);
    expect(await readQuotas(t.db, key, t.now())).toMatchObject({ day: { used: 1 } });
  });

  test('whatever two processes do to the same jobs at once, each ends once and the quota is what is open or was charged', async () => {
    const step = fc.record({
      store: fc.constantFrom(0, 1),
      job: fc.nat(3),
      kind: fc.constantFrom('claim', 'keep', 'release', 'succeed', 'fail', 'cancel', 'expire', 'recover'),
    });
    await fc.assert(
      fc.asyncProperty(fc.array(fc.array(step, { minLength: 1, maxLength: 5 }), { minLength: 1, maxLength: 5 }), async (rounds) => {
        const t = await openStores(await make());
        const key = await t.newKey({ dailyLimit: 1000 });
        const stores = [t.store, await beside(t)];
        const ids: string[] = [];
        for (let i = 0; i < 4; i++)
          ids.push((await t.store.accept(draftOf(key, { pictures: Array(i + 1).fill(draftOf(key).pictures[0]) }))).job.id);
        let charged = 0;
        const act = async ({ store: which, job, kind }: { store: number; job: number; kind: string }) => {
          const [store, id] = [stores[which] as JobStore, ids[job] as string];
          if (kind === 'claim') await store.claim('me', t.now() + LEASE);
          if (kind === 'keep') await store.keep('me', new Map([[id, 0.5]]), t.now() + LEASE);
          if (kind === 'release') await store.release(id, 'me', 'tried', t.now());
          if (kind === 'succeed' && (await store.succeed(id, 'me', results, WORK))) charged += job + 1;
          if (kind === 'fail') await store.fail(id, { kind: 'PROCESS_ERROR', message: '' });
          if (kind === 'cancel') await store.cancel(id);
          if (kind === 'recover') await store.recover(() => true);
          if (kind === 'expire') await store.expire(t.now(), 1);
        };
        for (const round of rounds) await Promise.all(round.map(act));
        const open = (
          await Promise.all(ids.map((id, i) => t.store.find(id).then((job) => (job && !isFinal(job.state) ? i + 1 : 0))))
        ).reduce((a, b) => a + b, 0);
        const usage = (await readUsage(t.db, { key: key.id }))[0]?.pictures ?? 0;
        expect(usage).toBe(charged);
        expect((await readQuotas(t.db, key, t.now())).day.used).toBe(open + charged);
      }),
      { numRuns: 12 },
    );
  });
}
