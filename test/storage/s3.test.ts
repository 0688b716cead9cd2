import { createHash } from 'node:crypto';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { buffer } from 'node:stream/consumers';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { AppError } from '../../src/errors.ts';
import { createS3Storage } from '../../src/storage/s3.ts';
import type { S3Options, S3Surroundings } from '../../src/storage/s3-options.ts';
import { storageContract } from '../contract/storage.ts';
import { type S3Server, s3Server } from '../support/s3-server.ts';
import { temporaryFolder } from '../support/temporary.ts';

let server: S3Server;
let prefixes = 0;
const optionsOf = (changes: Partial<S3Options> = {}): S3Options => ({
  endpoint: server.endpoint,
  region: 'us-east-1',
  bucket: server.bucket,
  prefix: `test-${prefixes}/`,
  pathStyle: true,
  credentials: server.keys,
  checksums: 'WHEN_SUPPORTED',
  links: undefined,
  timeout: 5000,
  attempts: 3,
  ...changes,
});
/** A store of its own within the bucket. */
const open = (changes: Partial<S3Options> = {}, surroundings: S3Surroundings = {}) => createS3Storage(optionsOf(changes), surroundings);

beforeAll(async () => {
  server = await s3Server();
});
afterAll(() => server.close());
beforeEach(() => {
  server.fail();
  server.seen.length = 0;
  prefixes++;
});

storageContract('s3', async (start) => {
  let time = start;
  const surroundings = { now: () => time };
  return {
    storage: await open({}, surroundings),
    setTime: (value) => {
      time = value;
    },
    reopen: () => open({}, surroundings),
  };
});

const options = { type: 'image/png', expiresAt: Date.now() + 3_600_000 };
const content = Buffer.alloc(200_000, 'picture');
const failureOf = async (promise: Promise<unknown>): Promise<AppError> => {
  const error = await promise.then(
    () => new Error('it succeeded'),
    (reason) => reason,
  );
  expect(error).toBeInstanceOf(AppError);
  return error as AppError;
};

describe('in a bucket', () => {
  test.each(['WHEN_SUPPORTED', 'WHEN_REQUIRED'] as const)('an upload is signed with the hash of its content (%s)', async (checksums) => {
    const storage = await open({ checksums });
    const path = join(temporaryFolder(), 'source');
    writeFileSync(path, content);
    for (const one of [{ path }, { bytes: content }]) await storage.put(one, options);
    const puts = server.seen.filter(({ method }) => method === 'PUT');
    expect(puts).toHaveLength(2);
    const hash = createHash('sha256').update(content);
    const [hex, base64] = [hash.copy().digest('hex'), hash.digest('base64')];
    for (const { headers } of puts) {
      expect(headers).toMatchObject({ 'x-amz-content-sha256': hex, 'content-length': '200000', 'content-type': 'image/png' });
      expect(headers['x-amz-checksum-sha256']).toBe(checksums === 'WHEN_SUPPORTED' ? base64 : undefined);
      expect(headers['content-encoding']).toBeUndefined();
    }
  });

  test('a sweep reads what it deletes and no more', async () => {
    const storage = await open();
    for (let i = 0; i < 5; i++) await storage.put({ bytes: content }, options);
    server.seen.length = 0;
    for await (const _id of storage.expired(Date.now())) expect.unreachable();
    expect(server.seen.map(({ method }) => method)).toEqual(['GET']);
  });

  test('objects of others under the same prefix are left alone', async () => {
    const outer = await open();
    const inner = await open({ prefix: `test-${prefixes}/inner/` });
    const { id } = await inner.put({ bytes: content }, { ...options, expiresAt: Date.now() + 1 });
    for await (const _id of outer.expired(Date.now() + 60_000)) expect.unreachable();
    const listed: string[] = [];
    for await (const one of inner.expired(Date.now() + 60_000)) listed.push(one);
    expect(listed).toEqual([id]);
  });

  test('presigned links: they work without keys, carry type and name, and live for minutes', async () => {
    const storage = await open({ links: { endpoint: server.endpoint } });
    const object = await storage.put({ bytes: content }, options);
    const link = new URL((await storage.link?.(object, 'a.png')) ?? '');
    expect(link.searchParams.get('X-Amz-Expires')).toBe('300');
    expect(link.searchParams.get('response-content-disposition')).toBe('inline; filename="a.png"');
    const answer = await fetch(link);
    expect([answer.status, answer.headers.get('content-type')]).toEqual([200, 'image/png']);
    expect(Buffer.from(await answer.arrayBuffer()).equals(content)).toBe(true);
    link.searchParams.set('X-Amz-Expires', '999999');
    expect((await fetch(link)).status).toBe(403);
  });

  test('presigned links name the public endpoint and never outlive the object', async () => {
    const storage = await open({ links: { endpoint: 'https://cdn.example:8443' } });
    const object = await storage.put({ bytes: content }, { ...options, expiresAt: Date.now() + 30_000 });
    const link = new URL((await storage.link?.(object, 'a.png')) ?? '');
    expect(link.origin).toBe('https://cdn.example:8443');
    expect(Number(link.searchParams.get('X-Amz-Expires'))).toBeLessThanOrEqual(30);
    expect((await open()).link).toBeUndefined();
  });
});

describe('faults of the store', () => {
  test.each(['error', 'throttle'] as const)('%s that passes: nobody notices', async (fault) => {
    const failures: unknown[] = [];
    const storage = await open({}, { onFailure: (error) => failures.push(error) });
    const path = join(temporaryFolder(), 'source');
    writeFileSync(path, content);
    server.fail(fault, 2);
    const { id } = await storage.put({ path }, options);
    server.fail(fault, 2);
    expect((await storage.stat(id))?.bytes).toBe(content.length);
    server.fail(fault, 2);
    const opened = await storage.open(id);
    expect(opened && (await buffer(opened.stream)).equals(content)).toBe(true);
    expect(failures).toHaveLength(6);
    server.fail();
    expect(server.seen.filter(({ method }) => method === 'PUT')).toHaveLength(3);
  });

  test.each(['error', 'throttle', 'hang'] as const)('%s that stays: 503 after a bounded number of tries, without detail', async (fault) => {
    const storage = await open({ timeout: 300 });
    const { id } = await storage.put({ bytes: content }, options);
    server.fail(fault);
    const all = [
      storage.put({ bytes: content }, options),
      storage.stat(id),
      storage.open(id),
      storage.download(id, join(temporaryFolder(), 'local')),
      storage.delete(id),
      storage.expired(Date.now())[Symbol.asyncIterator]().next(),
    ];
    server.seen.length = 0;
    for (const failure of await Promise.all(all.map(failureOf))) {
      expect(failure).toMatchObject({ kind: 'ALGORITHM_OVER_CONCURRENT', retryAfter: 5 });
      expect(failure.message).toBe('The picture store does not answer at the moment.');
    }
    expect(server.seen.length).toBeLessThanOrEqual(18);
    server.fail();
    expect(await storage.stat(id)).toBeDefined();
  });

  test('a refusal is not tried again, and is a defect of ours without detail', async () => {
    const storage = await open();
    const { id } = await storage.put({ bytes: content }, options);
    server.seen.length = 0;
    server.fail('refuse');
    const failure = await failureOf(storage.open(id));
    expect(failure.kind).toBe('GATEWAY_UNKNOWN_ERROR');
    expect(failure.message).not.toContain('secret-host');
    expect(server.seen).toHaveLength(1);
  });

  test.each(['cut', 'stall', 'corrupt'] as const)('a body that is %s: the reader sees a failure, never an end', async (fault) => {
    const storage = await open({ timeout: 300 });
    const { id } = await storage.put({ bytes: content }, options);
    server.fail(fault, 1, ['GET']);
    const opened = await storage.open(id);
    let received = 0;
    opened?.stream.on('data', (chunk: Buffer) => {
      received += chunk.length;
    });
    const failure = await failureOf(buffer(opened?.stream as NonNullable<typeof opened>['stream']));
    expect(failure.kind).toBe('ALGORITHM_OVER_CONCURRENT');
    expect(received).toBeLessThan(content.length);
  });

  test.each(['cut', 'stall', 'corrupt'] as const)('a download whose body is %s once is made good by another try', async (fault) => {
    const storage = await open({ timeout: 300 });
    const { id } = await storage.put({ bytes: content }, options);
    const path = join(temporaryFolder(), 'local');
    server.fail(fault, 1, ['GET']);
    expect((await storage.download(id, path))?.id).toBe(id);
    expect(readFileSync(path).equals(content)).toBe(true);
  });

  test('a store that answers another range than it was asked for', async () => {
    const storage = await open({ attempts: 1 });
    const { id } = await storage.put({ bytes: content }, options);
    server.fail('whole', 1, ['GET']);
    const opened = await storage.open(id, { first: 5, last: 9 });
    expect((await failureOf(buffer(opened?.stream as NonNullable<typeof opened>['stream']))).kind).toBe('ALGORITHM_OVER_CONCURRENT');
  });

  test('a download whose body is always cut leaves no file', async () => {
    const storage = await open();
    const { id } = await storage.put({ bytes: content }, options);
    const path = join(temporaryFolder(), 'local');
    server.fail('cut');
    expect((await failureOf(storage.download(id, path))).kind).toBe('ALGORITHM_OVER_CONCURRENT');
    expect(existsSync(path)).toBe(false);
  });

  test('a reader that pauses longer than the time limit is no fault', async () => {
    const storage = await open({ timeout: 150 });
    const large = Buffer.alloc(3_000_000, 'x');
    const { id } = await storage.put({ bytes: large }, options);
    const opened = await storage.open(id);
    let received = 0;
    for await (const chunk of opened?.stream ?? []) {
      if (received === 0) await new Promise((resolve) => setTimeout(resolve, 600));
      received += (chunk as Buffer).length;
    }
    expect(received).toBe(large.length);
  });

  test('an upload the store cut off leaves nothing that can be found', async () => {
    const storage = await open({ attempts: 1 });
    server.fail('error', 1, ['PUT']);
    await failureOf(storage.put({ bytes: content }, { ...options, expiresAt: Date.now() }));
    for await (const _id of storage.expired(Date.now() + 1000)) expect.unreachable();
  });
});

describe('at the start', () => {
  test('a bucket that does not exist is a configuration error that names it', async () => {
    await expect(open({ bucket: 'absent' })).rejects.toThrow(/MINGXI_S3_BUCKET: there is no such bucket \(bucket absent,/);
  });

  test.each([{ secretAccessKey: 'another' }, { accessKeyId: 'another' }])(
    'keys that are refused are a configuration error: %o',
    async (changes) => {
      const credentials = { ...server.keys, ...changes };
      await expect(open({ credentials })).rejects.toThrow(/MINGXI_S3_BUCKET: the service refuses the keys/);
    },
  );

  test('a service that is not there yet does not stop the start; calls fail until it is', async () => {
    const socket = createServer().listen(0, '127.0.0.1');
    await new Promise((resolve) => socket.once('listening', resolve));
    const { port } = socket.address() as { port: number };
    await new Promise((resolve) => socket.close(resolve));
    const storage = await open({ endpoint: `http://127.0.0.1:${port}` });
    const failure = await failureOf(storage.put({ bytes: content }, options));
    expect(failure.kind).toBe('ALGORITHM_OVER_CONCURRENT');
    expect(failure.message).not.toContain('127.0.0.1');
    await storage.close?.();
  });
});
