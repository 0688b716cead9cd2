import { type FSWatcher, mkdirSync, watch } from 'node:fs';
import { open, utimes } from 'node:fs/promises';
import { dirname } from 'node:path';

/** A bell that all processes of one machine hear. */
export interface SignalFile {
  /** Rings; rings within the same turn of the event loop are one. */
  ring(): void;
  close(): void;
}

/**
 * Processes on one machine wake each other by touching a file that all of them watch (inotify,
 * kqueue). It carries no message and may fail to ring (no watches left, a folder on the network):
 * whoever relies on it looks from time to time without it.
 */
export async function createSignalFile(path: string, onRing: () => void, onError: (error: unknown) => void): Promise<SignalFile> {
  mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
  await (await open(path, 'a', 0o600)).close();
  let watcher: FSWatcher | undefined;
  try {
    watcher = watch(path, { persistent: false }, onRing);
    watcher.on('error', onError);
  } catch (error) {
    onError(error);
  }
  let pending = false;
  let closed = false;
  return {
    ring() {
      if (pending || closed) return;
      pending = true;
      setImmediate(() => {
        pending = false;
        const now = new Date();
        // The folder may be gone already when a test or a demonstration ends.
        if (!closed) utimes(path, now, now).catch(onError);
      });
    },
    close() {
      closed = true;
      watcher?.close();
    },
  };
}
