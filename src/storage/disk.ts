import { createHash, randomBytes } from 'node:crypto';
import { createReadStream, createWriteStream } from 'node:fs';
import { type FileHandle, mkdir, open, readdir, readFile, rename, rm, rmdir, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { Readable, Transform } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import type { Content, Storage, StoredObject } from './contract.ts';
import { hourName, isObjectId, newObjectId, splitObjectId } from './object-id.ts';

const FOLDER_MODE = 0o700;

/**
 * Storage in a folder: `HOUR/XX/RANDOM` holds the content and `RANDOM.json` beside it what is known
 * of it. The description is renamed into place last: without it an object does not exist, so a crash
 * at any moment leaves either a whole object or garbage that goes with its hour's folder.
 */
export function createDiskStorage(root: string, now: () => number = Date.now): Storage {
  const contentPath = (id: string) => {
    const { hour, random } = splitObjectId(id);
    return join(root, hour, random.slice(0, 2), random);
  };
  const describe = async (id: string) => (isObjectId(id) ? readDescription(contentPath(id)) : undefined);
  const live = async (id: string) => {
    const object = await describe(id);
    return object && object.expiresAt > now() ? object : undefined;
  };

  return {
    async put(content, options) {
      const id = newObjectId(options.expiresAt);
      const path = contentPath(id);
      await mkdir(dirname(path), { recursive: true, mode: FOLDER_MODE });
      const written = await writeContent(content, path);
      const object: StoredObject = { id, type: options.type, ...written, createdAt: now(), expiresAt: options.expiresAt };
      await writeDurably(descriptionPath(path), JSON.stringify(object));
      return object;
    },
    stat: live,
    async open(id, range) {
      const object = await live(id);
      if (!object) return undefined;
      const handle = await openOrNothing(contentPath(id));
      if (!handle) return undefined;
      return { object, stream: handle.createReadStream(range ? { start: range.first, end: range.last } : {}) };
    },
    async download(id, path) {
      const object = await live(id);
      const handle = object && (await openOrNothing(contentPath(id)));
      if (!object || !handle) return undefined;
      await pipeline(handle.createReadStream(), createWriteStream(path, { mode: 0o600 }));
      return object;
    },
    async delete(id) {
      if (!isObjectId(id)) return false;
      const path = contentPath(id);
      const existed = (await readDescription(path)) !== undefined;
      await rm(descriptionPath(path), { force: true });
      await rm(path, { force: true });
      return existed;
    },
    async *expired(time) {
      const current = hourName(time);
      for (const hour of await names(root)) {
        if (hour > current) break;
        yield* expiredInHour(join(root, hour), hour, time);
        if (hour < current) await removeHour(join(root, hour));
      }
    },
  };
}

const descriptionPath = (contentPath: string) => `${contentPath}.json`;

async function readDescription(contentPath: string): Promise<StoredObject | undefined> {
  try {
    return JSON.parse(await readFile(descriptionPath(contentPath), 'utf8')) as StoredObject;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
}

async function openOrNothing(path: string): Promise<FileHandle | undefined> {
  try {
    return await open(path, 'r');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
}

/** Copies rather than moves: the spool may lie on another file system, and the copy gives the hash. */
async function writeContent(content: Content, path: string): Promise<{ bytes: number; sha256: string }> {
  const hash = createHash('sha256');
  let bytes = 0;
  const measure = new Transform({
    transform(chunk: Buffer, _encoding, done) {
      hash.update(chunk);
      bytes += chunk.length;
      done(null, chunk);
    },
  });
  const source = 'path' in content ? createReadStream(content.path) : Readable.from([content.bytes]);
  await pipeline(source, measure, createWriteStream(path, { flags: 'wx', mode: 0o600, flush: true }));
  return { bytes, sha256: hash.digest('hex') };
}

async function writeDurably(path: string, text: string): Promise<void> {
  const draft = `${path}.${randomBytes(4).toString('hex')}`;
  await writeFile(draft, text, { mode: 0o600, flush: true });
  await rename(draft, path);
}

async function* expiredInHour(folder: string, hour: string, time: number): AsyncIterable<string> {
  for (const shard of await names(folder)) {
    for (const name of await names(join(folder, shard))) {
      const id = hour + name.slice(0, -'.json'.length);
      if (!name.endsWith('.json') || !isObjectId(id)) continue;
      const object = await readDescription(join(folder, shard, name.slice(0, -'.json'.length)));
      if (object && object.expiresAt <= time) yield id;
    }
  }
}

/** What a past hour still holds after its objects were deleted is the garbage of crashes. */
async function removeHour(folder: string): Promise<void> {
  for (const shard of await names(folder)) {
    const left = await names(join(folder, shard));
    if (!left.some((name) => name.endsWith('.json'))) await rm(join(folder, shard), { recursive: true, force: true });
  }
  await rmdir(folder).catch(() => undefined);
}

async function names(folder: string): Promise<string[]> {
  try {
    return (await readdir(folder)).sort();
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code;
    if (code === 'ENOENT' || code === 'ENOTDIR') return [];
    throw error;
  }
}
