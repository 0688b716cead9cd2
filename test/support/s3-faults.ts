import { request as forward, type IncomingMessage, type OutgoingHttpHeaders, type ServerResponse } from 'node:http';
import { buffer } from 'node:stream/consumers';
import { httpServer } from './http-server.ts';
import { pause } from './until.ts';

/**
 * What a store does to a request: 500, 403, no answer, half a body and then the end or silence, a body
 * with a wrong byte, 503, an answer that comes late, the whole object in place of a range.
 */
export type Fault = 'error' | 'refuse' | 'hang' | 'cut' | 'stall' | 'corrupt' | 'throttle' | 'late' | 'whole';

/** The next `times` requests whose method is one of `methods` meet the fault; without arguments: no more faults. */
export type Fail = (fault?: Fault, times?: number, methods?: readonly string[]) => void;

/** Says of each request which fault it meets. */
export interface FaultPlan {
  readonly fail: Fail;
  next(method: string): Fault | undefined;
}

export function faultPlan(): FaultPlan {
  let planned: { fault: Fault; times: number; methods: readonly string[] } | undefined;
  return {
    fail(fault, times = Number.POSITIVE_INFINITY, methods = ['GET', 'HEAD', 'PUT', 'DELETE']) {
      planned = fault && { fault, times, methods };
    },
    next(method) {
      if (!planned || planned.times <= 0 || !planned.methods.includes(method)) return undefined;
      planned.times--;
      return planned.fault;
    },
  };
}

/** A server in front of a store, which can be told to misbehave. Requests keep their host, so that signatures stay valid. */
export interface S3FaultProxy {
  readonly endpoint: string;
  readonly fail: Fail;
  close(): Promise<void>;
}

/** Time by which a late answer is late, ms. */
const LATE = 1_500;

export async function s3FaultProxy(endpoint: string, host = '127.0.0.1'): Promise<S3FaultProxy> {
  const target = new URL(endpoint);
  const plan = faultPlan();
  const pass = async (request: IncomingMessage, response: ServerResponse) => {
    const { method = '', url: path, headers } = request;
    const fault = plan.next(method);
    if (fault === 'hang') return;
    if (failsPlainly(request, response, fault)) return;
    const body = await buffer(request);
    if (fault === 'late') await pause(LATE);
    const onward = forward({ host: target.hostname, port: target.port, method, path, headers }, (answer) => {
      void answerWith(answer, response, fault).catch(() => response.destroy());
    });
    onward.on('error', () => response.destroy());
    onward.end(body);
  };
  const server = await httpServer((request, response) => void pass(request, response).catch(() => response.destroy()), host);
  return { endpoint: server.base, fail: plan.fail, close: server.close };
}

const PLAIN: Partial<Record<Fault, readonly [number, string]>> = {
  error: [500, 'InternalError'],
  throttle: [503, 'SlowDown'],
  refuse: [403, 'AccessDenied'],
};

/** Answers a fault that is a status; false when it is none. */
export function failsPlainly(request: IncomingMessage, response: ServerResponse, fault: Fault | undefined): boolean {
  const plain = fault && PLAIN[fault];
  if (plain) refuse(request, response, ...plain);
  return plain !== undefined;
}

/** The request is read first: a client that is still sending would see a broken connection instead. */
export function refuse(request: IncomingMessage, response: ServerResponse, status: number, code: string): void {
  const text = `<Error><Code>${code}</Code><Message>secret-host-17 is on fire</Message></Error>`;
  request.resume().once('end', () => response.writeHead(status, { 'Content-Type': 'application/xml' }).end(text));
}

/** Passes a store's answer on, with what the fault does to its body. */
export async function answerWith(answer: IncomingMessage, response: ServerResponse, fault: Fault | undefined): Promise<void> {
  const headers: OutgoingHttpHeaders = answer.headers;
  const touchesBody = fault === 'cut' || fault === 'stall' || fault === 'corrupt';
  if (!touchesBody || answer.statusCode !== 200) {
    answer.pipe(response.writeHead(answer.statusCode ?? 500, headers));
    return;
  }
  const body = await buffer(answer);
  response.writeHead(200, headers);
  if (fault === 'corrupt') {
    if (body.length > 0) body.writeUInt8(body.readUInt8(body.length - 1) ^ 1, body.length - 1);
    response.end(body);
    return;
  }
  response.write(body.subarray(0, Math.floor(body.length / 2)), () => {
    if (fault === 'cut') response.destroy();
  });
}
