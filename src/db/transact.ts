import { sql, type Transaction } from 'kysely';
import { isPostgres } from './dialect.ts';
import { isPassing } from './postgres/failure.ts';
import type { Db, Tables } from './tables.ts';

/** Handle of a running transaction. */
export type Trx = Transaction<Tables>;

/** Times a transaction is made before its failure is believed. */
const ATTEMPTS = 5;
const FIRST_WAIT = 20;

/**
 * A transaction that is made again when its connection was lost or another one was in its way. When
 * the connection is lost while it is being committed nobody knows whether it was; so `run` must be
 * of a kind that does no harm twice, or look at `isRepeat` and find out.
 * @throws AppError ALGORITHM_OVER_CONCURRENT when the database stays away; whatever `run` throws
 */
export async function transact<T>(db: Db, run: (trx: Trx, isRepeat: boolean) => Promise<T>): Promise<T> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await db.transaction().execute((trx) => run(trx, attempt > 1));
    } catch (error) {
      if (attempt === ATTEMPTS || !isPassing(error)) throw error;
      await new Promise((resolve) => setTimeout(resolve, FIRST_WAIT * 2 ** attempt * Math.random()));
    }
  }
}

/**
 * From here to its end no other transaction holds the same name. For what is read first and written
 * after, such as a count against a limit. SQLite has one writer at a time and needs nothing.
 */
export async function lockFor(trx: Trx, name: string): Promise<void> {
  if (isPostgres(trx)) await sql`select pg_advisory_xact_lock(hashtextextended(${name}, 0))`.execute(trx);
}
