/** Child of keys.test.ts: opens the database of a folder, creates some keys, prints how many rows a transaction counted up. */
import { openDatabase } from '../../src/db/database.ts';
import { createKeyStore } from '../../src/db/keys.ts';
import { loadServerKey } from '../../src/db/server-key.ts';

const [folder = '', shared = ''] = process.argv.slice(2);
const db = await openDatabase(folder);
const keys = createKeyStore(db, loadServerKey('', folder));
for (let i = 0; i < 10; i++) {
  const { key, secret } = await keys.create({ name: `${process.pid}-${i}` });
  if (!(await keys.verify(key.id, secret))) throw new Error('a new key does not verify');
  await db.transaction().execute(async (trx) => {
    const row = await trx.selectFrom('keys').select('daily_limit').where('id', '=', shared).executeTakeFirst();
    if (row)
      await trx
        .updateTable('keys')
        .set({ daily_limit: Number(row.daily_limit) + 1 })
        .where('id', '=', shared)
        .execute();
  });
}
await db.destroy();
