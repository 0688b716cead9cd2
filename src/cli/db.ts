import { existsSync } from 'node:fs';
import { join } from 'node:path';
import type { Command } from 'commander';
import { loadConfig } from '../config.ts';
import type { Move } from '../db/move.ts';
import { UsageError } from './exit.ts';
import { printJson } from './print.ts';

interface Flags {
  readonly data?: string;
  readonly json?: true;
}

/** `mingxi db`: the database as a whole. */
export function dbCommand(program: Command): void {
  const db = program.command('db').description('The database: move from the embedded one to PostgreSQL.');
  db.command('move')
    .description('Copy keys, jobs, quotas and usage of the embedded database into the empty PostgreSQL of MINGXI_DATABASE_URL.')
    .option('--data <dir>', 'data folder with the embedded database')
    .option('--json', 'as JSON')
    .action(move);
}

async function move(flags: Flags): Promise<void> {
  const config = loadConfig(process.env, { data: flags.data });
  const { DATABASE_FILE, openDatabase } = await import('../db/database.ts');
  const { databaseServerOf } = await import('../db/database-server.ts');
  const { loadServerKey } = await import('../db/server-key.ts');
  const { moveDatabase } = await import('../db/move.ts');
  if (!config.databaseUrl) throw new UsageError('MINGXI_DATABASE_URL: say which PostgreSQL the database is moved to');
  if (!existsSync(join(config.data, DATABASE_FILE)))
    throw new UsageError(`there is no embedded database (${DATABASE_FILE}) in the data folder`);
  const serverKey = loadServerKey(config.serverKey, config.data);
  const source = await openDatabase(config.data);
  try {
    const target = () => openDatabase('', databaseServerOf(config, { serverKey, startPatience: 0 }));
    print(await moveDatabase(source, target, serverKey), new URL(config.databaseUrl).host, flags);
  } finally {
    await source.destroy();
  }
}

function print({ isNew, at, rows }: Move, host: string, flags: Flags): void {
  const time = new Date(at).toISOString();
  if (flags.json) {
    printJson({ moved: isNew, at: time, rows });
    return;
  }
  const counts = Object.entries(rows).map(([table, count]) => `${table.replace('_', ' ')} ${count}`);
  console.log(`${isNew ? 'moved' : `moved before, at ${time}; nothing was changed`}: ${counts.join(', ')}`);
  if (isNew) console.log(`From now on every process needs MINGXI_DATABASE_URL (${host}) and the same server key.`);
}
