import { randomUUID } from 'node:crypto';
import { sql } from 'kysely';
import { ConfigError } from '../config.ts';
import { unseal } from './seal.ts';
import type { Db, Tables } from './tables.ts';
import { type Trx, transact } from './transact.ts';

/** What is moved, parents before children; `workers` are processes of the old place and stay behind. */
export const MOVED_TABLES = ['keys', 'jobs', 'callbacks', 'reservations', 'quotas', 'usage', 'usage_failures'] as const;
type MovedTable = (typeof MOVED_TABLES)[number];

/** What came of a move. */
export interface Move {
  /** False: the same database had been moved there before, and nothing was changed. */
  readonly isNew: boolean;
  /** When it was moved, ms since 1970. */
  readonly at: number;
  readonly rows: Readonly<Record<MovedTable, number>>;
}

/** Name of the fact by which a source is known, there and in the database that it was moved to. */
const IDENTITY = 'identity';
const ORIGIN = 'moved_from';
/** Rows in one statement: jobs have 27 columns, and PostgreSQL takes 65535 parameters. */
const BATCH = 500;
/** How long another command may still be at the embedded database, ms. */
const PATIENCE = 2_000;

/**
 * Copies what an embedded database keeps into an empty PostgreSQL, in one transaction: a move that is
 * broken off has moved nothing, and one that is done is not done again. Nobody else has the source
 * open meanwhile; it is left as it was but for a name that it is given.
 * @param openTarget asked when the source is found to be in order: to open a PostgreSQL binds it to a server key
 * @param serverKey must open the secrets, because the processes of the new place will have to
 * @throws ConfigError when another process has the source open, the target holds anything, or a secret does not open
 */
export async function moveDatabase(
  source: Db,
  openTarget: () => Promise<Db>,
  serverKey: Buffer,
  now: () => number = Date.now,
): Promise<Move> {
  return alone(source, async (from) => {
    await checkSecrets(from, serverKey);
    const identity = await identityOf(from);
    const target = await openTarget();
    try {
      return await transact(target, (to, isRepeat) => moveOnce(from, to, { identity, isRepeat, at: now() }));
    } finally {
      await target.destroy();
    }
  });
}

async function moveOnce(
  from: Trx,
  to: Trx,
  { identity, isRepeat, at }: { identity: string; isRepeat: boolean; at: number },
): Promise<Move> {
  const tables = ['facts', ...MOVED_TABLES].map((name) => sql.table(name));
  await sql`lock table ${sql.join(tables)} in share row exclusive mode`.execute(to);
  const before = await earlierMove(to, identity);
  // One whose commit was done and not heard of is this one.
  if (before) return { ...before, isNew: isRepeat };
  await checkEmpty(to);
  const rows = {} as Record<MovedTable, number>;
  for (const table of MOVED_TABLES) rows[table] = await copy(table, from, to);
  await to
    .insertInto('facts')
    .values({ name: ORIGIN, value: JSON.stringify({ identity, at, rows }) })
    .execute();
  return { isNew: true, at, rows };
}

/** A transaction on an SQLite file that no other connection has open, so that nothing is written to it after it was read. */
async function alone<T>(source: Db, run: (from: Trx) => Promise<T>): Promise<T> {
  await sql`pragma busy_timeout = ${sql.lit(PATIENCE)}`.execute(source);
  await sql`pragma locking_mode = exclusive`.execute(source);
  let isBegun = false;
  try {
    return await source.transaction().execute((from) => {
      isBegun = true;
      return run(from);
    });
  } catch (error) {
    if (isBegun || (error as { code?: string }).code !== 'SQLITE_BUSY') throw error;
    throw new ConfigError(['another process has the embedded database open; stop the service before it is moved']);
  }
}

async function checkSecrets(from: Trx, serverKey: Buffer): Promise<void> {
  const keys = await from.selectFrom('keys').select(['id', 'name', 'secret_sealed']).where('revoked_at', 'is', null).execute();
  const closed = keys.filter(({ id, secret_sealed }) => {
    try {
      unseal(secret_sealed, serverKey, id);
      return false;
    } catch {
      return true;
    }
  });
  if (closed.length === 0) return;
  throw new ConfigError([
    `MINGXI_SERVER_KEY: it does not open the secrets of ${closed.map(({ name }) => JSON.stringify(name)).join(', ')}; ` +
      'give the key that they were made with (DATA/server.key), or rotate or revoke them first',
  ]);
}

async function identityOf(from: Trx): Promise<string> {
  await from
    .insertInto('facts')
    .values({ name: IDENTITY, value: randomUUID() })
    .onConflict((conflict) => conflict.doNothing())
    .execute();
  return (await from.selectFrom('facts').select('value').where('name', '=', IDENTITY).executeTakeFirstOrThrow()).value;
}

/** @throws ConfigError when another database was moved there */
async function earlierMove(to: Trx, identity: string): Promise<Omit<Move, 'isNew'> | undefined> {
  const fact = await to.selectFrom('facts').select('value').where('name', '=', ORIGIN).executeTakeFirst();
  if (!fact) return undefined;
  const { identity: origin, ...move } = JSON.parse(fact.value) as Omit<Move, 'isNew'> & { identity: string };
  if (origin !== identity) throw new ConfigError(['MINGXI_DATABASE_URL: another embedded database was moved there already']);
  return move;
}

async function checkEmpty(to: Trx): Promise<void> {
  for (const table of MOVED_TABLES) {
    if (await to.selectFrom(table).select(sql`1`.as('one')).limit(1).executeTakeFirst())
      throw new ConfigError([`MINGXI_DATABASE_URL: the database is not empty (there are ${table}); give one that nothing was kept in yet`]);
  }
}

/** Row after row in the order in which SQLite keeps them; answers how many. */
async function copy(table: MovedTable, from: Trx, to: Trx): Promise<number> {
  type Row = Tables[MovedTable] & { position: number };
  let count = 0;
  for (let last = 0; ; ) {
    const { rows } = await sql<Row>`
      select rowid as position, * from ${sql.table(table)} where rowid > ${last} order by rowid limit ${BATCH}`.execute(from);
    if (rows.length === 0) return count;
    last = rows.at(-1)?.position ?? last;
    // One table's rows come out as they go in; that they are of the same table is more than the types can say.
    await to
      .insertInto(table)
      .values(rows.map(({ position: _, ...row }) => row) as never)
      .execute();
    count += rows.length;
  }
}
