import { randomBytes } from 'node:crypto';
import { mkdir, readdir, rm, rmdir, stat, unlink } from 'node:fs/promises';
import { join } from 'node:path';

/** A private folder for the files of one piece of work. */
export interface SpoolFolder {
  /** Path of a file in it; the name is the caller's own, never from outside. */
  path(name: string): string;
  /** Removes it with everything in it; never fails because something is missing. */
  remove(): Promise<void>;
}

/** Files that live as long as one request or one attempt at a job. */
export interface Spool {
  open(): Promise<SpoolFolder>;
  /** Removes folders untouched for longer than `age` milliseconds: what crashes left behind. */
  sweep(age: number): Promise<number>;
}

/** Spool below a folder that only this user can read; sources of others' pictures pass through it. */
export function createSpool(root: string): Spool {
  return {
    async open() {
      const folder = join(root, randomBytes(16).toString('hex'));
      await mkdir(folder, { recursive: true, mode: 0o700 });
      const paths = new Set<string>();
      return {
        path(name) {
          const path = join(folder, name);
          paths.add(path);
          return path;
        },
        async remove() {
          // What is known by name goes at a third of what looking for it costs.
          await Promise.all([...paths].map((path) => unlink(path).catch(() => undefined)));
          await rmdir(folder).catch(() => rm(folder, { recursive: true, force: true }));
        },
      };
    },
    async sweep(age) {
      let removed = 0;
      for (const name of await readdir(root).catch(() => [])) {
        const path = join(root, name);
        const touched = (await stat(path).catch(() => undefined))?.mtimeMs;
        if (touched === undefined || touched > Date.now() - age) continue;
        await rm(path, { recursive: true, force: true });
        removed++;
      }
      return removed;
    },
  };
}
