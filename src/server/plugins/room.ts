import type { FastifyInstance, FastifyRequest } from 'fastify';
import { type AppError, toAppError } from '../../errors.ts';
import { findCredentials } from '../access/credentials.ts';
import type { ServerDeps } from '../deps.ts';
import { restoringTime } from '../restoration/restoring-time.ts';

type Deps = Pick<ServerDeps, 'config' | 'restorer' | 'metrics' | 'gatekeeper'>;

/**
 * Refuses a known caller while there is no room, before the key is looked up: under overload nine of ten
 * calls end here, and the database would be half of what they cost. Scope and rate are checked all the
 * same. A key that was not used within the last second takes the usual way, as does one that is in the body.
 */
export function refuseKnownWhenFull(server: FastifyInstance, deps: Deps): void {
  const time = restoringTime(deps.config);
  server.addHook('onRequest', async (request) => {
    const { scope, waits } = request.routeOptions.config;
    if (!waits || scope === undefined) return;
    const refusal = refusalOf(() => deps.restorer.checkRoom(time));
    const credentials = refusal && findCredentials({ query: request.query, headers: request.headers });
    const key = credentials && deps.gatekeeper.recall(credentials);
    if (!key) return;
    request.apiKey = key;
    await deps.gatekeeper.admit(key, scope);
    deps.metrics.picture({ outcome: refusal.kind });
    throw refusal;
  });
}

/**
 * Refuses a call that waits for its pictures while one of the usual cost could not be done in time:
 * before its body is read, so that under overload the processor restores pictures instead of reading
 * those that are refused. For a call that is let in a place is kept; where none is kept any more when the
 * body has come, because that took long or the key was in it, the same question is asked again.
 * After the checks of the key: a stranger is told nothing of the load.
 */
export function refuseWhenFull(server: FastifyInstance, deps: Deps): void {
  const time = restoringTime(deps.config);
  const check = async (request: FastifyRequest) => {
    if (!request.routeOptions.config.waits || !request.apiKey || request.place?.isKept) return;
    const refusal = refusalOf(() => {
      request.place = deps.restorer.keepPlace(time);
    });
    if (!refusal) return;
    deps.metrics.picture({ outcome: refusal.kind });
    throw refusal;
  };
  server.decorateRequest('place', null);
  server.addHook('onRequest', check);
  server.addHook('preHandler', check);
  server.addHook('onResponse', async (request) => request.place?.giveUp());
}

function refusalOf(work: () => void): AppError | undefined {
  try {
    work();
    return undefined;
  } catch (error) {
    return toAppError(error);
  }
}
