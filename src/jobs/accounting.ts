import { randomUUID } from 'node:crypto';
import type { ApiKey } from '../db/keys.ts';
import type { Db } from '../db/tables.ts';
import { lockFor, type Trx, transact } from '../db/transact.ts';
import { AppError } from '../errors.ts';

/** The limits of a key that accounting keeps. */
export type AccountKey = Pick<ApiKey, 'id' | 'dailyLimit' | 'monthlyLimit' | 'concurrentLimit'>;

/** What a success cost. */
export interface Work {
  readonly megapixels: number;
  /** Seconds of computing. */
  readonly seconds: number;
}

export interface ReserveOptions {
  /** Default: a new random one. */
  readonly id?: string;
  /** Milliseconds since 1970: given back by the sweep from then on. Null: only by settling. */
  readonly expiresAt: number | null;
}

/**
 * Who may have how many pictures, and who had them.
 *
 * Pictures are taken from the quotas when work is accepted, so that concurrent calls cannot overrun
 * them, and given back when it fails. Each reservation is settled once: settling deletes its row, and
 * whoever finds it gone changes nothing. Retries therefore never charge twice.
 */
export interface Accounting {
  /**
   * @returns the reservation's id
   * @throws AppError RIGHTS_LIMIT_EXCEEDED, ALGORITHM_OVER_CONCURRENT
   */
  reserve(key: AccountKey, pictures: number, options: ReserveOptions, trx?: Trx): Promise<string>;
  /** Charges the reserved pictures to the day of success. False when it was settled before. */
  charge(reservation: string, work: Work, trx?: Trx): Promise<boolean>;
  /** Gives the pictures back; with a code the failure is counted. False when it was settled before. */
  refund(reservation: string, code?: number, trx?: Trx): Promise<boolean>;
  /** Gives back what crashed processes left reserved; returns how many. */
  sweep(now: number): Promise<number>;
}

/** Seconds a client should wait when its key has too much running: about one picture's time. */
const CONCURRENT_RETRY = 2;

export function createAccounting(db: Db, now: () => number = Date.now): Accounting {
  const inTransaction = <T>(trx: Trx | undefined, run: (trx: Trx, isRepeat: boolean) => Promise<T>) =>
    trx ? run(trx, false) : transact(db, run);

  const accounting: Accounting = {
    async reserve(key, pictures, options, outer) {
      const id = options.id ?? randomUUID();
      await inTransaction(outer, async (trx, isRepeat) => {
        // The first try's commit may have been done although its answer was lost.
        if (isRepeat && (await trx.selectFrom('reservations').select('id').where('id', '=', id).executeTakeFirst())) return;
        const day = dayOf(now());
        await checkConcurrency(trx, key);
        await take(trx, key.id, day, pictures, key.dailyLimit, 'day');
        await take(trx, key.id, monthOf(day), pictures, key.monthlyLimit, 'month');
        await trx
          .insertInto('reservations')
          .values({ id, key_id: key.id, pictures, day, expires_at: whole(options.expiresAt) })
          .execute();
      });
      return id;
    },

    charge: (reservation, work, outer) =>
      inTransaction(outer, async (trx) => {
        const settled = await trx.deleteFrom('reservations').where('id', '=', reservation).returningAll().executeTakeFirst();
        if (!settled) return false;
        const { megapixels, seconds } = work;
        await trx
          .insertInto('usage')
          .values({ key_id: settled.key_id, day: dayOf(now()), pictures: settled.pictures, megapixels, seconds })
          .onConflict((conflict) =>
            conflict.columns(['key_id', 'day']).doUpdateSet((e) => ({
              pictures: e('usage.pictures', '+', settled.pictures),
              megapixels: e('usage.megapixels', '+', megapixels),
              seconds: e('usage.seconds', '+', seconds),
            })),
          )
          .execute();
        return true;
      }),

    refund: (reservation, code, outer) =>
      inTransaction(outer, async (trx) => {
        const settled = await trx.deleteFrom('reservations').where('id', '=', reservation).returningAll().executeTakeFirst();
        if (!settled) return false;
        // Day before month, as they are taken: two transactions that wait for each other would be ended.
        for (const period of [settled.day, monthOf(settled.day)]) {
          await trx
            .updateTable('quotas')
            .set((e) => ({ used: e('used', '-', settled.pictures) }))
            .where('key_id', '=', settled.key_id)
            .where('period', '=', period)
            .execute();
        }
        if (code !== undefined) await countFailure(trx, settled.key_id, dayOf(now()), code);
        return true;
      }),

    async sweep(time) {
      const left = await db.selectFrom('reservations').select('id').where('expires_at', '<=', time).execute();
      let given = 0;
      for (const { id } of left) if (await accounting.refund(id)) given++;
      return given;
    },
  };
  return accounting;
}

/** UTC day of a time, `2026-11-22`. */
export function dayOf(time: number): string {
  return new Date(time).toISOString().slice(0, 10);
}

/** Month of a day, `2026-11`. */
export function monthOf(day: string): string {
  return day.slice(0, 7);
}

/** Times are whole milliseconds; a configured time in seconds need not be. */
const whole = (time: number | null) => (time === null ? null : Math.round(time));

/** One statement tests and takes, so that two processes cannot both get the last picture. */
async function take(trx: Trx, keyId: string, period: string, pictures: number, limit: number | null, name: 'day' | 'month'): Promise<void> {
  await trx
    .insertInto('quotas')
    .values({ key_id: keyId, period, used: 0 })
    .onConflict((conflict) => conflict.doNothing())
    .execute();
  let update = trx
    .updateTable('quotas')
    .set((e) => ({ used: e('used', '+', pictures) }))
    .where('key_id', '=', keyId)
    .where('period', '=', period);
  if (limit !== null) update = update.where('used', '<=', limit - pictures);
  if ((await update.executeTakeFirst()).numUpdatedRows > 0n) return;
  const row = await trx.selectFrom('quotas').select('used').where('key_id', '=', keyId).where('period', '=', period).executeTakeFirst();
  throw new AppError(
    'RIGHTS_LIMIT_EXCEEDED',
    `The key's quota of this ${name} (UTC) is ${limit} pictures; ${row?.used ?? 0} are used or in work and ${pictures} more were asked for.`,
  );
}

async function checkConcurrency(trx: Trx, key: AccountKey): Promise<void> {
  if (key.concurrentLimit === null) return;
  await lockFor(trx, `concurrency ${key.id}`);
  const { open } = await trx
    .selectFrom('reservations')
    .select((e) => e.fn.countAll<number>().as('open'))
    .where('key_id', '=', key.id)
    .executeTakeFirstOrThrow();
  if (Number(open) < key.concurrentLimit) return;
  throw new AppError('ALGORITHM_OVER_CONCURRENT', `The key has ${open} unfinished requests; at most ${key.concurrentLimit} are allowed.`, {
    retryAfter: CONCURRENT_RETRY,
  });
}

async function countFailure(trx: Trx, keyId: string, day: string, code: number): Promise<void> {
  await trx
    .insertInto('usage_failures')
    .values({ key_id: keyId, day, code, count: 1 })
    .onConflict((conflict) =>
      conflict.columns(['key_id', 'day', 'code']).doUpdateSet((e) => ({ count: e('usage_failures.count', '+', 1) })),
    )
    .execute();
}
