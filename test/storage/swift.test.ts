import { buffer } from 'node:stream/consumers';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createS3Storage } from '../../src/storage/s3.ts';
import type { S3Options, S3Surroundings } from '../../src/storage/s3-options.ts';
import { storageContract } from '../contract/storage.ts';
import { describeOnSwift, type SwiftServer, swiftServer } from '../support/swift-server.ts';

let server: SwiftServer;
let prefixes = 0;
const open = (changes: Partial<S3Options> = {}, surroundings: S3Surroundings = {}) =>
  createS3Storage(
    {
      ...{ endpoint: server.endpoint, region: 'us-east-1', bucket: server.bucket, prefix: `test-${prefixes}/`, pathStyle: true },
      ...{ credentials: server.keys, checksums: 'WHEN_SUPPORTED', links: undefined, timeout: 30_000, attempts: 3 },
      ...changes,
    },
    surroundings,
  );

describeOnSwift('OpenStack Swift', () => {
  beforeAll(async () => {
    server = await swiftServer();
  }, 120_000);
  afterAll(() => server?.close());

  /** Each test has a prefix of its own: what one leaves behind, no other lists. */
  storageContract('swift', async (start) => {
    prefixes++;
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

  describe('a service that checks signatures', () => {
    const content = Buffer.alloc(100_000, 'picture');
    const inAnHour = () => ({ type: 'image/png', expiresAt: Date.now() + 3_600_000 });

    test.each([
      ['secretAccessKey', 'another'],
      ['accessKeyId', 'another:one'],
    ])('a wrong %s ends the start with words', async (name, value) => {
      const credentials = { ...server.keys, [name]: value };
      await expect(open({ credentials })).rejects.toThrow(/MINGXI_S3_BUCKET: the service refuses the keys/);
    });

    test('a bucket that does not exist ends the start with words', async () => {
      await expect(open({ bucket: 'absent' })).rejects.toThrow(/MINGXI_S3_BUCKET: there is no such bucket/);
    });

    test('presigned links work without keys, and not when a letter of them is changed', async () => {
      const storage = await open({ links: { endpoint: server.endpoint } });
      const object = await storage.put({ bytes: content }, inAnHour());
      const link = new URL((await storage.link?.(object, 'a.png')) ?? '');
      const answer = await fetch(link);
      expect([answer.status, answer.headers.get('content-type')]).toEqual([200, 'image/png']);
      expect(Buffer.from(await answer.arrayBuffer()).equals(content)).toBe(true);
      link.searchParams.set('X-Amz-Expires', '999');
      expect((await fetch(link)).status).toBe(403);
    });

    test.each(['WHEN_SUPPORTED', 'WHEN_REQUIRED'] as const)('uploads with checksums %s', async (checksums) => {
      const storage = await open({ checksums });
      const { id } = await storage.put({ bytes: content }, inAnHour());
      const opened = await storage.open(id, { first: 3, last: 9 });
      expect(opened && (await buffer(opened.stream))).toEqual(content.subarray(3, 10));
    });
  });
});
