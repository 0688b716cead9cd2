import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import type { Metrics } from '../../observability/metrics.ts';

/** What nginx writes for a client that closed the connection; never sent. */
const CLIENT_GONE = 499;

/**
 * One log line, one metrics entry and the end of the span per exchange, when it has ended either way. The path is logged
 * without its query, which may hold credentials.
 */
export function logAccess(server: FastifyInstance, metrics: Metrics): void {
  server.decorateRequest('failure', '');
  server.addHook('onRequest', async (request, reply) => {
    const start = performance.now();
    reply.raw.once('close', () => {
      const status = request.gone.aborted ? CLIENT_GONE : reply.statusCode;
      const seconds = (performance.now() - start) / 1000;
      const figures = { route: routeOf(request), method: request.method, status, seconds, ...bytesOf(request, reply) };
      metrics.request(figures);
      request.span?.end(status, request.failure);
      if (request.routeOptions.config.quiet !== true) request.log.info(lineOf(request, figures), 'request');
    });
  });
}

/** The pattern, not the path: labels must stay few. */
function routeOf(request: FastifyRequest): string {
  return request.routeOptions.url ?? 'unmatched';
}

function bytesOf(request: FastifyRequest, reply: FastifyReply) {
  return { bytesIn: Number(request.headers['content-length'] ?? 0) || 0, bytesOut: Number(reply.getHeader('content-length') ?? 0) || 0 };
}

function lineOf(request: FastifyRequest, figures: { status: number; seconds: number; bytesIn: number; bytesOut: number }) {
  return {
    method: request.method,
    // Of a matched route the pattern: the path of a result is as good as a credential.
    path: request.routeOptions.url ?? request.url.split('?', 1)[0],
    status: figures.status,
    ms: Math.round(figures.seconds * 1000),
    bytes_in: figures.bytesIn,
    bytes_out: figures.bytesOut,
    ...(request.apiKey ? { key_name: request.apiKey.name } : {}),
    ...(request.span?.traceId === undefined ? {} : { trace_id: request.span.traceId }),
    ...(request.failure === '' ? {} : { failure: request.failure }),
  };
}
