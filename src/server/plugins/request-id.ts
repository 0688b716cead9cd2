import { randomUUID } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import type { FastifyInstance } from 'fastify';

const SAFE = /^[A-Za-z0-9._:/=+@-]{1,128}$/;

/** The client's `X-Request-Id` if it is short and harmless, else a new one. */
export function requestId(raw: Pick<IncomingMessage, 'headers'>): string {
  const sent = raw.headers['x-request-id'];
  return typeof sent === 'string' && SAFE.test(sent) ? sent : randomUUID();
}

/** Echoes the id on every answer, failures included. */
export function echoRequestId(server: FastifyInstance): void {
  server.addHook('onRequest', async (request, reply) => {
    reply.header('X-Request-Id', request.id);
  });
}
