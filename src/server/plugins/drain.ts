import type { FastifyInstance } from 'fastify';
import { AppError } from '../../errors.ts';
import type { Lifecycle } from '../lifecycle.ts';

/** Seconds after which a client may try again; by then another process has taken over. */
const RETRY_AFTER = 5;

/**
 * Counts the requests of routes with a scope as work in hand, and refuses new ones while draining. Every answer
 * ends its connection from then on: one that became idle after the server has begun to close would be waited for.
 */
export function refuseWhileDraining(server: FastifyInstance, lifecycle: Lifecycle): void {
  server.addHook('onRequest', async (request, reply) => {
    if (request.routeOptions.config.scope === undefined) return;
    if (lifecycle.draining) {
      throw new AppError('ALGORITHM_OVER_CONCURRENT', 'The server is shutting down.', { retryAfter: RETRY_AFTER });
    }
    reply.raw.once('close', lifecycle.enter());
  });
  server.addHook('onSend', async (_request, reply) => {
    if (lifecycle.draining) reply.header('Connection', 'close');
  });
}
