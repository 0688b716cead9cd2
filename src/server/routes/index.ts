import type { FastifyInstance } from 'fastify';
import type { ServerDeps } from '../deps.ts';
import { acceptAnyBody } from '../plugins/any-body.ts';
import { requireKey } from '../plugins/auth.ts';
import { AIQUALITY, syncRoute } from './aiquality.ts';
import { healthRoutes } from './health.ts';
import { modelRoutes } from './models.ts';
import { resultRoutes } from './results.ts';

/** A group of routes; each registers itself in a scope of its own. */
export type RouteGroup = (server: FastifyInstance, deps: ServerDeps) => void | Promise<void>;

/** The interface family under `/v1`: raw bodies, keys in query, headers or body. */
const family: RouteGroup = (server, deps) => {
  acceptAnyBody(server);
  requireKey(server, deps.gatekeeper);
  syncRoute(server, deps, AIQUALITY);
};

/** Everything the server answers, group by group. */
export const ROUTES: readonly RouteGroup[] = [healthRoutes, modelRoutes, resultRoutes, family];
