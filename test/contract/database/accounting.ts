import { expect, test } from 'vitest';
import { createAccounting } from '../../../src/jobs/accounting.ts';
import { readQuotas, readUsage } from '../../../src/jobs/usage.ts';
import { type DatabaseUnderTest, openBeside, openStores } from './under-test.ts';

const DAY = '2026-11-22';

/** How many of the promises were kept; what the others were refused with. */
async function outcome(promises: readonly Promise<unknown>[]): Promise<{ kept: number; refused: Record<string, number> }> {
  const refused: Record<string, number> = {};
  let kept = 0;
  for (const result of await Promise.allSettled(promises)) {
    if (result.status === 'fulfilled') kept++;
    else refused[result.reason.kind ?? result.reason] = (refused[result.reason.kind ?? result.reason] ?? 0) + 1;
  }
  return { kept, refused };
}

/** What accounting promises: nothing is given out twice, charged twice or lost. */
export function accountingContract({ make }: DatabaseUnderTest): void {
  test.each([
    ['day', { dailyLimit: 7 }],
    ['month', { monthlyLimit: 7 }],
  ])('calls at once, by two processes, get exactly the pictures of the %s', async (period, limits) => {
    const t = await openStores(await make());
    const key = await t.newKey(limits);
    const other = createAccounting(await openBeside(t.db, t.place), t.now);
    const calls = Array.from({ length: 20 }, (_, i) => (i % 2 ? t.accounting : other).reserve(key, 1, { expiresAt: null }));
    expect(await outcome(calls)).toEqual({ kept: 7, refused: { RIGHTS_LIMIT_EXCEEDED: 13 } });
    expect(await readQuotas(t.db, key, t.now())).toMatchObject({ day: { used: 7 }, month: { used: 7 } });
    await expect(t.accounting.reserve(key, 1, { expiresAt: null })).rejects.toThrow(
      `quota of this ${period} (UTC) is 7 pictures; 7 are used`,
    );
  });

  test('a request for more than is left takes nothing', async () => {
    const t = await openStores(await make());
    const key = await t.newKey({ dailyLimit: 10, monthlyLimit: 5 });
    await expect(t.accounting.reserve(key, 6, { expiresAt: null })).rejects.toMatchObject({ kind: 'RIGHTS_LIMIT_EXCEEDED' });
    expect(await readQuotas(t.db, key, t.now())).toMatchObject({ day: { used: 0 }, month: { used: 0 } });
    await t.accounting.reserve(key, 5, { expiresAt: null });
  });

  test('no more unfinished requests at once than the key may have', async () => {
    const t = await openStores(await make());
    const key = await t.newKey({ concurrentLimit: 3 });
    const other = createAccounting(await openBeside(t.db, t.place), t.now);
    const calls = Array.from({ length: 12 }, (_, i) => (i % 2 ? t.accounting : other).reserve(key, 1, { expiresAt: null }));
    expect(await outcome(calls)).toEqual({ kept: 3, refused: { ALGORITHM_OVER_CONCURRENT: 9 } });
    const [first] = await t.db.selectFrom('reservations').select('id').execute();
    await t.accounting.refund(first?.id ?? '');
    await t.accounting.reserve(key, 1, { expiresAt: null });
    await expect(t.accounting.reserve(key, 1, { expiresAt: null })).rejects.toMatchObject({ retryAfter: 2 });
  });

  test('a reservation is settled once, however many try at once', async () => {
    const t = await openStores(await make());
    const key = await t.newKey();
    const other = createAccounting(await openBeside(t.db, t.place), t.now);
    const id = await t.accounting.reserve(key, 2, { expiresAt: null });
    const work = { megapixels: 1.25, seconds: 0.5 };
    const charged = await Promise.all(Array.from({ length: 6 }, (_, i) => (i % 2 ? t.accounting : other).charge(id, work)));
    expect(charged.filter(Boolean)).toHaveLength(1);
    expect(await t.accounting.refund(id, 20001)).toBe(false);
    expect(await readUsage(t.db, { key: key.id })).toEqual([
      { key: key.id, day: DAY, pictures: 2, megapixels: 1.25, seconds: 0.5, failures: {} },
    ]);
    expect(await readQuotas(t.db, key, t.now())).toMatchObject({ day: { used: 2 }, month: { used: 2 } });
  });

  test('work ends at once in any order: what is charged and what is given back is all there was', async () => {
    const t = await openStores(await make());
    const key = await t.newKey({ dailyLimit: 100, monthlyLimit: 1000 });
    const other = createAccounting(await openBeside(t.db, t.place), t.now);
    const ids = await Promise.all(Array.from({ length: 24 }, () => t.accounting.reserve(key, 2, { expiresAt: null })));
    await Promise.all([
      ...ids.map((id, i) => (i % 3 ? t.accounting.charge(id, { megapixels: 0.1, seconds: 1 }) : other.refund(id, 23101))),
      // New ones take from the same rows at the same time.
      ...Array.from({ length: 12 }, async () => other.refund(await t.accounting.reserve(key, 1, { expiresAt: null }))),
    ]);
    const [usage] = await readUsage(t.db, { key: key.id });
    expect(usage).toMatchObject({ pictures: 32, seconds: 16, failures: { 23101: 8 } });
    expect(usage?.megapixels).toBeCloseTo(1.6, 9);
    expect(await readQuotas(t.db, key, t.now())).toEqual({ day: { limit: 100, used: 32 }, month: { limit: 1000, used: 32 } });
    expect(await t.db.selectFrom('reservations').select('id').execute()).toEqual([]);
  });

  test('what crashed processes left is given back once, by whichever sweep comes first', async () => {
    const t = await openStores(await make());
    const key = await t.newKey();
    const other = createAccounting(await openBeside(t.db, t.place), t.now);
    const end = t.now() + 60_000;
    for (let i = 0; i < 5; i++) await t.accounting.reserve(key, 1, { expiresAt: end });
    await t.accounting.reserve(key, 1, { expiresAt: null });
    expect(await t.accounting.sweep(end - 1)).toBe(0);
    const given = await Promise.all([t.accounting.sweep(end), other.sweep(end)]);
    expect(given[0] + given[1]).toBe(5);
    expect(await readQuotas(t.db, key, t.now())).toMatchObject({ day: { used: 1 } });
  });

  test('the days and keys of usage are told apart, and counts beyond 32 bits are numbers', async () => {
    const t = await openStores(await make());
    const [a, b] = [await t.newKey(), await t.newKey()];
    const use = async (key: typeof a, pictures: number) =>
      t.accounting.charge(await t.accounting.reserve(key, pictures, { expiresAt: null }), { megapixels: 5e9, seconds: 1 });
    await use(a, 2_000_000_000);
    await use(a, 2_000_000_000);
    await use(b, 1);
    t.later(24 * 3_600_000);
    await use(a, 3);
    expect((await readUsage(t.db, { key: a.id })).map(({ day, pictures, megapixels }) => [day, pictures, megapixels])).toEqual([
      ['2026-11-23', 3, 5e9],
      [DAY, 4_000_000_000, 1e10],
    ]);
    expect(await readUsage(t.db, { to: DAY })).toHaveLength(2);
    expect(await readUsage(t.db, { from: '2026-11-23', key: b.id })).toEqual([]);
    expect(await readQuotas(t.db, a, t.now())).toMatchObject({ day: { used: 3 }, month: { used: 4_000_000_003 } });
  });
}
