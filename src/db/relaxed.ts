import { sql, type Transaction } from 'kysely';
import type { Db, Tables } from './tables.ts';

/**
 * A transaction that does not wait for the disk. Its writes survive the process's death but may be
 * lost with the machine's power (SQLite, WAL, `synchronous=NORMAL`); the order of commits holds, so
 * that whatever a later durable commit builds on is durable with it. For what is written often and can
 * be found out again: leases, progress, who runs a job. A durable commit blocks the event loop for the
 * time of an fsync (16 ms on average, 48 ms at most on a busy cloud disk), this one for well under one.
 */
export function relaxed<T>(db: Db, run: (trx: Transaction<Tables>) => Promise<T>): Promise<T> {
  return db.connection().execute(async (connection) => {
    await sql`pragma synchronous = normal`.execute(connection);
    try {
      return await connection.transaction().execute(run);
    } finally {
      await sql`pragma synchronous = full`.execute(connection);
    }
  });
}
