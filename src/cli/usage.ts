import type { Command } from 'commander';
import { loadConfig } from '../config.ts';
import { printJson, printTable } from './print.ts';

interface Flags {
  readonly key?: string;
  readonly json?: true;
  readonly data?: string;
}

/** `mingxi usage`: what was restored, per key and day. */
export function usageCommand(program: Command): void {
  program
    .command('usage')
    .description('Pictures, megapixels, seconds and failures per key and day (UTC).')
    .option('--key <key>', 'only this key, by id or name')
    .option('--json', 'as JSON')
    .option('--data <dir>', 'data folder')
    .action(usage);
}

async function usage(flags: Flags): Promise<void> {
  const config = loadConfig(process.env, { data: flags.data });
  const { openDatabase } = await import('../db/database.ts');
  const { databaseServerOf } = await import('../db/database-server.ts');
  const { readUsage } = await import('../jobs/usage.ts');
  const db = await openDatabase(config.data, databaseServerOf(config, { startPatience: 0 }));
  try {
    const names = new Map((await db.selectFrom('keys').select(['id', 'name']).execute()).map(({ id, name }) => [id, name]));
    const wanted = (id: string) => !flags.key || id === flags.key || names.get(id) === flags.key;
    const rows = (await readUsage(db))
      .filter(({ key }) => wanted(key))
      .map(({ key, day, ...counts }) => ({ day, api_key: key, ...counts, name: names.get(key) ?? null }))
      // On a terminal the newest day belongs at the bottom.
      .sort((a, b) => (a.day < b.day ? -1 : a.day > b.day ? 1 : 0));
    if (flags.json) return printJson(rows);
    printTable(
      ['day', 'api_key', 'name', 'pictures', 'megapixels', 'seconds', 'failures'],
      rows.map((row) => [
        row.day,
        row.api_key,
        row.name ?? '',
        String(row.pictures),
        row.megapixels.toFixed(1),
        row.seconds.toFixed(1),
        Object.entries(row.failures)
          .map(([code, count]) => `${code}×${count}`)
          .join(' '),
      ]),
    );
  } finally {
    await db.destroy();
  }
}
