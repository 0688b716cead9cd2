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
  const db = await openDatabase(config.data);
  try {
    const names = new Map((await db.selectFrom('keys').select(['id', 'name']).execute()).map(({ id, name }) => [id, name]));
    const used = await db.selectFrom('usage').selectAll().orderBy('day').orderBy('key_id').execute();
    const failures = await db.selectFrom('usage_failures').selectAll().execute();
    const wanted = (id: string) => !flags.key || id === flags.key || names.get(id) === flags.key;
    const rows = merge(used, failures)
      .filter((row) => wanted(row.api_key))
      .map((row) => ({ ...row, name: names.get(row.api_key) ?? null }));
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

interface Row {
  readonly day: string;
  readonly api_key: string;
  pictures: number;
  megapixels: number;
  seconds: number;
  /** Count by error code. */
  readonly failures: Record<string, number>;
}

/** One row per key and day, also for days with nothing but failures. */
function merge(
  used: readonly { key_id: string; day: string; pictures: number; megapixels: number; seconds: number }[],
  failed: readonly { key_id: string; day: string; code: number; count: number }[],
): Row[] {
  const rows = new Map<string, Row>();
  const row = (day: string, key: string): Row => {
    const id = `${day} ${key}`;
    const found = rows.get(id) ?? { day, api_key: key, pictures: 0, megapixels: 0, seconds: 0, failures: {} };
    rows.set(id, found);
    return found;
  };
  for (const { day, key_id, pictures, megapixels, seconds } of used) Object.assign(row(day, key_id), { pictures, megapixels, seconds });
  for (const { day, key_id, code, count } of failed) row(day, key_id).failures[code] = count;
  return [...rows.entries()].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, value]) => value);
}
