import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { onTestFinished } from 'vitest';
import { openDatabase } from '../../../src/db/database.ts';
import { databaseServerOf } from '../../../src/db/database-server.ts';
import { createKeyStore, type NewKey } from '../../../src/db/keys.ts';
import { loadServerKey } from '../../../src/db/server-key.ts';
import type { Db } from '../../../src/db/tables.ts';
import { createAccounting } from '../../../src/jobs/accounting.ts';
import { type JobDraft, JobStore, type StoreLimits } from '../../../src/jobs/store.ts';

/** Where an empty database is: the data folder, and with PostgreSQL its URL, else ''. */
export interface Place {
  readonly folder: string;
  readonly url: string;
}

/** An adapter under test. */
export interface DatabaseUnderTest {
  /** A place where nothing is kept. */
  make(): Promise<Place>;
  /** A place where not even tables are. */
  makeBare(): Promise<Place>;
}

/** Opens the database at a place, as another process would; closed when the test ends. */
export async function open({ folder, url }: Place, serverKey?: Buffer): Promise<Db> {
  const db = await openDatabase(
    folder,
    databaseServerOf({ databaseUrl: url, databaseConnections: 10, databaseTimeout: 5 }, { ...(serverKey ? { serverKey } : {}) }),
  );
  onTestFinished(() => db.destroy());
  return db;
}

/**
 * A second handle for use at the same time as the first, as of another process. SQLite waits for a
 * lock without giving the thread back, so that two handles of one process would wait for each other;
 * there it is the same one, and what holds between processes is processes.ts's to test.
 */
export async function openBeside(first: Db, place: Place): Promise<Db> {
  return place.url === '' ? first : open(place);
}

/** The stores over one handle, with a clock that is the test's: it ticks with every look. */
export async function openStores(place: Place, start = Date.UTC(2026, 10, 22, 12), limits: Partial<StoreLimits> = {}) {
  const db = await open(place);
  let time = start;
  const now = () => time++;
  const keys = createKeyStore(db, loadServerKey('', place.folder), now);
  const accounting = createAccounting(db, now);
  const store = new JobStore(db, accounting, { jobs: 10_000, takeovers: 2, ...limits }, now);
  const newKey = async (wanted: Partial<NewKey> = {}) => (await keys.create({ name: 'test', ...wanted })).key;
  return {
    ...{ place, db, keys, accounting, store, newKey },
    now: () => time,
    later: (milliseconds: number) => {
      time += milliseconds;
    },
  };
}

/** A draft of one picture. */
export function draftOf(key: JobDraft['key'], changes: Partial<JobDraft> = {}): JobDraft {
  const picture = { source: { object: 'o1' }, options: {}, limits: {} } as unknown as JobDraft['pictures'][number];
  return { key, pictures: [picture], wire: null, expiresAt: Date.UTC(2026, 10, 23), ...changes };
}

/** Runs an order of entries/store-process.ts in a process of its own and answers the lines it prints. */
export async function inProcess({ folder, url }: Place, ...order: string[]): Promise<string[]> {
  const entry = fileURLToPath(new URL('store-process.ts', import.meta.url));
  const { stdout } = await promisify(execFile)(process.execPath, ['--import', 'tsx', entry, folder, url, ...order]);
  return stdout.split('\n').filter(Boolean);
}
