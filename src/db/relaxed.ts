import { sql } from 'kysely';
import { isPostgres } from './dialect.ts';
import type { Db } from './tables.ts';
import { type Trx, transact } from './transact.ts';

/**
 * A transaction that does not wait for the disk. Its writes survive the process's death but may be
 * lost with the power of the machine that holds the database (SQLite: WAL, `synchronous=NORMAL`;
 * PostgreSQL: `synchronous_commit=off`); the order of commits holds, so that whatever a later durable
 * commit builds on is durable with it. For what is written often and can be found out again: leases,
 * progress, who runs a job. In SQLite a durable commit blocks the event loop for the time of an fsync
 * (16 ms on average, 48 ms at most on a busy cloud disk), this one for well under one.
 *
 * Made again like {@link transact}.
 */
export function relaxed<T>(db: Db, run: (trx: Trx) => Promise<T>): Promise<T> {
  if (isPostgres(db)) {
    return transact(db, async (trx) => {
      await sql`set local synchronous_commit to off`.execute(trx);
      return run(trx);
    });
  }
  return db.connection().execute(async (connection) => {
    await sql`pragma synchronous = normal`.execute(connection);
    try {
      return await connection.transaction().execute(run);
    } finally {
      await sql`pragma synchronous = full`.execute(connection);
    }
  });
}
