import type { FastifyInstance } from 'fastify';
import { startCall } from '../../observability/tracing.ts';

/**
 * One span per request, health checks and scrapes excepted; the handler and all it calls run inside it.
 * It ends where the exchange is logged.
 */
export function traceRequests(server: FastifyInstance): void {
  server.decorateRequest('span', null);
  server.addHook('onRequest', async (request) => {
    const { config, url } = request.routeOptions;
    if (config.quiet === true) return;
    request.span = startCall({ method: request.method, route: url ?? 'unmatched', headers: request.headers });
  });
  // Entered only here: bodies arrive in the context of their socket, not in that of earlier hooks.
  server.addHook('preHandler', (request, _reply, done) => (request.span ? request.span.with(done) : done()));
}
