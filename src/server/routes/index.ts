import type { FastifyInstance } from 'fastify';
import type { ServerDeps } from '../deps.ts';
import { acceptAnyBody } from '../plugins/any-body.ts';
import { requireKey } from '../plugins/auth.ts';
import { refuseKnownWhenFull, refuseWhenFull } from '../plugins/room.ts';
import { syncRoute } from './aiquality.ts';
import { asyncRoute } from './async.ts';
import { familyInterfaces } from './family.ts';
import { gatewayRoutes } from './gateway.ts';
import { healthRoutes } from './health.ts';
import { modelRoutes } from './models.ts';
import { queryRoute } from './query.ts';
import { resultRoutes } from './results.ts';
import { usageRoute } from './usage.ts';
import { v2Routes } from './v2.ts';

/** A group of routes; each registers itself in a scope of its own. */
export type RouteGroup = (server: FastifyInstance, deps: ServerDeps) => void | Promise<void>;

/** The interface family under `/v1`: raw bodies, keys in query, headers or body. */
const family: RouteGroup = (server, deps) => {
  acceptAnyBody(server);
  refuseKnownWhenFull(server, deps);
  requireKey(server, deps.gatekeeper);
  refuseWhenFull(server, deps);
  for (const spec of familyInterfaces(deps.config)) {
    syncRoute(server, deps, spec);
    asyncRoute(server, deps, spec);
  }
  queryRoute(server, deps);
  usageRoute(server, deps);
};

/** Everything the server answers, group by group. */
export const ROUTES: readonly RouteGroup[] = [healthRoutes, modelRoutes, resultRoutes, family, gatewayRoutes, v2Routes];

/** What a process answers that takes its work from the queue. */
export const WORKER_ROUTES: readonly RouteGroup[] = [healthRoutes];
