import { createHash } from 'node:crypto';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { buffer } from 'node:stream/consumers';
import { describe, expect, test } from 'vitest';
import type { Storage } from '../../src/storage/contract.ts';
import { temporaryFolder } from '../support/temporary.ts';

/** An adapter under test with a clock of its own. */
export interface StorageUnderTest {
  readonly storage: Storage;
  /** Sets the time the storage sees, in milliseconds since 1970. */
  setTime(time: number): void;
  /** The same store opened anew, as after a restart. */
  reopen(): Promise<Storage>;
}

const HOUR = 3_600_000;
const START = Date.UTC(2026, 10, 22, 12, 30);
const content = Buffer.from('some bytes that stand for a picture');
const jpeg = (expiresAt = START + HOUR) => ({ type: 'image/jpeg', expiresAt });

/** What every storage adapter promises. */
export function storageContract(name: string, open: (start: number) => Promise<StorageUnderTest>): void {
  const all = async (ids: AsyncIterable<string>) => {
    const list: string[] = [];
    for await (const id of ids) list.push(id);
    return list;
  };

  describe(`storage contract: ${name}`, () => {
    test('bytes come back as they were put, with size, type, hash and times', async () => {
      const { storage } = await open(START);
      const object = await storage.put({ bytes: content }, jpeg());
      const sha256 = createHash('sha256').update(content).digest('hex');
      expect(object).toEqual({
        id: object.id,
        type: 'image/jpeg',
        bytes: content.length,
        sha256,
        createdAt: START,
        expiresAt: START + HOUR,
      });
      expect(await storage.stat(object.id)).toEqual(object);
      const opened = await storage.open(object.id);
      expect(opened?.object).toEqual(object);
      expect(opened && (await buffer(opened.stream))).toEqual(content);
    });

    test('a file is put by its path and stays readable after the original is gone', async () => {
      const { storage } = await open(START);
      const path = join(temporaryFolder(), 'source');
      writeFileSync(path, content);
      const object = await storage.put({ path }, jpeg());
      writeFileSync(path, 'changed afterwards');
      const opened = await storage.open(object.id);
      expect(opened && (await buffer(opened.stream))).toEqual(content);
    });

    test('an empty and a large content', async () => {
      const { storage } = await open(START);
      for (const bytes of [Buffer.alloc(0), Buffer.alloc(3_000_000, 7)]) {
        const { id } = await storage.put({ bytes }, jpeg());
        const opened = await storage.open(id);
        expect(opened && (await buffer(opened.stream)).equals(bytes)).toBe(true);
      }
    });

    test('a failed put leaves nothing that can be found', async () => {
      const { storage } = await open(START);
      await expect(storage.put({ path: join(temporaryFolder(), 'absent') }, jpeg(START))).rejects.toThrow();
      expect(await all(storage.expired(START + HOUR))).toEqual([]);
    });

    test('ids are unguessable: 128 bits at least, none twice, safe in a URL', async () => {
      const { storage } = await open(START);
      const ids = await Promise.all(Array.from({ length: 50 }, async () => (await storage.put({ bytes: content }, jpeg())).id));
      expect(new Set(ids).size).toBe(50);
      for (const id of ids) expect(id).toMatch(/^[0-9a-f]{38,}$/);
      // What all have in common (the hour of expiry) is not counted.
      const first = ids[0] ?? '';
      const common = [...first].findIndex((char, i) => ids.some((id) => id[i] !== char));
      expect(first.length - common).toBeGreaterThanOrEqual(32);
    });

    test.each([
      [0, 0],
      [0, 3],
      [5, 9],
      [10, 34],
      [34, 34],
    ])('a range: bytes %i to %i', async (first, last) => {
      const { storage } = await open(START);
      const { id } = await storage.put({ bytes: content }, jpeg());
      const opened = await storage.open(id, { first, last });
      expect(opened && (await buffer(opened.stream))).toEqual(content.subarray(first, last + 1));
    });

    test('download writes a local file', async () => {
      const { storage } = await open(START);
      const object = await storage.put({ bytes: content }, jpeg());
      const path = join(temporaryFolder(), 'local');
      expect(await storage.download(object.id, path)).toEqual(object);
      expect(readFileSync(path)).toEqual(content);
    });

    test.each([
      '',
      'a',
      '0'.repeat(46),
      'f'.repeat(46),
      '../../etc/passwd',
      `../${'0'.repeat(43)}`,
      `${'0'.repeat(45)}/`,
      `${'0'.repeat(45)}\u0000`,
      'A'.repeat(46),
      '%2e%2e',
    ])('an unknown or malformed id is nothing: %j', async (id) => {
      const { storage } = await open(START);
      const path = join(temporaryFolder(), 'local');
      expect(await storage.stat(id)).toBeUndefined();
      expect(await storage.open(id)).toBeUndefined();
      expect(await storage.download(id, path)).toBeUndefined();
      expect(existsSync(path)).toBe(false);
      expect(await storage.delete(id)).toBe(false);
    });

    test('deleted is gone, and deleting twice is no error', async () => {
      const { storage } = await open(START);
      const { id } = await storage.put({ bytes: content }, jpeg());
      expect(await storage.delete(id)).toBe(true);
      expect(await storage.stat(id)).toBeUndefined();
      expect(await storage.open(id)).toBeUndefined();
      expect(await storage.delete(id)).toBe(false);
    });

    test('an object is gone at its time, before any sweep', async () => {
      const { storage, setTime } = await open(START);
      const { id } = await storage.put({ bytes: content }, jpeg(START + 1000));
      setTime(START + 999);
      expect(await storage.stat(id)).toBeDefined();
      setTime(START + 1000);
      expect(await storage.stat(id)).toBeUndefined();
      expect(await storage.open(id)).toBeUndefined();
    });

    test('expired lists what is over, oldest first, and nothing else', async () => {
      const { storage } = await open(START);
      const put = async (expiresAt: number) => (await storage.put({ bytes: content }, jpeg(expiresAt))).id;
      const late = await put(START + 5 * HOUR);
      const soon = await put(START + 60_000);
      const later = await put(START + 2 * HOUR);
      expect(await all(storage.expired(START))).toEqual([]);
      expect(await all(storage.expired(START + 60_000))).toEqual([soon]);
      expect(await all(storage.expired(START + 3 * HOUR))).toEqual([soon, later]);
      expect(await all(storage.expired(START + 50 * HOUR))).toEqual([soon, later, late]);
    });

    test('objects and their times survive a restart', async () => {
      const { storage, reopen } = await open(START);
      const object = await storage.put({ bytes: content }, jpeg(START + HOUR));
      const again = await reopen();
      expect(await again.stat(object.id)).toEqual(object);
      expect(await all(again.expired(START + HOUR))).toEqual([object.id]);
    });

    test('what expired can be deleted while it is being listed', async () => {
      const { storage } = await open(START);
      for (let i = 0; i < 20; i++) await storage.put({ bytes: content }, jpeg(START + i * 600_000));
      let removed = 0;
      for await (const id of storage.expired(START + 90 * HOUR)) if (await storage.delete(id)) removed++;
      expect(removed).toBe(20);
      expect(await all(storage.expired(START + 90 * HOUR))).toEqual([]);
    });
  });
}
