import { readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { createDiskStorage } from '../../src/storage/disk.ts';
import { storageContract } from '../contract/storage.ts';
import { temporaryFolder } from '../support/temporary.ts';

const HOUR = 3_600_000;

storageContract('disk', async (start) => {
  const root = temporaryFolder();
  let time = start;
  const open = () => createDiskStorage(root, () => time);
  return {
    storage: open(),
    setTime: (value) => {
      time = value;
    },
    reopen: async () => open(),
  };
});

describe('on disk', () => {
  const options = { type: 'image/png', expiresAt: Date.now() + HOUR };
  const files = (root: string) => readdirSync(root, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile());

  test('only the owner can read it', async () => {
    const root = join(temporaryFolder(), 'objects');
    await createDiskStorage(root).put({ bytes: Buffer.from('x') }, options);
    expect(statSync(root).mode & 0o077).toBe(0);
    for (const file of files(root)) expect(statSync(join(file.parentPath, file.name)).mode & 0o077).toBe(0);
  });

  test('an object without its description, as a crash leaves it, does not exist and goes with its hour', async () => {
    const root = temporaryFolder();
    const storage = createDiskStorage(root);
    const { id } = await storage.put({ bytes: Buffer.from('x') }, options);
    const description = files(root).find((file) => file.name.endsWith('.json'));
    rmSync(join(description?.parentPath ?? '', description?.name ?? ''));
    expect(await storage.stat(id)).toBeUndefined();
    expect(files(root).length).toBe(1);
    for await (const expired of storage.expired(Date.now() + 3 * HOUR)) await storage.delete(expired);
    expect(readdirSync(root)).toEqual([]);
  });

  test('a description without its content does not break anything', async () => {
    const root = temporaryFolder();
    const storage = createDiskStorage(root);
    const { id } = await storage.put({ bytes: Buffer.from('x') }, options);
    const content = files(root).find((file) => !file.name.endsWith('.json'));
    rmSync(join(content?.parentPath ?? '', content?.name ?? ''));
    expect(await storage.open(id)).toBeUndefined();
    expect(await storage.delete(id)).toBe(true);
  });

  test('folders are spread and removed when their hour is empty', async () => {
    const root = temporaryFolder();
    const storage = createDiskStorage(root);
    for (let i = 0; i < 40; i++) await storage.put({ bytes: Buffer.from('x') }, options);
    const [hour = ''] = readdirSync(root);
    expect(readdirSync(join(root, hour)).length).toBeGreaterThan(10);
    for await (const id of storage.expired(Date.now() + 3 * HOUR)) await storage.delete(id);
    expect(readdirSync(root)).toEqual([]);
  });

  test('strange files in the folder are left alone', async () => {
    const root = temporaryFolder();
    writeFileSync(join(root, 'README'), 'mine');
    const storage = createDiskStorage(root);
    await storage.put({ bytes: Buffer.from('x') }, options);
    let count = 0;
    for await (const _id of storage.expired(Date.now() + 3 * HOUR)) count++;
    expect(count).toBe(1);
    expect(readdirSync(root)).toContain('README');
  });
});
