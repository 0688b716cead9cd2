import { join } from 'node:path';
import { Kysely, Migrator } from 'kysely';
import { MIGRATIONS } from './migrations/index.ts';
import { sqliteDialect } from './sqlite.ts';
import type { Db, Tables } from './tables.ts';

/** File name of the database inside the data folder. */
export const DATABASE_FILE = 'mingxi.sqlite';

/**
 * Opens the database of a data folder and brings its tables up to date.
 * Safe to call from several processes at once: the migrations run in one transaction.
 * Close it with `db.destroy()`.
 */
export async function openDatabase(dataFolder: string): Promise<Db> {
  const db = new Kysely<Tables>({ dialect: sqliteDialect(join(dataFolder, DATABASE_FILE)) });
  try {
    await migrate(db);
  } catch (error) {
    await db.destroy();
    throw error;
  }
  return db;
}

async function migrate(db: Db): Promise<void> {
  const migrator = new Migrator({ db, provider: { getMigrations: async () => ({ ...MIGRATIONS }) } });
  const { error } = await migrator.migrateToLatest();
  if (error) throw error;
}
