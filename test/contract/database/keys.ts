import { expect, test } from 'vitest';
import { createKeyStore, keyAllows, keyIsValid } from '../../../src/db/keys.ts';
import { loadServerKey } from '../../../src/db/server-key.ts';
import { type DatabaseUnderTest, open, type Place } from './under-test.ts';

/** What a store of keys promises. */
export function keysContract({ make }: DatabaseUnderTest): void {
  const openKeys = async (now?: () => number, at?: Place) => {
    const place = at ?? (await make());
    const db = await open(place);
    return { place, db, keys: createKeyStore(db, loadServerKey('', place.folder), now) };
  };

  test('a created key is verified by its own secret and by nothing else', async () => {
    const { keys } = await openKeys();
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
    const { keys } = await openKeys(() => time++);
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
    const { keys } = await openKeys();
    await expect(keys.create(wanted)).rejects.toMatchObject({ kind: 'PARAM_VALUE_ERROR' });
    expect(await keys.list()).toEqual([]);
  });

  test('revoking is kept, dated once, and makes the key invalid', async () => {
    let time = 5;
    const { keys } = await openKeys(() => time);
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
    const { keys } = await openKeys(() => time);
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
    const { keys } = await openKeys();
    const { key } = await keys.create({ name: 'a', expiresAt: 1000 });
    expect(keyIsValid(key, 999)).toBe(true);
    expect(keyIsValid(key, 1000)).toBe(false);
  });

  test('rotation gives a new secret and stops the old one', async () => {
    const { keys } = await openKeys();
    const { key, secret } = await keys.create({ name: 'a' });
    const rotated = await keys.rotate(key.id);
    expect(rotated?.secret).not.toBe(secret);
    expect(await keys.verify(key.id, secret)).toBeUndefined();
    expect((await keys.verify(key.id, rotated?.secret ?? ''))?.id).toBe(key.id);
    expect(await keys.secretOf(key.id)).toBe(rotated?.secret);
    expect(await keys.rotate('nobody')).toBeUndefined();
  });

  test('scopes: a named one, the star, and none', async () => {
    const { keys } = await openKeys();
    const one = (await keys.create({ name: 'a', scopes: ['aiquality'] })).key;
    const all = (await keys.create({ name: 'b' })).key;
    const none = (await keys.create({ name: 'c', scopes: [] })).key;
    expect([one, all, none].map((key) => keyAllows(key, 'aiquality'))).toEqual([true, true, false]);
    expect([one, all, none].map((key) => keyAllows(key, 'gateway'))).toEqual([false, true, false]);
  });

  test('the last use is noted, at most once a minute', async () => {
    let time = 1_000_000;
    const { keys } = await openKeys(() => time);
    const { key } = await keys.create({ name: 'a' });
    await keys.touch(key.id);
    time += 59_999;
    await keys.touch(key.id);
    expect((await keys.find(key.id))?.lastUsedAt).toBe(1_000_000);
    time += 1;
    await keys.touch(key.id);
    expect((await keys.find(key.id))?.lastUsedAt).toBe(1_060_000);
  });

  test('keys survive closing and opening, also by a second connection at the same time', async () => {
    const first = await openKeys();
    const { key, secret } = await first.keys.create({ name: 'a' });
    const second = await openKeys(undefined, first.place);
    expect((await second.keys.verify(key.id, secret))?.id).toBe(key.id);
    await second.keys.revoke(key.id);
    expect((await first.keys.find(key.id))?.revokedAt).not.toBeNull();
  });

  test('texts come back as they were given, and a stranger\u2019s text with a zero is an unknown key', async () => {
    const { keys } = await openKeys();
    for (const name of ["it's", 'a"b\\c', '名前 🖼️', ' spaces ', '%s $1 ?']) {
      const { key } = await keys.create({ name });
      expect((await keys.find(key.id))?.name).toBe(name);
    }
    const { key, secret } = await keys.create({ name: 'a' });
    for (const id of [`${key.id}\0`, '\0', '\ud800', 'x'.repeat(5000)]) {
      expect(await keys.verify(id, secret)).toBeUndefined();
      expect(await keys.find(id)).toBeUndefined();
      expect(await keys.revoke(id)).toBe(false);
    }
    expect((await keys.verify(key.id, secret))?.id).toBe(key.id);
  });

  test('large and small numbers come back as numbers', async () => {
    const { keys } = await openKeys(() => 4_102_444_800_123);
    const wanted = {
      qps: 0.1,
      dailyLimit: 2 ** 40,
      monthlyLimit: Number.MAX_SAFE_INTEGER,
      concurrentLimit: 1,
      expiresAt: 8_640_000_000_000_000,
    };
    const { key } = await keys.create({ name: 'a', ...wanted });
    expect(await keys.find(key.id)).toMatchObject({ ...wanted, createdAt: 4_102_444_800_123 });
  });
}
