import { createWriteStream, mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { UsageError } from '../exit.ts';

/** A hidden folder for unfinished files, removed however the process ends (but for SIGKILL). */
export interface Workspace {
  /** A fresh path in it. */
  file(): string;
  remove(): void;
}

/** @param beside the folder results will be renamed into; undefined: the system's temporary folder */
export function makeWorkspace(beside: string | undefined): Workspace {
  let path: string;
  try {
    if (beside !== undefined) mkdirSync(beside, { recursive: true });
    path = mkdtempSync(join(beside ?? tmpdir(), '.mingxi-'));
  } catch (error) {
    throw new UsageError(`${beside ?? tmpdir()} cannot be written: ${(error as NodeJS.ErrnoException).code ?? 'unknown reason'}`);
  }
  const remove = () => rmSync(path, { recursive: true, force: true });
  process.once('exit', remove);
  let count = 0;
  return {
    file: () => join(path, String(count++)),
    remove() {
      process.off('exit', remove);
      remove();
    },
  };
}

/** Standard input as a file: children take paths. Stops a byte after the limit, which then is reported as passed. */
export async function stdinToFile(path: string, limit: number): Promise<void> {
  let received = 0;
  await pipeline(
    process.stdin,
    async function* (chunks: AsyncIterable<Buffer>) {
      for await (const chunk of chunks) {
        received += chunk.length;
        yield chunk;
        if (received > limit) return;
      }
    },
    createWriteStream(path),
  );
}
