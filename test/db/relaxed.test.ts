import { sql } from 'kysely';
import { describe, expect, onTestFinished, test } from 'vitest';
import { openDatabase } from '../../src/db/database.ts';
import { relaxed } from '../../src/db/relaxed.ts';
import type { Db } from '../../src/db/tables.ts';
import { temporaryFolder } from '../support/temporary.ts';

const [NORMAL, FULL] = [1, 2];
const level = async (db: Db) => (await sql<{ synchronous: number }>`pragma synchronous`.execute(db)).rows[0]?.synchronous;
async function open(folder = temporaryFolder()) {
  const db = await openDatabase(folder);
  onTestFinished(() => db.destroy());
  return { db, folder };
}
const use = (keyId: string) => ({ key_id: keyId, period: '2026-11-22', used: 1 });

describe('a relaxed transaction', () => {
  test('does not wait for the disk, and everything after it does again', async () => {
    const { db, folder } = await open();
    expect(await level(db)).toBe(FULL);
    expect(
      await relaxed(db, async (trx) => {
        await trx.insertInto('quotas').values(use('a')).execute();
        return level(trx);
      }),
    ).toBe(NORMAL);
    expect(await level(db)).toBe(FULL);
    // Another process would see it: it is committed.
    expect(await (await open(folder)).db.selectFrom('quotas').select('key_id').execute()).toEqual([{ key_id: 'a' }]);
  });

  test('that fails leaves nothing, and the level as it was', async () => {
    const { db } = await open();
    const failing = relaxed(db, async (trx) => {
      await trx.insertInto('quotas').values(use('a')).execute();
      throw new Error('no');
    });
    await expect(failing).rejects.toThrow('no');
    expect(await level(db)).toBe(FULL);
    expect(await db.selectFrom('quotas').selectAll().execute()).toEqual([]);
  });

  test('beside durable ones keeps to itself', async () => {
    const { db } = await open();
    const levels = await Promise.all(
      Array.from({ length: 20 }, (_, i) => (i % 2 ? relaxed(db, (trx) => level(trx)) : db.transaction().execute((trx) => level(trx)))),
    );
    expect(levels).toEqual(Array.from({ length: 20 }, (_, i) => (i % 2 ? NORMAL : FULL)));
  });
});
