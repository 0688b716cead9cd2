import { execFile } from 'node:child_process';
import { existsSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { describe, expect, onTestFinished, test } from 'vitest';
import { ConfigError } from '../../src/config.ts';
import { DATABASE_FILE, openDatabase } from '../../src/db/database.ts';
import { createKeyStore, keyAllows, keyIsValid } from '../../src/db/keys.ts';
import { seal, unseal } from '../../src/db/seal.ts';
import { loadServerKey } from '../../src/db/server-key.ts';
import { temporaryFolder } from '../support/temporary.ts';

async function openStore(folder = temporaryFolder(), now?: () => number) {
  const db = await openDatabase(folder);
  onTestFinished(() => db.destroy());
  return { folder, db, keys: createKeyStore(db, loadServerKey('', folder), now) };
}

const run = promisify(execFile);
const addKeys = (folder: string, shared = '') =>
  run(process.execPath, ['--import', 'tsx', fileURLToPath(new URL('add-keys.ts', import.meta.url)), folder, shared]);

describe('keys', () => {
  test('a created key is verified by its own secret and by nothing else', async () => {
    const { keys } = await openStore();
    const { key, secret } = await keys.create({ name: 'phone' });
    const other = await keys.create({ name: 'desk' });
    expect((await keys.verify(key.id, secret))?.name).toBe('phone');
    expect(await keys.verify(key.id, other.secret)).toBeUndefined();
    expect(await keys.verify(key.id, '')).toBeUndefined();
    expect(await keys.verify(key.id, `${secret} `)).toBeUndefined();
    expect(await keys.verify('mx-unknown', secret)).toBeUndefined();
    expect(await keys.verify("' or 1=1 --", secret)).toBeUndefined();
  });

  test('all fields come back as given, in the order of creation', async () => {
    let time = 1_000;
    const { keys } = await openStore(undefined, () => time++);
    const wanted = {
      name: '照片',
      scopes: ['aiquality'],
      qps: 2.5,
      dailyLimit: 100,
      monthlyLimit: 1000,
      concurrentLimit: 3,
      expiresAt: 9_000_000_000_000,
    };
    const { key } = await keys.create(wanted);
    const second = await keys.create({ name: 'second' });
    expect(await keys.find(key.id)).toEqual({
      ...wanted,
      id: key.id,
      createdAt: 1_000,
      revokedAt: null,
      disabledAt: null,
      lastUsedAt: null,
    });
    expect((await keys.list()).map((k) => k.id)).toEqual([key.id, second.key.id]);
    expect(second.key).toMatchObject({
      scopes: ['*'],
      qps: null,
      dailyLimit: null,
      monthlyLimit: null,
      concurrentLimit: null,
      expiresAt: null,
    });
  });

  test.each([
    ['an empty name', { name: ' ' }],
    ['an endless name', { name: 'x'.repeat(201) }],
    ['an empty scope', { name: 'a', scopes: [''] }],
    ['no calls per second', { name: 'a', qps: 0 }],
    ['a negative quota', { name: 'a', dailyLimit: -1 }],
    ['half a picture', { name: 'a', monthlyLimit: 0.5 }],
    ['a number that is none', { name: 'a', concurrentLimit: Number.NaN }],
    ['a time that is none', { name: 'a', expiresAt: Number.NaN }],
  ])('%s is refused and nothing is made', async (_name, wanted) => {
    const { keys } = await openStore();
    await expect(keys.create(wanted)).rejects.toMatchObject({ kind: 'PARAM_VALUE_ERROR' });
    expect(await keys.list()).toEqual([]);
  });

  test('revoking is kept, dated once, and makes the key invalid', async () => {
    let time = 5;
    const { keys } = await openStore(undefined, () => time);
    const { key } = await keys.create({ name: 'a' });
    expect(keyIsValid(key, 5)).toBe(true);
    expect(await keys.revoke(key.id)).toBe(true);
    time = 50;
    expect(await keys.revoke(key.id)).toBe(true);
    const revoked = await keys.find(key.id);
    expect(revoked?.revokedAt).toBe(5);
    expect(revoked && keyIsValid(revoked, 50)).toBe(false);
    expect(await keys.revoke('nobody')).toBe(false);
  });

  test('disabling is dated once and undone by enabling; a revoked key is not brought back by it', async () => {
    let time = 5;
    const { keys } = await openStore(undefined, () => time);
    const { key, secret } = await keys.create({ name: 'a' });
    const other = await keys.create({ name: 'b' });
    const valid = async (id: string) => keyIsValid((await keys.find(id)) ?? key, time);
    expect(await keys.disable(key.id)).toBe(true);
    time = 50;
    expect(await keys.disable(key.id)).toBe(true);
    expect((await keys.find(key.id))?.disabledAt).toBe(5);
    expect([await valid(key.id), await valid(other.key.id)]).toEqual([false, true]);
    expect(await keys.enable(key.id)).toBe(true);
    expect(await keys.find(key.id)).toEqual(key);
    expect((await keys.verify(key.id, secret))?.id).toBe(key.id);
    expect(await valid(key.id)).toBe(true);
    await keys.disable(key.id);
    await keys.revoke(key.id);
    await keys.enable(key.id);
    expect(await valid(key.id)).toBe(false);
    expect([await keys.disable('nobody'), await keys.enable('nobody')]).toEqual([false, false]);
  });

  test('a key is valid until its expiry, not at it', async () => {
    const { keys } = await openStore();
    const { key } = await keys.create({ name: 'a', expiresAt: 1000 });
    expect(keyIsValid(key, 999)).toBe(true);
    expect(keyIsValid(key, 1000)).toBe(false);
  });

  test('rotation gives a new secret and stops the old one', async () => {
    const { keys } = await openStore();
    const { key, secret } = await keys.create({ name: 'a' });
    const rotated = await keys.rotate(key.id);
    expect(rotated?.secret).not.toBe(secret);
    expect(await keys.verify(key.id, secret)).toBeUndefined();
    expect((await keys.verify(key.id, rotated?.secret ?? ''))?.id).toBe(key.id);
    expect(await keys.secretOf(key.id)).toBe(rotated?.secret);
    expect(await keys.rotate('nobody')).toBeUndefined();
  });

  test('scopes: a named one, the star, and none', async () => {
    const { keys } = await openStore();
    const one = (await keys.create({ name: 'a', scopes: ['aiquality'] })).key;
    const all = (await keys.create({ name: 'b' })).key;
    const none = (await keys.create({ name: 'c', scopes: [] })).key;
    expect([one, all, none].map((key) => keyAllows(key, 'aiquality'))).toEqual([true, true, false]);
    expect([one, all, none].map((key) => keyAllows(key, 'gateway'))).toEqual([false, true, false]);
  });

  test('the last use is noted, at most once a minute', async () => {
    let time = 1_000_000;
    const { keys } = await openStore(undefined, () => time);
    const { key } = await keys.create({ name: 'a' });
    await keys.touch(key.id);
    time += 59_999;
    await keys.touch(key.id);
    expect((await keys.find(key.id))?.lastUsedAt).toBe(1_000_000);
    time += 1;
    await keys.touch(key.id);
    expect((await keys.find(key.id))?.lastUsedAt).toBe(1_060_000);
  });

  test('no file of the data folder holds a secret in clear', async () => {
    const { keys, db, folder } = await openStore();
    const { key, secret } = await keys.create({ name: 'a' });
    expect(await keys.secretOf(key.id)).toBe(secret);
    await db.destroy();
    const files = [DATABASE_FILE, `${DATABASE_FILE}-wal`].map((name) => join(folder, name)).filter(existsSync);
    expect(files.length).toBeGreaterThan(0);
    for (const file of files) expect(readFileSync(file).includes(secret)).toBe(false);
  });

  test('keys survive closing and opening, also by a second connection at the same time', async () => {
    const first = await openStore();
    const { key, secret } = await first.keys.create({ name: 'a' });
    const second = await openStore(first.folder);
    expect((await second.keys.verify(key.id, secret))?.id).toBe(key.id);
    await second.keys.revoke(key.id);
    expect((await first.keys.find(key.id))?.revokedAt).not.toBeNull();
  });
});

describe('database', () => {
  test('four processes that start together migrate once and make one server key', async () => {
    const folder = temporaryFolder();
    await Promise.all([1, 2, 3, 4].map(() => addKeys(folder)));
    const { keys, db } = await openStore(folder);
    expect((await keys.list()).length).toBe(40);
    for (const key of await keys.list()) expect(await keys.secretOf(key.id)).toMatch(/^[\w-]{43}$/);
    await db.destroy();
  });

  test('read-then-write transactions of three processes lose nothing', async () => {
    const { folder, keys } = await openStore();
    const { key } = await keys.create({ name: 'shared', dailyLimit: 0 });
    await Promise.all([1, 2, 3].map(() => addKeys(folder, key.id)));
    expect((await keys.find(key.id))?.dailyLimit).toBe(30);
  });

  test('a broken database file is refused, not overwritten', async () => {
    const folder = temporaryFolder();
    const file = join(folder, DATABASE_FILE);
    writeFileSync(file, 'this is no database, but it is long enough to look like a file of some kind\n'.repeat(100));
    await expect(openDatabase(folder)).rejects.toThrow();
    expect(readFileSync(file, 'utf8').startsWith('this is no database')).toBe(true);
  });
});

describe('server key', () => {
  test('is made once, readable by its owner alone', () => {
    const folder = temporaryFolder();
    const first = loadServerKey('', folder);
    expect(first.length).toBe(32);
    expect(loadServerKey('', folder).equals(first)).toBe(true);
    expect(statSync(join(folder, 'server.key')).mode & 0o777).toBe(0o600);
  });

  test('the configured key wins and no file is made', () => {
    const folder = temporaryFolder();
    expect(loadServerKey('ab'.repeat(32), folder).toString('hex')).toBe('ab'.repeat(32));
    expect(existsSync(join(folder, 'server.key'))).toBe(false);
  });

  test.each(['short', 'zz'.repeat(32), 'ab'.repeat(33)])('a malformed key is refused: %s', (text) => {
    expect(() => loadServerKey(text, temporaryFolder())).toThrow(ConfigError);
  });

  test('a damaged key file is refused rather than replaced', () => {
    const folder = temporaryFolder();
    writeFileSync(join(folder, 'server.key'), 'damaged');
    expect(() => loadServerKey('', folder)).toThrow(ConfigError);
    expect(readFileSync(join(folder, 'server.key'), 'utf8')).toBe('damaged');
  });
});

describe('seal', () => {
  const key = Buffer.alloc(32, 7);
  test('opens for its owner and hides the text', () => {
    const sealed = seal('秘密 secret', key, 'mx1');
    expect(sealed).not.toContain('secret');
    expect(unseal(sealed, key, 'mx1')).toBe('秘密 secret');
    expect(seal('秘密 secret', key, 'mx1')).not.toBe(sealed);
  });

  test('refuses another owner, another key and every altered byte', () => {
    const sealed = seal('secret', key, 'mx1');
    expect(() => unseal(sealed, key, 'mx2')).toThrow();
    expect(() => unseal(sealed, Buffer.alloc(32, 8), 'mx1')).toThrow();
    const bytes = Buffer.from(sealed.slice(3), 'base64');
    for (let i = 0; i < bytes.length; i++) {
      const altered = Buffer.from(bytes);
      altered.writeUInt8(altered.readUInt8(i) ^ 1, i);
      expect(() => unseal(`v1:${altered.toString('base64')}`, key, 'mx1')).toThrow();
    }
    expect(() => unseal('v2:AAAA', key, 'mx1')).toThrow();
  });
});
