import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { Kysely, sql } from 'kysely';
import { type Config, ConfigError } from '../../config.ts';
import { DATABASE_FILE } from '../../db/database.ts';
import { databaseServerOf } from '../../db/database-server.ts';
import { MIGRATIONS } from '../../db/migrations/index.ts';
import { postgresDialect } from '../../db/postgres/dialect.ts';
import { loadServerKey } from '../../db/server-key.ts';
import { checkServerKey } from '../../db/server-key-check.ts';
import { sqliteDialect } from '../../db/sqlite.ts';
import type { Db, Tables } from '../../db/tables.ts';
import { type Probe, placeOf, reasonOf, timed } from './probe.ts';

/** A database that is away is not waited for, ms. */
const PATIENCE = 3_000;

/** Looks at the database and changes nothing: no migration is run. */
export async function probeDatabase(config: Config): Promise<Probe> {
  if (config.databaseUrl === '') return probeFile(join(config.data, DATABASE_FILE));
  return probePostgres('database', config, async (db) => {
    const { complete, words, problems } = await migrationsOf(db);
    return { details: [words], problems: [...problems, ...(complete ? await keyProblems(db, config) : [])] };
  });
}

/** Whether PostgreSQL at `databaseUrl` answers, and what `look` finds in it. */
export async function probePostgres(
  part: Probe['part'],
  config: Pick<Config, 'databaseUrl' | 'databaseConnections' | 'databaseTimeout'>,
  look: (db: Db) => Promise<Pick<Probe, 'details' | 'problems'>>,
): Promise<Probe> {
  const found = { part, kind: 'PostgreSQL', place: placeOf(config.databaseUrl), shared: true, notes: [] } as const;
  const unusable = (words: readonly string[]) => ({ ...found, reachable: false, details: [], problems: words });
  const server = databaseServerOf(config);
  if (!server) return unusable([`${part}: there is no URL`]);
  const db = new Kysely<Tables>({ dialect: postgresDialect({ ...server, connections: 2, patience: PATIENCE }) });
  try {
    const ask = () =>
      sql<{ version: string; now: number }>`
      select current_setting('server_version') as version, (extract(epoch from clock_timestamp()) * 1000)::float8 as now`.execute(db);
    // The first answer includes the time of connecting.
    await ask();
    const { value, milliseconds, skewOf } = await timed(ask);
    const { version = '', now = 0 } = value.rows[0] ?? {};
    return { ...found, reachable: true, version, milliseconds, skew: skewOf(now), ...(await look(db)) };
  } catch (error) {
    return unusable(error instanceof ConfigError ? error.problems : [`${part}: PostgreSQL cannot be used: ${reasonOf(error)}`]);
  } finally {
    await db.destroy();
  }
}

async function probeFile(file: string): Promise<Probe> {
  const found = { part: 'database', kind: 'SQLite', place: file, shared: false, notes: [] } as const;
  if (!existsSync(file)) return { ...found, reachable: true, details: ['it is made at the first start'], problems: [] };
  const db = new Kysely<Tables>({ dialect: sqliteDialect(file) });
  try {
    const { value, milliseconds } = await timed(() => sql<{ version: string }>`select sqlite_version() as version`.execute(db));
    const { words, problems } = await migrationsOf(db);
    return { ...found, reachable: true, version: value.rows[0]?.version ?? '', milliseconds, details: [words], problems };
  } catch (error) {
    return { ...found, reachable: false, details: [], problems: [`the database cannot be used: ${reasonOf(error)}`] };
  } finally {
    await db.destroy();
  }
}

interface MigrationState {
  readonly complete: boolean;
  readonly words: string;
  readonly problems: readonly string[];
}

async function migrationsOf(db: Db): Promise<MigrationState> {
  const known = Object.keys(MIGRATIONS);
  const tables = await db.introspection.getTables({ withInternalKyselyTables: true });
  if (!tables.some(({ name }) => name === 'kysely_migration')) {
    return { complete: false, words: `empty; the first start makes the tables (${known.length} migrations)`, problems: [] };
  }
  const { rows } = await sql<{ name: string }>`select name from kysely_migration`.execute(db);
  const done = new Set(rows.map(({ name }) => name));
  const pending = known.filter((name) => !done.has(name));
  const foreign = [...done].filter((name) => !known.includes(name));
  const words = `${done.size} of ${known.length} migrations${pending.length > 0 ? `, the next start adds ${pending.join(', ')}` : ''}`;
  const problems =
    foreign.length > 0 ? [`the database was made by a newer version (${foreign.join(', ')}); this one does not start with it`] : [];
  return { complete: pending.length === 0 && foreign.length === 0, words, problems };
}

/** Secrets are sealed with the key of the first machine; a key file that is not there yet is not made by looking. */
async function keyProblems(db: Db, config: Config): Promise<readonly string[]> {
  const hasKey = config.serverKey !== '' || existsSync(join(config.data, 'server.key'));
  const begun = await db.selectFrom('facts').select('name').where('name', '=', 'server_key').executeTakeFirst();
  if (!begun) return [];
  if (!hasKey) return ['this machine has no server key, and the database was begun with one: set MINGXI_SERVER_KEY to it'];
  try {
    await checkServerKey(db, loadServerKey(config.serverKey, config.data));
    return [];
  } catch (error) {
    if (error instanceof ConfigError) return error.problems;
    throw error;
  }
}
