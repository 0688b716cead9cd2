import { sql } from 'kysely';
import { expect, onTestFinished, test } from 'vitest';
import { ConfigError } from '../../src/config.ts';
import { type DatabaseServer, openDatabase } from '../../src/db/database.ts';
import { createKeyStore } from '../../src/db/keys.ts';
import { transact } from '../../src/db/transact.ts';
import { createAccounting } from '../../src/jobs/accounting.ts';
import { JobStore } from '../../src/jobs/store.ts';
import { readQuotas, readUsage } from '../../src/jobs/usage.ts';
import { draftOf } from '../contract/database/under-test.ts';
import { childrenOf } from '../e2e/server-process.ts';
import { describeOnFreshDatabase } from '../support/postgres-server.ts';
import { pause, until } from '../support/until.ts';
import { commitCutter } from './cut-commits.ts';

const SERVER_KEY = Buffer.alloc(32, 7);
const expiresAt = Date.now() + 3_600_000;
const work = { megapixels: 1, seconds: 1 };

describeOnFreshDatabase('PostgreSQL', (fresh) => {
  const options = (changes: Partial<DatabaseServer> = {}): DatabaseServer => ({
    ...{ url: fresh.url, connections: 8, timeout: 20_000, patience: 40_000, startPatience: 0 },
    ...changes,
  });
  /** A handle with a key, which is made patiently: a short limit is for what a test does after this. */
  const open = async (changes: Partial<DatabaseServer> = {}) => {
    const patient = await openDatabase('', options());
    const { key } = await createKeyStore(patient, SERVER_KEY).create({ name: 'test', dailyLimit: 1000 });
    await patient.destroy();
    const db = await openDatabase('', options(changes));
    onTestFinished(() => db.destroy());
    const accounting = createAccounting(db);
    const keys = createKeyStore(db, SERVER_KEY);
    return { db, accounting, keys, key, store: new JobStore(db, accounting, { jobs: 10_000, takeovers: 20 }) };
  };
  const used = async (t: Awaited<ReturnType<typeof open>>) => (await readQuotas(t.db, t.key, Date.now())).day.used;

  test.each(['SIGINT', 'SIGQUIT', 'SIGKILL'] as const)(
    'restarted by %s under load: nothing fails, nothing is done twice',
    async (signal) => {
      const t = await open();
      const ids: string[] = [];
      let stopping = false;
      // Only when no accept is on its way any more may an empty queue end a worker.
      let submitted = false;
      const submitter = async () => {
        while (!stopping) {
          ids.push((await t.store.accept(draftOf(t.key, { expiresAt }))).job.id);
          expect((await t.keys.find(t.key.id))?.id).toBe(t.key.id);
        }
      };
      const worker = async (name: string) => {
        let count = 0;
        for (;;) {
          // Read before the claim: one that was on its way when the last job came may not have seen it.
          const all = submitted;
          const job = await t.store.claim(name, Date.now() + 60_000);
          if (job && (await t.store.succeed(job.id, name, [], work))) count++;
          if (!job && all) return count;
        }
      };
      const submitters = [submitter(), submitter(), submitter()];
      const workers = [worker('w1'), worker('w2')];
      for (let i = 0; i < 2; i++) {
        await until(() => ids.length > 10 * (i + 1));
        await fresh.server.stop(signal);
        await pause(300);
        await fresh.server.start();
      }
      const before = ids.length;
      await until(() => ids.length > before + 10);
      stopping = true;
      await Promise.all(submitters);
      submitted = true;
      await Promise.all(workers);
      expect(new Set(ids).size).toBe(ids.length);
      // A claim whose commit was done and not heard of leaves a job running until its lease is over, as a dead worker's.
      const counts = await t.store.counts();
      expect((counts.succeeded ?? 0) + (counts.running ?? 0), JSON.stringify(counts)).toBe(ids.length);
      expect((await readUsage(t.db, { key: t.key.id }))[0]?.pictures).toBe(counts.succeeded);
      expect(await used(t)).toBe(ids.length);
    },
  );

  test('a commit whose answer is lost counts once, and its caller is told that it was done', async () => {
    const cutter = await commitCutter(fresh.server);
    const way = new URL(fresh.url);
    way.port = String(cutter.port);
    const t = await open({ url: way.href });
    onTestFinished(() => cutter.close());

    cutter.cut(1);
    const { job, replayed } = await t.store.accept(draftOf(t.key, { expiresAt, idempotencyKey: 'order 1' }));
    expect([cutter.done, replayed]).toEqual([1, false]);
    expect(await t.store.counts()).toEqual({ queued: 1 });

    cutter.cut(2);
    const reservation = await t.accounting.reserve(t.key, 3, { expiresAt: null });
    expect(await used(t)).toBe(4);
    await t.accounting.refund(reservation);
    expect(await used(t)).toBe(1);

    await t.store.claim('me', Date.now() + 60_000);
    cutter.cut(1);
    const results = [{ object: 'r1', outcome: {} as never }];
    expect(await t.store.succeed(job.id, 'me', results, work)).toBe(true);
    expect(cutter.done).toBe(4);
    expect(await readUsage(t.db)).toMatchObject([{ pictures: 1 }]);
    // Another's results are not taken for one's own.
    expect(await t.store.succeed(job.id, 'me', [], work)).toBe(false);
  });

  test('away for longer: calls are refused with 503 until it is back, at once from then on', async () => {
    const told: unknown[] = [];
    const t = await open({ patience: 200, onFailure: (error) => told.push(error) });
    await fresh.server.stop('SIGINT');
    const refused = { kind: 'ALGORITHM_OVER_CONCURRENT', message: 'The database does not answer.', retryAfter: 5 };
    await expect(t.keys.find(t.key.id)).rejects.toMatchObject(refused);
    await expect(t.store.accept(draftOf(t.key, { expiresAt }))).rejects.toMatchObject(refused);
    await expect(t.accounting.reserve(t.key, 1, { expiresAt: null })).rejects.toMatchObject(refused);
    await expect(t.store.claim('me', Date.now())).rejects.toMatchObject(refused);
    expect(told.length).toBeGreaterThan(0);
    for (let i = 0; i < 100; i++) await expect(t.keys.find(t.key.id)).rejects.toMatchObject(refused);
    await fresh.server.start();
    expect((await t.keys.find(t.key.id))?.id).toBe(t.key.id);
    expect(await t.store.counts()).toEqual({});
  });

  test('a server that says nothing any more: no call waits for ever, and closing ends', async () => {
    const t = await open({ timeout: 1_000, patience: 100 });
    const closing = await open({ timeout: 1_000, patience: 100 });
    // Both have a connection at hand that will not answer.
    await Promise.all([t.keys.list(), closing.keys.list()]);
    fresh.server.signal('SIGSTOP');
    // The processes of the connections, not only their parent.
    const backends = childrenOf(fresh.server.pid as number);
    for (const pid of backends) process.kill(pid, 'SIGSTOP');
    try {
      await expect(t.keys.find(t.key.id)).rejects.toMatchObject({ kind: 'ALGORITHM_OVER_CONCURRENT' });
      await expect(t.store.accept(draftOf(t.key, { expiresAt }))).rejects.toMatchObject({ kind: 'ALGORITHM_OVER_CONCURRENT' });
      await closing.db.destroy();
    } finally {
      for (const pid of backends) process.kill(pid, 'SIGCONT');
      fresh.server.signal('SIGCONT');
    }
    await until(() =>
      t.keys.find(t.key.id).then(
        (key) => key?.id === t.key.id,
        () => false,
      ),
    );
    expect(await t.store.counts()).toEqual({});
  });

  test('a statement that is too slow is ended and refused, and its connection is used again', async () => {
    const t = await open({ timeout: 1_000, connections: 2 });
    const before = await sql<{ pid: number }>`select pg_backend_pid() as pid`.execute(t.db);
    await expect(sql`select pg_sleep(20)`.execute(t.db)).rejects.toMatchObject({ message: 'The database is too slow.' });
    const after = await sql<{ pid: number }>`select pg_backend_pid() as pid`.execute(t.db);
    expect(after.rows).toEqual(before.rows);
  });

  test('transactions that wait for each other are both done', async () => {
    const t = await open();
    const [a, b] = [(await t.keys.create({ name: 'a' })).key.id, (await t.keys.create({ name: 'b' })).key.id];
    let tries = 0;
    let held = 0;
    const both = (first: string, second: string) =>
      transact(t.db, async (trx) => {
        tries++;
        for (const id of [first, second]) {
          await trx
            .updateTable('keys')
            .set((e) => ({ version: e('version', '+', 1) }))
            .where('id', '=', id)
            .execute();
          // Each has the row that the other one wants next.
          held++;
          await until(() => held >= 2);
        }
      });
    await Promise.all([both(a, b), both(b, a)]);
    expect(tries).toBe(3);
    const versions = await t.db.selectFrom('keys').select('version').where('id', 'in', [a, b]).execute();
    expect(versions).toEqual([{ version: 3 }, { version: 3 }]);
  });

  test('a process that stops in the middle of a transaction holds nobody up for long', async () => {
    const t = await open();
    const holding = await open();
    let isHeld = false;
    let isFree = false;
    const stuck = holding.db.transaction().execute(async (trx) => {
      await trx.updateTable('keys').set({ name: 'stuck' }).where('id', '=', t.key.id).execute();
      isHeld = true;
      await until(() => isFree);
      await trx.updateTable('keys').set({ name: 'late' }).where('id', '=', t.key.id).execute();
    });
    await until(() => isHeld);
    await t.db.updateTable('keys').set({ name: 'free' }).where('id', '=', t.key.id).execute();
    isFree = true;
    await expect(stuck).rejects.toMatchObject({ kind: 'ALGORITHM_OVER_CONCURRENT' });
    expect((await t.keys.find(t.key.id))?.name).toBe('free');
  });

  test.each([
    ['no address', () => 'postgres:', 'expected postgres://'],
    ['another protocol', () => 'mysql://a:hidden@127.0.0.1/b', 'expected postgres://'],
    ['no database', () => 'postgres://a:hidden@127.0.0.1:5432', 'expected postgres://'],
    ['a wrong password', () => fresh.url.replace(/:[^:@]*@/, ':hidden@'), 'password authentication failed'],
    ['an unknown database', () => fresh.url.replace(/[^/]*$/, 'nowhere'), '"nowhere" does not exist'],
  ])('%s is refused at the start in words, without the password', async (_name, wrong, words) => {
    const failure = await openDatabase('', options({ url: wrong() })).catch((error) => error);
    expect(failure).toBeInstanceOf(ConfigError);
    expect(failure.message).toContain(words);
    expect(failure.message).not.toContain('hidden');
  });

  test('a server that is still starting is waited for at the start', async () => {
    await fresh.server.stop('SIGINT');
    const opening = openDatabase('', options({ startPatience: 40_000 }));
    await pause(500);
    await fresh.server.start();
    const db = await opening;
    expect(await db.selectFrom('keys').selectAll().execute()).toEqual([]);
    await db.destroy();
  });

  test('a machine with another server key than the database was begun with is refused', async () => {
    const first = await openDatabase('', options({ serverKey: SERVER_KEY }));
    onTestFinished(() => first.destroy());
    const second = await openDatabase('', options({ serverKey: Buffer.from(SERVER_KEY) }));
    onTestFinished(() => second.destroy());
    await expect(openDatabase('', options({ serverKey: Buffer.alloc(32, 8) }))).rejects.toThrow('MINGXI_SERVER_KEY');
  });

  test('a database of a newer version is left alone, with a word about it', async () => {
    const { db } = await open();
    await sql`insert into kysely_migration (name, timestamp) values ('9999-later', '2030')`.execute(db);
    await expect(openDatabase('', options())).rejects.toThrow('newer version');
  });
});
