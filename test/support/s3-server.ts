import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { request as forward, type IncomingMessage, type OutgoingHttpHeaders, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { buffer } from 'node:stream/consumers';
import S3rver from 's3rver';
import { httpServer } from './http-server.ts';
import { isSigned, type S3Keys } from './s3-signature.ts';

/** What the server in front of the store does to a request. */
export type Fault = 'error' | 'refuse' | 'hang' | 'cut' | 'stall' | 'corrupt' | 'throttle' | 'whole';

/** A request as the store got it. */
export interface SeenRequest {
  readonly method: string;
  readonly url: string;
  readonly headers: IncomingMessage['headers'];
}

/** An S3 server with one bucket, behind a server that can be told to misbehave. */
export interface S3Server {
  readonly endpoint: string;
  readonly bucket: string;
  /** The only keys it takes. */
  readonly keys: S3Keys;
  readonly seen: SeenRequest[];
  /** The next `times` requests whose method is one of `methods` meet the fault; without arguments: no more faults. */
  fail(fault?: Fault, times?: number, methods?: readonly string[]): void;
  close(): Promise<void>;
}

const BUCKET = 'pictures';
const KEYS: S3Keys = { accessKeyId: 'S3RVER', secretAccessKey: 'top-secret/with+signs' };

/** s3rver keeps objects as files; signatures, which it does not check, and hashes of uploads are checked in front of it. */
export async function s3Server(): Promise<S3Server> {
  const directory = mkdtempSync(join(tmpdir(), 'mingxi-s3-'));
  const store = new S3rver({
    ...{ address: '127.0.0.1', port: 0, silent: true, vhostBuckets: false, allowMismatchedSignatures: true },
    directory,
    configureBuckets: [{ name: BUCKET, configs: [] }],
  });
  const { port } = (await store.run()) as AddressInfo;
  const seen: SeenRequest[] = [];
  let planned: { fault: Fault; times: number; methods: readonly string[] } | undefined;
  const server = await httpServer((request, response) => {
    const { method = '', url = '', headers } = request;
    seen.push({ method, url, headers });
    const hit = planned && planned.times > 0 && planned.methods.includes(method) ? planned : undefined;
    if (hit) hit.times--;
    if (isSigned({ method, url, headers }, KEYS)) void pass(request, response, port, hit?.fault);
    else refuse(request, response, 403, 'SignatureDoesNotMatch');
  });
  return {
    endpoint: server.base,
    bucket: BUCKET,
    keys: KEYS,
    seen,
    fail(fault, times = Number.POSITIVE_INFINITY, methods = ['GET', 'HEAD', 'PUT', 'DELETE']) {
      planned = fault && { fault, times, methods };
    },
    async close() {
      await server.close();
      await store.close();
      rmSync(directory, { recursive: true, force: true });
    },
  };
}

const PLAIN: Partial<Record<Fault, readonly [number, string]>> = {
  error: [500, 'InternalError'],
  throttle: [503, 'SlowDown'],
  refuse: [403, 'AccessDenied'],
};

/** The request is read first: a client that is still sending would see a broken connection instead. */
function refuse(request: IncomingMessage, response: ServerResponse, status: number, code: string): void {
  const text = `<Error><Code>${code}</Code><Message>secret-host-17 is on fire</Message></Error>`;
  request.resume().once('end', () => response.writeHead(status, { 'Content-Type': 'application/xml' }).end(text));
}

async function pass(request: IncomingMessage, response: ServerResponse, port: number, fault?: Fault | 'first-byte'): Promise<void> {
  if (fault === 'hang') return;
  const plain = fault && fault !== 'first-byte' && PLAIN[fault];
  if (plain) return refuse(request, response, ...plain);
  const { method, url: path, headers } = request;
  if (fault === 'whole') delete headers.range;
  // s3rver takes the last byte 0 for "none given"; Amazon's service does not.
  if (headers.range === 'bytes=0-0') {
    delete headers.range;
    fault ??= 'first-byte';
  }
  const body = await buffer(request);
  const hash = headers['x-amz-content-sha256'] ?? 'UNSIGNED-PAYLOAD';
  if (hash !== 'UNSIGNED-PAYLOAD' && hash !== createHash('sha256').update(body).digest('hex')) {
    response.writeHead(400).end('<Error><Code>XAmzContentSHA256Mismatch</Code></Error>');
    return;
  }
  const onward = forward({ host: '127.0.0.1', port, method, path, headers }, (answer) => {
    void answerWith(answer, response, fault);
  });
  onward.on('error', () => response.destroy());
  onward.end(body);
}

async function answerWith(answer: IncomingMessage, response: ServerResponse, fault?: Fault | 'first-byte'): Promise<void> {
  const headers: OutgoingHttpHeaders = answer.headers;
  if (fault === undefined || fault === 'whole' || answer.statusCode !== 200) {
    answer.pipe(response.writeHead(answer.statusCode ?? 500, headers));
    return;
  }
  const chunks: Buffer[] = [];
  answer.on('data', (chunk: Buffer) => chunks.push(chunk));
  await once(answer, 'end');
  const body = Buffer.concat(chunks);
  if (fault === 'first-byte') response.writeHead(206, { ...headers, 'content-length': 1, 'content-range': `bytes 0-0/${body.length}` });
  else response.writeHead(200, headers);
  if (fault === 'first-byte') {
    response.end(body.subarray(0, 1));
    return;
  }
  if (fault === 'corrupt') {
    body.writeUInt8(body.readUInt8(body.length - 1) ^ 1, body.length - 1);
    response.end(body);
    return;
  }
  response.write(body.subarray(0, Math.floor(body.length / 2)), () => {
    if (fault === 'cut') response.destroy();
  });
}
