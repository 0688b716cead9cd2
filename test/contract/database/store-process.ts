/** Child of the database suite: opens the database at FOLDER or URL and does one order, printing a line per result. */
import { openDatabase } from '../../../src/db/database.ts';
import { databaseServerOf } from '../../../src/db/database-server.ts';
import { createKeyStore } from '../../../src/db/keys.ts';
import { loadServerKey } from '../../../src/db/server-key.ts';
import { lockFor, transact } from '../../../src/db/transact.ts';
import { AppError } from '../../../src/errors.ts';
import { createAccounting } from '../../../src/jobs/accounting.ts';
import { JobStore } from '../../../src/jobs/store.ts';

const [folder = '', url = '', order = '', keyId = '', count = '0'] = process.argv.slice(2);
const server = databaseServerOf({ databaseUrl: url, databaseConnections: 4, databaseTimeout: 5 });
const db = await openDatabase(folder, server);
const keys = createKeyStore(db, loadServerKey('', folder));
const accounting = createAccounting(db);
const times = async (run: () => Promise<void>) => {
  for (let i = 0; i < Number(count); i++) await run();
};

const ORDERS: Record<string, () => Promise<void>> = {
  /** Makes keys. */
  keys: () =>
    times(async () => {
      const { key, secret } = await keys.create({ name: `${process.pid}` });
      if (!(await keys.verify(key.id, secret))) throw new Error('a new key does not verify');
      console.log(key.id);
    }),
  /** Reads a number, then writes it plus one. */
  count: () =>
    times(() =>
      transact(db, async (trx) => {
        await lockFor(trx, 'the number');
        const { daily_limit } = await trx.selectFrom('keys').select('daily_limit').where('id', '=', keyId).executeTakeFirstOrThrow();
        await trx
          .updateTable('keys')
          .set({ daily_limit: (daily_limit ?? 0) + 1 })
          .where('id', '=', keyId)
          .execute();
      }),
    ),
  /** Takes pictures until there are none, and prints one line for each that it got. */
  reserve: async () => {
    const key = await keys.find(keyId);
    if (!key) throw new Error('no such key');
    await times(async () => {
      try {
        console.log(await accounting.reserve(key, 1, { expiresAt: null }));
      } catch (error) {
        if (!(error instanceof AppError) || error.kind !== 'RIGHTS_LIMIT_EXCEEDED') throw error;
      }
    });
  },
  /** Takes jobs until there are none; some are ended, the others left running. */
  claim: async () => {
    const store = new JobStore(db, accounting, { jobs: 10_000, takeovers: 2 });
    const me = `p${process.pid}`;
    for (let taken = 0; ; taken++) {
      const job = await store.claim(me, Date.now() + 60_000);
      if (!job) return;
      console.log(job.id);
      if (taken % 2 === 0) await store.succeed(job.id, me, [], { megapixels: 0.5, seconds: 0.25 });
    }
  },
};

await ORDERS[order]?.();
await db.destroy();
