import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { DATABASE_FILE, openDatabase } from '../../src/db/database.ts';
import { createKeyStore } from '../../src/db/keys.ts';
import { loadServerKey } from '../../src/db/server-key.ts';
import { databaseContract } from '../contract/database.ts';
import { temporaryFolder } from '../support/temporary.ts';

const make = async () => ({ folder: temporaryFolder(), url: '' });
databaseContract('sqlite', { make, makeBare: make });

describe('the embedded database', () => {
  test('no file of the data folder holds a secret in clear', async () => {
    const folder = temporaryFolder();
    const db = await openDatabase(folder);
    const keys = createKeyStore(db, loadServerKey('', folder));
    const { key, secret } = await keys.create({ name: 'a' });
    expect(await keys.secretOf(key.id)).toBe(secret);
    await db.destroy();
    const files = [DATABASE_FILE, `${DATABASE_FILE}-wal`].map((name) => join(folder, name)).filter(existsSync);
    expect(files.length).toBeGreaterThan(0);
    for (const file of files) expect(readFileSync(file).includes(secret)).toBe(false);
  });

  test('a broken file is refused, not overwritten', async () => {
    const folder = temporaryFolder();
    const file = join(folder, DATABASE_FILE);
    writeFileSync(file, 'this is no database, but it is long enough to look like a file of some kind\n'.repeat(100));
    await expect(openDatabase(folder)).rejects.toThrow();
    expect(readFileSync(file, 'utf8').startsWith('this is no database')).toBe(true);
  });
});
