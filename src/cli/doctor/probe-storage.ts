import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { buffer } from 'node:stream/consumers';
import { type Config, ConfigError } from '../../config.ts';
import type { Storage } from '../../storage/contract.ts';
import { createDiskStorage } from '../../storage/disk.ts';
import { createS3Storage } from '../../storage/s3.ts';
import { s3OptionsOf } from '../../storage/s3-options.ts';
import { type Probe, placeOf, reasonOf, timed } from './probe.ts';

/** What the probe leaves behind, should it be killed half way, is swept after this, ms. */
const LIFE = 60_000;
/** `Date` of an answer is in whole seconds, cut off: on average this much is missing, ms (RFC 9110 §5.6.7). */
const HALF_SECOND = 500;

/** Writes a small object, reads it and deletes it. */
export async function probeStorage(config: Config): Promise<Probe> {
  if (config.storage === 'disk') return probeDisk(config);
  const options = s3OptionsOf(config);
  const endpoint = options.endpoint ?? `https://s3.${options.region}.amazonaws.com`;
  const found = { part: 'storage', kind: 'S3', place: `${placeOf(endpoint)}/${options.bucket}`, shared: true, notes: [] } as const;
  try {
    const storage = await createS3Storage({ ...options, attempts: 1 });
    try {
      const { milliseconds } = await timed(() => roundTrip(storage));
      const skew = await skewOf(endpoint, options.timeout);
      return { ...found, reachable: true, milliseconds, ...(skew === undefined ? {} : { skew }), details: [DONE], problems: [] };
    } finally {
      await storage.close?.();
    }
  } catch (error) {
    const problems = error instanceof ConfigError ? error.problems : [`the picture store cannot be used: ${reasonOf(error)}`];
    return { ...found, reachable: false, details: [], problems };
  }
}

const DONE = 'an object was written, read and deleted';

async function probeDisk(config: Config): Promise<Probe> {
  const found = { part: 'storage', kind: 'disk', place: join(config.data, 'objects'), shared: false, notes: [] } as const;
  try {
    const { milliseconds } = await timed(() => roundTrip(createDiskStorage(found.place)));
    return { ...found, reachable: true, milliseconds, details: [DONE], problems: [] };
  } catch (error) {
    return { ...found, reachable: false, details: [], problems: [`the picture store cannot be used: ${reasonOf(error)}`] };
  }
}

async function roundTrip(storage: Storage): Promise<void> {
  const bytes = randomBytes(64);
  const { id } = await storage.put({ bytes }, { type: 'application/octet-stream', expiresAt: Date.now() + LIFE });
  const opened = await storage.open(id);
  const same = opened !== undefined && (await buffer(opened.stream)).equals(bytes);
  await storage.delete(id);
  if (!same) throw new Error('what was written could not be read');
}

/** Whatever it answers to a stranger, it says when. */
async function skewOf(endpoint: string, timeout: number): Promise<number | undefined> {
  const { value, skewOf: skew } = await timed(() =>
    fetch(endpoint, { method: 'HEAD', redirect: 'manual', signal: AbortSignal.timeout(timeout) }),
  );
  const date = Date.parse(value.headers.get('date') ?? '');
  return Number.isNaN(date) ? undefined : skew(date + HALF_SECOND);
}
