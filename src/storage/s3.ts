import { createHash } from 'node:crypto';
import { createReadStream, createWriteStream } from 'node:fs';
import { rm } from 'node:fs/promises';
import type { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import type { GetObjectCommandOutput, HeadObjectCommandOutput, S3Client } from '@aws-sdk/client-s3';
import { ConfigError } from '../config.ts';
import type { ByteRange, Content, OpenedObject, Storage, StoredObject } from './contract.ts';
import { expiryOfTimedId, newTimedId } from './object-id.ts';
import { isMissing, isRefusal, storeFailure, tryCall } from './s3-calls.ts';
import type { S3Options, S3Surroundings } from './s3-options.ts';
import { loadPresigner, loadSdk, type Sdk } from './s3-sdk.ts';
import { verified } from './verified.ts';

/** Connections at once; readers of proxied results hold one each. */
const MAX_SOCKETS = 256;
/** Seconds a presigned link works; it is made anew for each request. */
const LINK_SECONDS = 300;

/**
 * Storage in an S3 bucket. One object per stored file, named PREFIX + id; what is known of it stands in
 * the id (expiry) and in the object's metadata (hash, time of creation). A PUT is atomic, so an object
 * is whole or absent. Because the id begins with the expiry, a listing is sorted by it and a sweep
 * reads no more than what it deletes.
 * @throws ConfigError when the SDK is not installed, or the bucket is refused; a service that does not
 * answer yet is no reason not to start
 */
export async function createS3Storage(options: S3Options, { now = Date.now, onFailure }: S3Surroundings = {}): Promise<Storage> {
  const sdk = await loadSdk();
  const client = clientOf(sdk, options, options.endpoint);
  const Bucket = options.bucket;
  const keyOf = (id: string) => options.prefix + id;
  const isLive = (id: string) => (expiryOfTimedId(id) ?? 0) > now();
  const call = <T>(run: (signal: AbortSignal) => Promise<T>, bytes?: number) => tryCall({ ...options, onFailure }, run, bytes);
  await checkBucket(sdk, client, options);

  const stat = async (id: string) => {
    if (!isLive(id)) return undefined;
    const head = new sdk.HeadObjectCommand({ Bucket, Key: keyOf(id) });
    const found = await call((abortSignal) => orMissing(client.send(head, { abortSignal })));
    return found && describe(id, found, found.ContentLength ?? 0);
  };
  const get = async (id: string, range: ByteRange | undefined, abortSignal: AbortSignal): Promise<OpenedObject | undefined> => {
    const Range = range && `bytes=${range.first}-${range.last}`;
    const found = await orMissing(client.send(new sdk.GetObjectCommand({ Bucket, Key: keyOf(id), Range }), { abortSignal }));
    const object = found && describe(id, found, sizeOf(found));
    if (!object) return undefined;
    const expected = range ? { bytes: range.last - range.first + 1, sha256: undefined } : object;
    return { object, stream: verified(found.Body as Readable, expected, options.timeout, storeFailure) };
  };

  const send = (object: StoredObject, content: Content, signal: AbortSignal) => upload(sdk, client, options, object, content, signal);
  const storage: Storage = {
    async put(content, options) {
      const { bytes, sha256 } = await measure(content);
      const expiresAt = Math.floor(options.expiresAt);
      const object: StoredObject = { id: newTimedId(expiresAt), type: options.type, bytes, sha256, createdAt: now(), expiresAt };
      await call((signal) => send(object, content, signal), bytes);
      return object;
    },
    stat,
    open: async (id, range) => (isLive(id) ? call((signal) => get(id, range, signal)) : undefined),
    async download(id, path) {
      if (!isLive(id)) return undefined;
      try {
        return await call(async (signal) => {
          const opened = await get(id, undefined, signal);
          if (opened) await pipeline(opened.stream, createWriteStream(path, { mode: 0o600 }));
          return opened?.object;
        });
      } catch (error) {
        await rm(path, { force: true });
        throw error;
      }
    },
    async delete(id) {
      if (expiryOfTimedId(id) === undefined) return false;
      const place = { Bucket, Key: keyOf(id) };
      // A DELETE answers the same whether or not something was there.
      const found = await call((abortSignal) => orMissing(client.send(new sdk.HeadObjectCommand(place), { abortSignal })));
      if (!found) return false;
      await call((abortSignal) => client.send(new sdk.DeleteObjectCommand(place), { abortSignal }));
      return true;
    },
    async *expired(time) {
      let ContinuationToken: string | undefined;
      do {
        const list = new sdk.ListObjectsV2Command({ Bucket, Prefix: options.prefix, ContinuationToken });
        const page = await call((abortSignal) => client.send(list, { abortSignal }));
        for (const { Key = '' } of page.Contents ?? []) {
          const id = Key.slice(options.prefix.length);
          const expiresAt = expiryOfTimedId(id);
          if (expiresAt === undefined) continue;
          if (expiresAt > time) return;
          yield id;
        }
        ContinuationToken = page.IsTruncated ? page.NextContinuationToken : undefined;
      } while (ContinuationToken !== undefined);
    },
    close: async () => client.destroy(),
  };
  return options.links ? { ...storage, link: await presigning(sdk, options, options.links.endpoint, now) } : storage;
}

function clientOf(sdk: Sdk, options: S3Options, endpoint: string | undefined): S3Client {
  return new sdk.S3Client({
    region: options.region,
    forcePathStyle: options.pathStyle,
    ...(endpoint ? { endpoint } : {}),
    ...(options.credentials ? { credentials: options.credentials } : {}),
    requestChecksumCalculation: options.checksums,
    // What comes back is compared with the hash in the metadata, whatever the service offers.
    responseChecksumValidation: 'WHEN_REQUIRED',
    maxAttempts: 1,
    // The SDK would write to the console; failed tries go to `onFailure`.
    logger: { debug() {}, info() {}, warn() {}, error() {} },
    expectContinueHeader: false,
    requestHandler: {
      connectionTimeout: options.timeout,
      httpAgent: { maxSockets: MAX_SOCKETS },
      httpsAgent: { maxSockets: MAX_SOCKETS },
    },
  });
}

/** Asks for the bucket once, so that a wrong name or key ends the start and not the first picture. */
async function checkBucket(sdk: Sdk, client: S3Client, options: S3Options): Promise<void> {
  const abortSignal = AbortSignal.timeout(options.timeout);
  try {
    await client.send(new sdk.HeadBucketCommand({ Bucket: options.bucket }), { abortSignal });
  } catch (error) {
    const status = (error as { $metadata?: { httpStatusCode?: number } }).$metadata?.httpStatusCode;
    const noCredentials = (error as Error).name === 'CredentialsProviderError';
    if (!noCredentials && (status === undefined || !isRefusal(error))) return;
    client.destroy();
    if (noCredentials) throw new ConfigError(['MINGXI_S3_ACCESS_KEY: no credentials were given and none were found']);
    const words =
      status === 404 ? 'there is no such bucket' : status === 403 ? 'the service refuses the keys' : `the service answers ${status}`;
    throw new ConfigError([`MINGXI_S3_BUCKET: ${words} (bucket ${options.bucket}, region ${options.region})`]);
  }
}

async function upload(sdk: Sdk, client: S3Client, options: S3Options, object: StoredObject, content: Content, abortSignal: AbortSignal) {
  const body = 'path' in content ? createReadStream(content.path) : content.bytes;
  const command = new sdk.PutObjectCommand({
    Bucket: options.bucket,
    Key: options.prefix + object.id,
    Body: body,
    ContentLength: object.bytes,
    ContentType: object.type,
    Metadata: { sha256: object.sha256, 'created-at': String(object.createdAt) },
    ...(options.checksums === 'WHEN_SUPPORTED' ? { ChecksumSHA256: Buffer.from(object.sha256, 'hex').toString('base64') } : {}),
  });
  // Signed with the hash that is known already: the file is not read a third time, and the service
  // refuses a body that differs from it, with checksums or without.
  command.middlewareStack.add(
    (next) => (args) => {
      (args.request as { headers: Record<string, string> }).headers['x-amz-content-sha256'] = object.sha256;
      return next(args);
    },
    { step: 'build', name: 'knownContentHash' },
  );
  try {
    await client.send(command, { abortSignal });
  } finally {
    if ('destroy' in body) body.destroy();
  }
}

async function measure(content: Content): Promise<{ bytes: number; sha256: string }> {
  const hash = createHash('sha256');
  let bytes = 0;
  for await (const chunk of 'path' in content ? createReadStream(content.path) : [content.bytes]) {
    hash.update(chunk);
    bytes += chunk.length;
  }
  return { bytes, sha256: hash.digest('hex') };
}

async function orMissing<T>(answer: Promise<T>): Promise<T | undefined> {
  try {
    return await answer;
  } catch (error) {
    if (isMissing(error)) return undefined;
    throw error;
  }
}

/** Undefined for an object that somebody else put there. */
function describe(id: string, found: HeadObjectCommandOutput | GetObjectCommandOutput, bytes: number): StoredObject | undefined {
  const { sha256 = '', 'created-at': createdAt = '' } = found.Metadata ?? {};
  if (!/^[0-9a-f]{64}$/.test(sha256)) return undefined;
  const type = found.ContentType ?? 'application/octet-stream';
  return { id, type, bytes, sha256, createdAt: Number(createdAt), expiresAt: expiryOfTimedId(id) ?? 0 };
}

/** Size of the whole object, also when a part of it was asked for. */
function sizeOf(found: GetObjectCommandOutput): number {
  const total = /\/(\d+)$/.exec(found.ContentRange ?? '')?.[1];
  return total === undefined ? (found.ContentLength ?? 0) : Number(total);
}

async function presigning(
  sdk: Sdk,
  options: S3Options,
  endpoint: string | undefined,
  now: () => number,
): Promise<NonNullable<Storage['link']>> {
  const { getSignedUrl } = await loadPresigner();
  const client = clientOf(sdk, options, endpoint);
  return async (object, fileName) => {
    const left = Math.max(1, Math.floor((object.expiresAt - now()) / 1000));
    const command = new sdk.GetObjectCommand({
      Bucket: options.bucket,
      Key: options.prefix + object.id,
      ResponseContentType: object.type,
      ResponseContentDisposition: `inline; filename="${fileName}"`,
      ResponseCacheControl: `private, max-age=${left}, immutable`,
    });
    return getSignedUrl(client, command, { expiresIn: Math.min(LINK_SECONDS, left) });
  };
}
