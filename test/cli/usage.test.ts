import { expect, test } from 'vitest';
import { openDatabase } from '../../src/db/database.ts';
import { createKeyStore } from '../../src/db/keys.ts';
import { loadServerKey } from '../../src/db/server-key.ts';
import { createAccounting } from '../../src/jobs/accounting.ts';
import { temporaryFolder } from '../support/temporary.ts';
import { mingxi } from './cli.ts';

/** A data folder in which two keys have worked on two days. */
async function usedFolder() {
  const data = temporaryFolder();
  const db = await openDatabase(data);
  try {
    const keys = createKeyStore(db, loadServerKey('', data));
    const [shop, desk] = [(await keys.create({ name: 'shop' })).key, (await keys.create({ name: 'desk' })).key];
    for (const [key, day, pictures, failure] of [
      [shop, '2026-11-21', 2, undefined],
      [shop, '2026-11-22', 1, undefined],
      [shop, '2026-11-22', 1, 23101],
      [desk, '2026-11-22', 4, 20001],
    ] as const) {
      const accounting = createAccounting(db, () => Date.parse(`${day}T12:00:00Z`));
      const reservation = await accounting.reserve(key, pictures, { expiresAt: null });
      if (failure === undefined) await accounting.charge(reservation, { megapixels: 1.5, seconds: 2 });
      else await accounting.refund(reservation, failure);
    }
    return { data, shop: shop.id, desk: desk.id };
  } finally {
    await db.destroy();
  }
}

test('usage by key and day, failures by code, the newest day last', async () => {
  const { data, shop, desk } = await usedFolder();
  const run = async (...more: string[]) => (await mingxi(['usage', '--data', data, ...more])).stdout.toString();
  const first = { day: '2026-11-21', api_key: shop, name: 'shop', pictures: 2, megapixels: 1.5, seconds: 2, failures: {} };
  const second = { ...first, day: '2026-11-22', pictures: 1, failures: { 23101: 1 } };
  const failed = { day: '2026-11-22', api_key: desk, name: 'desk', pictures: 0, megapixels: 0, seconds: 0, failures: { 20001: 1 } };
  const all = JSON.parse(await run('--json'));
  expect(all[0]).toEqual(first);
  expect(all.slice(1)).toEqual(expect.arrayContaining([second, failed]));
  expect(all).toHaveLength(3);
  expect(JSON.parse(await run('--json', '--key', 'shop'))).toEqual([first, second]);
  expect(JSON.parse(await run('--json', '--key', desk))).toEqual([failed]);
  expect(JSON.parse(await run('--json', '--key', 'nobody'))).toEqual([]);
  const table = await run();
  expect(table).toMatch(/day +api_key +name +pictures/);
  expect(table).toMatch(new RegExp(`2026-11-22 +${shop} +shop +1 +1\\.5 +2\\.0 +23101×1`));
});
