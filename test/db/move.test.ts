import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { sql } from 'kysely';
import { expect, onTestFinished, test } from 'vitest';
import { DATABASE_FILE, openDatabase } from '../../src/db/database.ts';
import { databaseServerOf } from '../../src/db/database-server.ts';
import { createKeyStore } from '../../src/db/keys.ts';
import { MOVED_TABLES, moveDatabase } from '../../src/db/move.ts';
import { loadServerKey } from '../../src/db/server-key.ts';
import type { Db } from '../../src/db/tables.ts';
import { createAccounting } from '../../src/jobs/accounting.ts';
import { JobStore } from '../../src/jobs/store.ts';
import { mingxi } from '../cli/cli.ts';
import { draftOf } from '../contract/database/under-test.ts';
import { describeOnFreshDatabase } from '../support/postgres-server.ts';
import { temporaryFolder } from '../support/temporary.ts';
import { commitCutter } from './cut-commits.ts';

/** More rows than go into one statement, twice. */
const MANY = 1_201;
const expiresAt = Date.now() + 3_600_000;
const work = { megapixels: 1.5, seconds: 0.25 };
const storesOn = (db: Db, folder: string) => {
  const accounting = createAccounting(db);
  return { keys: createKeyStore(db, loadServerKey('', folder)), store: new JobStore(db, accounting, { jobs: 10_000, takeovers: 2 }) };
};

/** A data folder as a service leaves it that was stopped in the middle of its work. */
async function leftBehind() {
  const folder = temporaryFolder();
  const db = await openDatabase(folder);
  const { keys, store } = storesOn(db, folder);
  const { key, secret } = await keys.create({ name: 'phone "ä"', dailyLimit: 1000, qps: 2.5 });
  const gone = (await keys.create({ name: 'gone' })).key;
  await keys.revoke(gone.id);
  const accept = async (changes = {}) => (await store.accept(draftOf(key, { expiresAt, ...changes }))).job.id;
  const done = await accept({ callbackUrl: 'https://example.com/done' });
  const failed = await accept();
  const running = await accept();
  const waiting = await accept({ idempotencyKey: 'order 1' });
  await store.claim('me', expiresAt);
  expect(await store.succeed(done, 'me', [{ object: 'r1', outcome: {} as never }], work)).toBe(true);
  await store.claim('me', expiresAt);
  await store.fail(failed, { kind: 'IMAGE_DECODE_ERROR', message: 'no' }, 'me');
  await store.claim('me', expiresAt);
  const rows = Array.from({ length: MANY }, (_, i) => ({ key_id: `${key.id}${i}`, period: '2026-11', used: i }));
  await db.insertInto('quotas').values(rows).execute();
  // A copy, because a handle of this process would count as somebody who has the database open.
  const data = temporaryFolder();
  await sql`vacuum into ${sql.lit(join(data, DATABASE_FILE))}`.execute(db);
  const kept = await everything(db);
  await db.destroy();
  writeFileSync(join(data, 'server.key'), readFileSync(join(folder, 'server.key')));
  return { data, key, secret, ids: { done, failed, running, waiting }, kept };
}

/** Every row of every table that is moved, in an order of its own. */
async function everything(db: Db): Promise<Record<string, unknown>> {
  const tables = MOVED_TABLES.map(async (name) => {
    const rows = await db.selectFrom(name).selectAll().execute();
    const texts = rows.map((row) => JSON.stringify(Object.entries(row).sort(([a], [b]) => (a < b ? -1 : 1))));
    return [name, texts.sort()] as const;
  });
  return Object.fromEntries(await Promise.all(tables));
}

describeOnFreshDatabase('mingxi db move', (fresh) => {
  const server = () => databaseServerOf({ databaseUrl: fresh.url, databaseConnections: 4, databaseTimeout: 20 });
  const open = async () => {
    const db = await openDatabase('', server());
    onTestFinished(() => db.destroy());
    return db;
  };
  const move = async (data: string, environment: Record<string, string> = {}) => {
    const { status, stdout, stderr } = await mingxi(['db', 'move', '--json'], {
      environment: { MINGXI_DATABASE_URL: fresh.url, MINGXI_DATABASE_TIMEOUT: '20', MINGXI_DATA: data, ...environment },
    });
    return { status, stderr, told: stdout.length > 0 ? JSON.parse(stdout.toString()) : undefined };
  };

  test('everything arrives as it was, and the service goes on with it; a second move changes nothing', async () => {
    const { data, key, secret, ids, kept } = await leftBehind();
    const { status, stderr, told } = await move(data);
    expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
    expect(told).toMatchObject({ moved: true, rows: { keys: 2, jobs: 4, callbacks: 1, usage: 1, usage_failures: 1, reservations: 2 } });
    expect(told.rows.quotas).toBeGreaterThan(MANY);
    const db = await open();
    expect(await everything(db)).toEqual(kept);

    const { keys, store } = storesOn(db, data);
    expect((await keys.verify(key.id, secret))?.qps).toBe(2.5);
    expect(await keys.secretOf(key.id)).toBe(secret);
    const again = await store.accept(draftOf(key, { expiresAt, idempotencyKey: 'order 1' }));
    expect([again.job.id, again.replayed]).toEqual([ids.waiting, true]);
    expect((await store.claim('you', expiresAt))?.id).toBe(ids.waiting);
    expect(await store.succeed(ids.waiting, 'you', [], work)).toBe(true);
    // Whoever ran it is gone, and its lease will be over.
    expect(await store.recover(() => true)).toMatchObject({ queued: [ids.running] });

    const later = await everything(db);
    expect(await move(data)).toMatchObject({ status: 0, told: { ...told, moved: false } });
    expect(await everything(db)).toEqual(later);
  });

  test('a database that keeps anything is left alone, and so is one that another was moved to', async () => {
    const first = await leftBehind();
    const db = await open();
    await createKeyStore(db, loadServerKey('', first.data)).create({ name: 'here' });
    const before = await everything(db);
    expect(await move(first.data)).toMatchObject({ status: 2, stderr: expect.stringContaining('not empty (there are keys)') });
    expect(await everything(db)).toEqual(before);
    await db.deleteFrom('keys').execute();
    expect((await move(first.data)).status).toBe(0);
    const other = await leftBehind();
    const filled = await everything(db);
    // By the key already: to a database of one key belong secrets of that key.
    expect(await move(other.data)).toMatchObject({ status: 2, stderr: expect.stringContaining('another server key') });
    await db.deleteFrom('facts').where('name', '=', 'server_key').execute();
    expect(await move(other.data)).toMatchObject({ status: 2, stderr: expect.stringContaining('another embedded database') });
    expect(await everything(db)).toEqual(filled);
  });

  test('a wrong server key is refused before PostgreSQL hears of it', async () => {
    const { data } = await leftBehind();
    const { status, stderr } = await move(data, { MINGXI_SERVER_KEY: 'ab'.repeat(32) });
    expect({ status, stderr }).toEqual({ status: 2, stderr: expect.stringContaining('does not open the secrets of "phone \\"ä\\""') });
    expect(stderr).not.toContain('gone');
    expect((await move(data)).told).toMatchObject({ moved: true });
  });

  test('while a process has the embedded database open nothing is moved', async () => {
    const { data } = await leftBehind();
    const holding = await openDatabase(data);
    onTestFinished(() => holding.destroy());
    await holding.selectFrom('keys').selectAll().execute();
    expect(await move(data)).toMatchObject({ status: 2, stderr: expect.stringContaining('stop the service') });
    expect(await (await open()).selectFrom('keys').selectAll().execute()).toEqual([]);
  });

  test('a commit whose answer is lost is a move all the same', async () => {
    const { data, kept } = await leftBehind();
    const cutter = await commitCutter(fresh.server);
    onTestFinished(() => cutter.close());
    const way = new URL(fresh.url);
    way.port = String(cutter.port);
    const source = await openDatabase(data);
    onTestFinished(() => source.destroy());
    const told = await moveDatabase(
      source,
      async () => {
        const target = await openDatabase('', { ...(server() as NonNullable<ReturnType<typeof server>>), url: way.href });
        cutter.cut(1);
        return target;
      },
      loadServerKey('', data),
    );
    expect([cutter.done, told.isNew]).toEqual([1, true]);
    expect(await everything(await open())).toEqual(kept);
  });

  test.each([
    ['no PostgreSQL', { MINGXI_DATABASE_URL: '' }, 'MINGXI_DATABASE_URL'],
    ['a PostgreSQL that is not there', { MINGXI_DATABASE_URL: 'postgres://a:hidden@127.0.0.1:1/b' }, 'does not answer'],
    ['no embedded database', { MINGXI_DATA: '/nonexistent' }, 'no embedded database'],
  ])('%s is refused in words', async (_name, environment, words) => {
    const { data } = await leftBehind();
    const { status, stderr } = await move(data, environment);
    expect(status).toBeGreaterThan(0);
    expect(stderr).toContain(words);
    expect(stderr).not.toContain('hidden');
  });
});
