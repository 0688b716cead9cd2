import type { ExpressionBuilder } from 'kysely';
import type { Db, Tables } from '../db/tables.ts';
import { type AccountKey, dayOf, monthOf } from './accounting.ts';

/** What one key had on one UTC day. */
export interface DayUsage {
  readonly key: string;
  /** `2026-11-22` */
  readonly day: string;
  /** Restored and charged. */
  readonly pictures: number;
  readonly megapixels: number;
  /** Seconds of computing. */
  readonly seconds: number;
  /** Failed calls and jobs by error code. */
  readonly failures: Readonly<Record<string, number>>;
}

/** Where a key stands in one of its quotas. */
export interface QuotaState {
  /** Null: no limit. */
  readonly limit: number | null;
  /** Charged, or reserved by work that is not finished. */
  readonly used: number;
}

export interface UsageFilter {
  readonly key?: string | undefined;
  /** First and last day, both included. */
  readonly from?: string | undefined;
  readonly to?: string | undefined;
}

/** Usage per key and day, newest day first; days on which everything failed are there too. */
export async function readUsage(db: Db, filter: UsageFilter = {}): Promise<readonly DayUsage[]> {
  const rows = await db
    .selectFrom('usage')
    .selectAll()
    .where((e) => matches(e, filter))
    .execute();
  const failed = await db
    .selectFrom('usage_failures')
    .selectAll()
    .where((e) => matches(e, filter))
    .orderBy('code')
    .execute();
  const days = new Map<string, DayUsage & { failures: Record<string, number> }>();
  const of = (keyId: string, day: string) => {
    const name = `${day} ${keyId}`;
    const found = days.get(name) ?? { key: keyId, day, pictures: 0, megapixels: 0, seconds: 0, failures: {} };
    days.set(name, found);
    return found;
  };
  for (const { key_id, day, pictures, megapixels, seconds } of rows) Object.assign(of(key_id, day), { pictures, megapixels, seconds });
  for (const { key_id, day, code, count } of failed) of(key_id, day).failures[code] = count;
  return [...days.values()].sort((a, b) => (a.day === b.day ? (a.key < b.key ? -1 : 1) : a.day < b.day ? 1 : -1));
}

/** Both tables name key and day alike. */
function matches(e: ExpressionBuilder<Tables, 'usage'> | ExpressionBuilder<Tables, 'usage_failures'>, { key, from, to }: UsageFilter) {
  const where = e as ExpressionBuilder<Tables, 'usage'>;
  return where.and([
    ...(key === undefined ? [] : [where('key_id', '=', key)]),
    ...(from === undefined ? [] : [where('day', '>=', from)]),
    ...(to === undefined ? [] : [where('day', '<=', to)]),
  ]);
}

/** Where a key stands today and this month. */
export async function readQuotas(db: Db, key: AccountKey, now: number): Promise<{ readonly day: QuotaState; readonly month: QuotaState }> {
  const day = dayOf(now);
  const rows = await db
    .selectFrom('quotas')
    .select(['period', 'used'])
    .where('key_id', '=', key.id)
    .where('period', 'in', [day, monthOf(day)])
    .execute();
  const used = (period: string) => rows.find((row) => row.period === period)?.used ?? 0;
  return { day: { limit: key.dailyLimit, used: used(day) }, month: { limit: key.monthlyLimit, used: used(monthOf(day)) } };
}
