import type { FastifyInstance, FastifyRequest } from 'fastify';
import { toAppError } from '../../errors.ts';
import type { ServerDeps } from '../deps.ts';

/**
 * Refuses a call that waits for its pictures while one of the usual cost could not be done in time:
 * before its body is read, so that under overload the processor restores pictures instead of reading
 * those that are refused; and again before the body is understood, which may have taken long to come.
 * After the checks of the key: a stranger is told nothing of the load.
 */
export function refuseWhenFull(server: FastifyInstance, deps: Pick<ServerDeps, 'config' | 'restorer' | 'metrics'>): void {
  const check = async (request: FastifyRequest) => {
    if (!request.routeOptions.config.waits || !request.apiKey) return;
    try {
      deps.restorer.checkRoom(deps.config.syncTimeout * 1000);
    } catch (error) {
      deps.metrics.picture({ outcome: toAppError(error).kind });
      throw error;
    }
  };
  server.addHook('onRequest', check);
  server.addHook('preHandler', check);
}
