import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

/** A request as it arrived. */
export interface Arrival {
  readonly method: string;
  readonly url: URL;
  readonly rawUrl: string;
  readonly rawHeaders: string[];
  readonly body: string;
  readonly at: number;
}

export interface Reply {
  readonly status?: number;
  readonly json?: unknown;
  readonly text?: string;
  readonly headers?: Record<string, string>;
  /** Cut the connection in place of answering. */
  readonly cut?: boolean;
  /** Never answer. */
  readonly silent?: boolean;
}

/** A real HTTP server that answers by a script: one reply after the other, the last one for ever. */
export async function scriptedService(...script: (Reply | ((arrival: Arrival) => Reply | Promise<Reply>))[]) {
  const arrivals: Arrival[] = [];
  const answer = async (request: IncomingMessage, response: ServerResponse) => {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    const rawUrl = request.url ?? '/';
    const arrival: Arrival = {
      method: request.method ?? '',
      url: new URL(rawUrl, 'http://x'),
      rawUrl,
      rawHeaders: request.rawHeaders,
      body: Buffer.concat(chunks).toString(),
      at: Date.now(),
    };
    arrivals.push(arrival);
    const step = script[Math.min(arrivals.length, script.length) - 1];
    const reply = typeof step === 'function' ? await step(arrival) : (step ?? {});
    if (reply.cut) return void request.socket.destroy();
    if (reply.silent) return;
    response.writeHead(reply.status ?? 200, { 'content-type': 'application/json', ...reply.headers });
    response.end(reply.text ?? JSON.stringify(reply.json ?? {}));
  };
  const server = createServer((request, response) => void answer(request, response));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    baseUrl: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    arrivals,
    close: () =>
      new Promise<void>((resolve) => {
        server.closeAllConnections();
        server.close(() => resolve());
      }),
  };
}
