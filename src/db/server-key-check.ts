import { ConfigError } from '../config.ts';
import { seal, unseal } from './seal.ts';
import type { Db } from './tables.ts';

const FACT = 'server_key';
const TEXT = 'sealed with the server key of this database';

/**
 * Refuses a machine whose server key is not the one that this database's secrets are sealed with:
 * it would serve plain keys, and fail at signatures and callbacks of keys made elsewhere. The first
 * machine sets the key. An embedded database has one machine, and may outlive its key
 * (see server-key.ts).
 * @throws ConfigError
 */
export async function checkServerKey(db: Db, serverKey: Buffer): Promise<void> {
  await db
    .insertInto('facts')
    .values({ name: FACT, value: seal(TEXT, serverKey, FACT) })
    .onConflict((conflict) => conflict.doNothing())
    .execute();
  const { value } = await db.selectFrom('facts').select('value').where('name', '=', FACT).executeTakeFirstOrThrow();
  if (opens(value, serverKey)) return;
  throw new ConfigError([
    'MINGXI_SERVER_KEY: the database was begun with another server key; give every machine the same one (MINGXI_SERVER_KEY_FILE, or a copy of DATA/server.key)',
  ]);
}

function opens(sealed: string, serverKey: Buffer): boolean {
  try {
    return unseal(sealed, serverKey, FACT) === TEXT;
  } catch {
    return false;
  }
}
