import { mkdirSync } from 'node:fs';
import { dirname } from 'node:path';
import {
  CompiledQuery,
  type DatabaseConnection,
  type Dialect,
  SqliteAdapter,
  type SqliteDatabase,
  SqliteDialect,
  type SqliteDialectConfig,
  SqliteDriver,
} from 'kysely';
import Database from 'libsql';

/** Milliseconds a statement waits for another process's write before it fails. */
const BUSY_TIMEOUT = 10_000;

/**
 * SQLite as a Kysely dialect, over libsql. The one file that knows which driver it is: everything
 * above speaks Kysely, so that another driver or Postgres takes a dialect and nothing more.
 *
 * WAL lets readers go on while one process writes; `synchronous=FULL` because an accepted job or a
 * created key must be on disk when it is answered; `foreign_keys` is off by default in SQLite.
 * @param path file of the database, made with its folder when absent, or `:memory:`
 */
export function sqliteDialect(path: string): Dialect {
  if (path !== ':memory:') mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
  const config: SqliteDialectConfig = {
    database: async () => {
      const database = new Database(path, { timeout: BUSY_TIMEOUT });
      database.exec(`PRAGMA busy_timeout=${BUSY_TIMEOUT}; PRAGMA synchronous=FULL; PRAGMA foreign_keys=ON;`);
      database.prepare('PRAGMA journal_mode=WAL').all();
      return database as unknown as SqliteDatabase;
    },
  };
  const base = new SqliteDialect(config);
  return {
    createDriver: () => new ImmediateDriver(config),
    createAdapter: () => new TransactionalAdapter(),
    createQueryCompiler: () => base.createQueryCompiler(),
    createIntrospector: (db) => base.createIntrospector(db),
  };
}

/**
 * Transactions take the write lock at once. With SQLite's default a transaction that reads first and
 * writes later fails with SQLITE_BUSY when another process wrote in between, whatever the time-out.
 */
class ImmediateDriver extends SqliteDriver {
  override async beginTransaction(connection: DatabaseConnection): Promise<void> {
    await connection.executeQuery(CompiledQuery.raw('begin immediate'));
  }
}

/** SQLite's schema changes are transactional: two processes that start together migrate one after the other. */
class TransactionalAdapter extends SqliteAdapter {
  override get supportsTransactionalDdl(): boolean {
    return true;
  }
}
