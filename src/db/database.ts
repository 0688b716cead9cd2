import { join } from 'node:path';
import { type Dialect, Kysely, Migrator } from 'kysely';
import { ConfigError } from '../config.ts';
import { MIGRATIONS } from './migrations/index.ts';
import type { PostgresOptions } from './postgres/connections.ts';
import { postgresDialect } from './postgres/dialect.ts';
import { checkServerKey } from './server-key-check.ts';
import { sqliteDialect } from './sqlite.ts';
import type { Db, Tables } from './tables.ts';

/** File name of the embedded database inside the data folder. */
export const DATABASE_FILE = 'mingxi.sqlite';

/** A PostgreSQL server in the place of the embedded database. */
export interface DatabaseServer extends PostgresOptions {
  /** Milliseconds to wait for it at the start: machines that start together are not ready together. */
  readonly startPatience: number;
  /** Checked against the one that the database was begun with. */
  readonly serverKey?: Buffer;
}

/**
 * Opens the database, by default the SQLite file of the data folder, and brings its tables up to
 * date. Safe to call from several processes and machines at once: the migrations run in one
 * transaction under a lock (PostgreSQL: an advisory one). Close it with `db.destroy()`.
 * @throws ConfigError when the server's URL or the server key is wrong, or its package is missing
 */
export async function openDatabase(dataFolder: string, server?: DatabaseServer): Promise<Db> {
  if (server) {
    // A migration takes the time it takes, and so does waiting for another process's.
    await using(postgresDialect({ ...server, connections: 2, timeout: 0, patience: server.startPatience }), async (db) => {
      await migrate(db);
      if (server.serverKey) await checkServerKey(db, server.serverKey);
    });
    return new Kysely<Tables>({ dialect: postgresDialect(server) });
  }
  const db = new Kysely<Tables>({ dialect: sqliteDialect(join(dataFolder, DATABASE_FILE)) });
  try {
    await migrate(db);
  } catch (error) {
    await db.destroy();
    throw error;
  }
  return db;
}

async function using(dialect: Dialect, run: (db: Db) => Promise<void>): Promise<void> {
  const db = new Kysely<Tables>({ dialect });
  try {
    await run(db);
  } finally {
    await db.destroy();
  }
}

async function migrate(db: Db): Promise<void> {
  const migrator = new Migrator({ db, provider: { getMigrations: async () => ({ ...MIGRATIONS }) } });
  const { error } = await migrator.migrateToLatest();
  if (error) throw inWords(error);
}

/** Kysely's words for tables that a newer version has changed sound as if they were broken. */
function inWords(error: unknown): unknown {
  const newer = error instanceof Error ? /previously executed migration (\S+) is missing/.exec(error.message)?.[1] : undefined;
  return newer ? new ConfigError([`the database belongs to a newer version of Mingxi, which has made the migration ${newer}`]) : error;
}
