import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { dayOf } from '../../src/jobs/accounting.ts';
import type { Job } from '../../src/jobs/job.ts';
import { isGone } from '../../src/jobs/owner.ts';
import { isFinal, type JobState, TRANSITIONS } from '../../src/jobs/states.ts';
import { JobStore } from '../../src/jobs/store.ts';
import { until } from '../support/until.ts';
import { isAlive } from '../workers/task.ts';
import { bench, logFile, picture } from './bench.ts';

describe('a job', () => {
  test('is restored, its results are stored, and its pictures are charged once', async () => {
    const t = await bench();
    const job = await t.end(await t.submit('restore 1', 'restore 2'));
    expect(job).toMatchObject({ state: 'succeeded', progress: 1, attempts: 1, failure: undefined, wire: { by: 'test' } });
    expect(await Promise.all((job.results ?? []).map((r) => t.content(r.object)))).toEqual(['restored: restore 1', 'restored: restore 2']);
    expect(await t.usage()).toMatchObject({ day: dayOf(Date.now()), pictures: 2, megapixels: 1, failures: {} });
    expect((await t.usage())?.seconds).toBeGreaterThan(0);
    expect(await t.quotas()).toMatchObject({ day: { used: 2 }, month: { used: 2 } });
    expect(await t.db.selectFrom('reservations').selectAll().execute()).toEqual([]);
  });

  test('of one key is unknown to another', async () => {
    const t = await bench({ idle: true });
    const job = await t.submit('restore 0');
    expect(await t.jobs.find(job.id, job.keyId)).toBeDefined();
    expect(await t.jobs.find(job.id, 'another')).toBeUndefined();
    expect(await t.jobs.cancel(job.id, 'another')).toBeUndefined();
    expect((await t.jobs.find(job.id, job.keyId))?.state).toBe('queued');
  });

  test('with one bad picture fails as a whole, with that code, and costs nothing', async () => {
    const t = await bench();
    const job = await t.end(await t.submit('restore 1', 'refuse x', 'restore 2'));
    expect(job).toMatchObject({ state: 'failed', failure: { kind: 'IMAGE_DECODE_ERROR', message: 'The picture is damaged.' } });
    expect(job.results).toBeUndefined();
    expect(await t.usage()).toMatchObject({ pictures: 0, failures: { 23101: 1 } });
    expect(await t.quotas()).toMatchObject({ day: { used: 0 }, month: { used: 0 } });
    // The first picture's result is nobody's: only the three sources are left.
    await until(() => objects(t.folder) === 3);
  });

  test('tells its progress while it runs', async () => {
    const t = await bench();
    const { id, keyId } = await t.submit('progress 1000');
    const seen: Job[] = [];
    for await (const job of t.jobs.watch(id, keyId)) seen.push(job);
    const progress = seen.map((job) => job.progress);
    expect(progress).toEqual([...progress].sort((a, b) => a - b));
    expect(progress.filter((value) => value > 0 && value < 1).length).toBeGreaterThan(3);
    expect(seen.at(-1)).toMatchObject({ state: 'succeeded', progress: 1 });
  });

  test('whose worker dies is tried again and charged once', async () => {
    const t = await bench();
    const log = logFile();
    const job = await t.end(await t.submit(`die-once 0 ${log.path}`));
    expect(job).toMatchObject({ state: 'succeeded', attempts: 2 });
    expect(log.lines()).toHaveLength(2);
    expect(await t.usage()).toMatchObject({ pictures: 1 });
  });

  test('that kills every worker fails with a code after so many attempts', async () => {
    const t = await bench({ attempts: 3 });
    const log = logFile();
    const job = await t.end(await t.submit(`die 0 ${log.path}`));
    expect(job).toMatchObject({ state: 'failed', attempts: 3, failure: { kind: 'PROCESS_ERROR' } });
    expect(job.failure?.message).toContain('3 times');
    expect(log.lines()).toHaveLength(3);
    expect(await t.usage()).toMatchObject({ pictures: 0, failures: { 20001: 1 } });
  });

  test('that takes too long fails with the time-out and its child is killed', async () => {
    const t = await bench({ timeout: 300 });
    const log = logFile();
    const job = await t.end(await t.submit(`hang 0 ${log.path}`));
    expect(job).toMatchObject({ state: 'failed', failure: { kind: 'GATEWAY_TIMEOUT' } });
    const pid = Number(log.lines()[0]?.split(' ')[1]);
    await until(() => !isAlive(pid));
  });

  test('with a link that cannot be reached fails with its code', async () => {
    const t = await bench();
    expect(await t.end(await t.submit('http://127.0.0.1:1/x.jpg'))).toMatchObject({ failure: { kind: 'IMAGE_DOWNLOAD_FAILED' } });
    expect(await t.end(await t.submit('http://10.1.2.3/x.jpg'))).toMatchObject({ failure: { kind: 'INVALID_URL_ERROR' } });
  });

  test('with a malformed link or callback is refused at once and leaves nothing', async () => {
    const t = await bench({ idle: true });
    await expect(t.jobs.submit({ key: t.key, pictures: [picture('http://')], wire: null })).rejects.toMatchObject({
      kind: 'INVALID_URL_ERROR',
    });
    await expect(t.jobs.submit({ key: t.key, pictures: [picture('restore 0')], wire: null, callbackUrl: 'ftp://x' })).rejects.toMatchObject(
      { kind: 'INVALID_URL_ERROR' },
    );
    expect(await t.jobs.counts()).toEqual({});
    expect(objects(t.folder)).toBe(0);
  });

  test('beyond the limit of open jobs is refused with Retry-After, and its source is deleted', async () => {
    const t = await bench({ idle: true, limit: 2 });
    await t.submit('restore 0');
    await t.submit('restore 0');
    await expect(t.submit('restore 0')).rejects.toMatchObject({ kind: 'ALGORITHM_OVER_CONCURRENT', retryAfter: 30 });
    expect(objects(t.folder)).toBe(2);
  });

  test('submitted twice under one idempotency key is one job', async () => {
    const t = await bench();
    const wanted = { key: t.key, pictures: [picture('restore 0')], wire: null, idempotencyKey: 'order 1', fingerprint: 'f' };
    const first = await t.jobs.submit(wanted);
    const second = await t.jobs.submit(wanted);
    expect([first.replayed, second.replayed]).toEqual([false, true]);
    expect(second.job.id).toBe(first.job.id);
    await t.end(first.job);
    expect(await t.usage()).toMatchObject({ pictures: 1 });
    const { key } = await t.keys.create({ name: 'other' });
    expect((await t.jobs.submit({ ...wanted, key })).replayed).toBe(false);
  });
});

describe('cancel', () => {
  test('of a running job kills its child and charges nothing', async () => {
    const t = await bench();
    const log = logFile();
    const job = await t.submit(`hang 0 ${log.path}`);
    await until(() => log.lines().length === 1);
    const pid = Number(log.lines()[0]?.split(' ')[1]);
    expect(await t.jobs.cancel(job.id, job.keyId)).toMatchObject({ state: 'cancelled' });
    await until(() => !isAlive(pid));
    expect(await t.usage()).toBeUndefined();
    expect(await t.quotas()).toMatchObject({ day: { used: 0 } });
    expect(await t.end(await t.submit('restore 0'))).toMatchObject({ state: 'succeeded' });
  });

  test('of a queued job keeps it from starting', async () => {
    const t = await bench();
    const log = logFile();
    const running = await t.submit('restore 300');
    const queued = await t.submit(`restore 0 ${log.path}`);
    expect(await t.jobs.cancel(queued.id, queued.keyId)).toMatchObject({ state: 'cancelled' });
    await t.end(running);
    expect(log.lines()).toEqual([]);
  });

  test('of an ended job changes nothing', async () => {
    const t = await bench();
    const job = await t.end(await t.submit('restore 0'));
    expect(await t.jobs.cancel(job.id, job.keyId)).toMatchObject({ state: 'succeeded' });
    expect(await t.usage()).toMatchObject({ pictures: 1 });
  });

  test('by another process is noticed by the one that computes', async () => {
    const t = await bench();
    const other = await bench({ folder: t.folder, idle: true });
    const log = logFile();
    const job = await t.submit(`hang 0 ${log.path}`);
    await until(() => log.lines().length === 1);
    const pid = Number(log.lines()[0]?.split(' ')[1]);
    expect(await other.jobs.cancel(job.id, job.keyId)).toMatchObject({ state: 'cancelled' });
    await until(() => !isAlive(pid));
  });
});

describe('restarts', () => {
  // Every submit is written through to the disk; `MINGXI_TEST_JOBS=1000` is the long run.
  const COUNT = Number(process.env.MINGXI_TEST_JOBS ?? 150);
  test(`${COUNT} queued jobs survive, and each is done once`, async () => {
    const log = logFile();
    const first = await bench({ idle: true });
    const ids = new Set<string>();
    for (let i = 0; i < COUNT; i++) ids.add((await first.submit(`restore 0 ${log.path}`)).id);
    expect(ids.size).toBe(COUNT);
    await first.close();
    const second = await bench({ folder: first.folder, concurrency: 4 });
    await until(async () => (await second.jobs.counts()).succeeded === COUNT);
    expect(log.lines()).toHaveLength(COUNT);
    const usage = await second.db.selectFrom('usage').select('pictures').where('key_id', '=', first.key.id).executeTakeFirstOrThrow();
    expect(usage.pictures).toBe(COUNT);
  }, 120_000);

  test('an orderly stop puts a running job back without counting the attempt', async () => {
    const first = await bench();
    const log = logFile();
    const job = await first.submit(`restore 1500 ${log.path}`);
    await until(() => log.lines().length === 1);
    await first.close(0);
    const second = await bench({ folder: first.folder });
    expect(await second.jobs.wait(job.id, job.keyId, 20_000)).toMatchObject({ state: 'succeeded', attempts: 1 });
    expect(log.lines()).toHaveLength(2);
  });

  test('a stop with time to spare lets a running job end', async () => {
    const t = await bench();
    const log = logFile();
    const job = await t.submit(`restore 300 ${log.path}`);
    await until(() => log.lines().length === 1);
    await t.close(10_000);
    const second = await bench({ folder: t.folder, idle: true });
    expect(await second.jobs.find(job.id, job.keyId)).toMatchObject({ state: 'succeeded' });
  });

  test('a job of a dead process is taken up by one other, a living one’s is not; in the end it fails', async () => {
    const t = await bench({ idle: true });
    const a = await t.submit('restore 0');
    const stores = [1, 2].map(() => new JobStore(t.db, t.accounting, { jobs: 10, takeovers: 2 }));
    const [store] = stores as [JobStore];
    const recovered = async (isGone: boolean) => {
      const found = await Promise.all(stores.map((one) => one.recover(() => isGone)));
      return { queued: found.flatMap((one) => one.queued), failed: found.flatMap((one) => one.failed) };
    };
    await store.claim('here:1:x', Date.now() + 60_000);
    expect(await recovered(false)).toEqual({ queued: [], failed: [] });
    expect(await recovered(true)).toEqual({ queued: [a.id], failed: [] });
    expect(await t.jobs.find(a.id, a.keyId)).toMatchObject({ state: 'queued', attempts: 0 });
    await store.claim('here:1:x', Date.now() - 1);
    expect(await recovered(true)).toEqual({ queued: [a.id], failed: [] });
    await store.claim('here:1:x', Date.now() - 1);
    expect(await recovered(true)).toEqual({ queued: [], failed: [a.id] });
    const failed = await t.jobs.find(a.id, a.keyId);
    expect(failed).toMatchObject({ state: 'failed', failure: { kind: 'PROCESS_ERROR' } });
    expect(failed?.failure?.message).toContain('3 times');
    expect(await t.usage()).toMatchObject({ pictures: 0, failures: { 20001: 1 } });
    expect(await t.quotas()).toMatchObject({ day: { used: 0 } });
  });

  test('processes that die use up none of the tries of a picture that kills its workers', async () => {
    const first = await bench({ idle: true });
    const log = logFile();
    const job = await first.submit(`die 0 ${log.path}`);
    const store = new JobStore(first.db, first.accounting, { jobs: 10, takeovers: 20 });
    for (let death = 0; death < 10; death++) {
      await store.claim('here:1:x', Date.now() + 60_000);
      await store.recover(() => true);
    }
    await first.close();
    const second = await bench({ folder: first.folder, attempts: 2 });
    expect(await second.jobs.wait(job.id, job.keyId, 20_000)).toMatchObject({ state: 'failed', attempts: 2 });
    expect(log.lines()).toHaveLength(2);
  });

  test('a process that lost its job can no longer end it', async () => {
    const t = await bench({ idle: true });
    const job = await t.submit('restore 0');
    const store = new JobStore(t.db, t.accounting, { jobs: 10, takeovers: 2 });
    await store.claim('old', Date.now() - 1);
    await store.recover(() => true);
    await store.claim('new', Date.now() + 60_000);
    const work = { megapixels: 1, seconds: 1 };
    expect(await store.succeed(job.id, 'old', [], work)).toBe(false);
    expect(await store.fail(job.id, { kind: 'PROCESS_ERROR', message: '' }, 'old')).toBe(false);
    expect(await store.release(job.id, 'old', 'tried', 0)).toBe(false);
    expect(await store.keep('old', new Map([[job.id, 0.5]]), Date.now() + 1)).toEqual([job.id]);
    expect(await store.succeed(job.id, 'new', [], work)).toBe(true);
    expect(await store.succeed(job.id, 'new', [], work)).toBe(false);
    expect(await t.usage()).toMatchObject({ pictures: 1 });
  });

  test.each([
    ['its own name', `host:${process.pid}:a`, false],
    ['the same process id reused', `host:${process.pid}:b`, true],
    ['a living process', `host:${process.ppid}:c`, false],
    ['a process id that is not there', 'host:999999999:d', true],
    ['another machine', 'elsewhere:999999999:d', false],
    ['no name at all', 'nonsense', false],
  ])('whether an owner is gone: %s', (_, owner, gone) => {
    expect(isGone(owner, `host:${process.pid}:a`)).toBe(gone);
  });
});

describe('expiry', () => {
  test('removes job, sources and results together, and at its minute the job is unknown', async () => {
    const t = await bench();
    const job = await t.end(await t.submit('restore 0'));
    expect(objects(t.folder)).toBe(2);
    // Its minute comes now: with a short life it might come before the end.
    await t.db
      .updateTable('jobs')
      .set({ expires_at: Date.now() + 300 })
      .execute();
    await until(async () => (await t.jobs.find(job.id, job.keyId)) === undefined);
    expect(await t.jobs.sweep.run(Date.now())).toBe(1);
    expect(objects(t.folder)).toBe(0);
    expect(await t.db.selectFrom('jobs').selectAll().execute()).toEqual([]);
    expect(await t.usage()).toMatchObject({ pictures: 1 });
  });

  test('of a running job stops its compute and gives the quota back', async () => {
    const t = await bench();
    const log = logFile();
    const job = await t.submit(`hang 0 ${log.path}`);
    await until(() => log.lines().length === 1);
    await t.jobs.sweep.run(job.expiresAt);
    const pid = Number(log.lines()[0]?.split(' ')[1]);
    await until(() => !isAlive(pid));
    expect(await t.quotas()).toMatchObject({ day: { used: 0 } });
    expect(await t.jobs.counts()).toEqual({});
  });

  test('goes on where a crash left it', async () => {
    const t = await bench({ idle: true });
    const job = await t.submit('restore 0');
    const store = new JobStore(t.db, t.accounting, { jobs: 10, takeovers: 2 });
    await store.expire(job.expiresAt, 10);
    expect(await t.jobs.find(job.id, job.keyId)).toBeUndefined();
    expect(await t.jobs.sweep.run(job.expiresAt)).toBe(1);
    expect(objects(t.folder)).toBe(0);
    expect(await t.jobs.counts()).toEqual({});
  });

  test('leaves younger jobs alone', async () => {
    const t = await bench({ idle: true });
    const job = await t.submit('restore 0');
    expect(await t.jobs.sweep.run(job.expiresAt - 1)).toBe(0);
    expect(await t.jobs.find(job.id, job.keyId)).toBeDefined();
  });
});

describe('the table of transitions', () => {
  const states: JobState[] = ['queued', 'running', 'succeeded', 'failed', 'cancelled', 'expired'];
  const names = Object.keys(TRANSITIONS) as (keyof typeof TRANSITIONS)[];

  test('lets an ended job only expire', () => {
    for (const state of states.filter(isFinal)) {
      expect(names.filter((name) => (TRANSITIONS[name].from as readonly JobState[]).includes(state))).toEqual(['expire']);
    }
  });

  test.each(states.flatMap((state) => (['cancel', 'fail', 'succeed', 'claim', 'release'] as const).map((name) => [name, state] as const)))(
    '%s from %s is what the database does',
    async (name, state) => {
      const t = await bench({ idle: true });
      const { id } = await t.submit('restore 0');
      await t.db.updateTable('jobs').set({ state, owner: 'me', lease_until: 0 }).where('id', '=', id).execute();
      const store = new JobStore(t.db, t.accounting, { jobs: 10, takeovers: 2 });
      const act = {
        cancel: () => store.cancel(id),
        fail: () => store.fail(id, { kind: 'PROCESS_ERROR', message: '' }),
        succeed: () => store.succeed(id, 'me', [], { megapixels: 0, seconds: 0 }),
        claim: async () => (await store.claim('me', 1)) !== undefined,
        release: () => store.release(id, 'me', 'tried', 0),
      }[name];
      const allowed = (TRANSITIONS[name].from as readonly JobState[]).includes(state);
      expect(await act()).toBe(allowed);
      const row = await t.db.selectFrom('jobs').select('state').where('id', '=', id).executeTakeFirstOrThrow();
      expect(row.state).toBe(allowed ? TRANSITIONS[name].to : state);
    },
  );
});

/** Stored objects, each with its description. */
function objects(folder: string): number {
  const root = join(folder, 'objects');
  return existsSync(root) ? readdirSync(root, { recursive: true }).filter((name) => String(name).endsWith('.json')).length : 0;
}
