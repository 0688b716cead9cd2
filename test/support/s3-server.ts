import { createHash } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { request as forward, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { buffer } from 'node:stream/consumers';
import S3rver from 's3rver';
import { httpServer } from './http-server.ts';
import { answerWith, type Fail, type Fault, failsPlainly, faultPlan, refuse } from './s3-faults.ts';
import { isSigned, type S3Keys } from './s3-signature.ts';

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
  readonly fail: Fail;
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
  const plan = faultPlan();
  const server = await httpServer((request, response) => {
    const { method = '', url = '', headers } = request;
    seen.push({ method, url, headers });
    const fault = plan.next(method);
    if (isSigned({ method, url, headers }, KEYS)) void pass(request, response, port, fault);
    else refuse(request, response, 403, 'SignatureDoesNotMatch');
  });
  return {
    endpoint: server.base,
    bucket: BUCKET,
    keys: KEYS,
    seen,
    fail: plan.fail,
    async close() {
      await server.close();
      await store.close();
      rmSync(directory, { recursive: true, force: true });
    },
  };
}

async function pass(request: IncomingMessage, response: ServerResponse, port: number, fault?: Fault): Promise<void> {
  if (fault === 'hang' || failsPlainly(request, response, fault)) return;
  const { method, url: path, headers } = request;
  // s3rver takes the last byte 0 for "none given"; Amazon's service does not.
  const isFirstByte = headers.range === 'bytes=0-0' && fault === undefined;
  if (fault === 'whole' || headers.range === 'bytes=0-0') delete headers.range;
  const body = await buffer(request);
  const hash = headers['x-amz-content-sha256'] ?? 'UNSIGNED-PAYLOAD';
  if (hash !== 'UNSIGNED-PAYLOAD' && hash !== createHash('sha256').update(body).digest('hex')) {
    response.writeHead(400).end('<Error><Code>XAmzContentSHA256Mismatch</Code></Error>');
    return;
  }
  const onward = forward({ host: '127.0.0.1', port, method, path, headers }, (answer) => {
    void (isFirstByte && answer.statusCode === 200 ? firstByteOf(answer, response) : answerWith(answer, response, fault));
  });
  onward.on('error', () => response.destroy());
  onward.end(body);
}

async function firstByteOf(answer: IncomingMessage, response: ServerResponse): Promise<void> {
  const body = await buffer(answer);
  response.writeHead(206, { ...answer.headers, 'content-length': 1, 'content-range': `bytes 0-0/${body.length}` });
  response.end(body.subarray(0, 1));
}
