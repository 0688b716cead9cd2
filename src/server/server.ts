import fastify, { type FastifyInstance, type FastifyReply, LogController } from 'fastify';
import type { ServerDeps } from './deps.ts';
import { NO_ROUTE } from './dialect/failure.ts';
import { logAccess } from './plugins/access-log.ts';
import { watchClient } from './plugins/client-gone.ts';
import { allowOrigins } from './plugins/cors.ts';
import { refuseWhileDraining } from './plugins/drain.ts';
import { answerErrors } from './plugins/errors.ts';
import { continueWhenChecked } from './plugins/expectation.ts';
import { describeApi } from './plugins/openapi.ts';
import { echoRequestId, requestId } from './plugins/request-id.ts';
import { traceRequests } from './plugins/trace.ts';
import { ROUTES, WORKER_ROUTES } from './routes/index.ts';
import './request-state.ts';

/** A whole request, headers and body, must have arrived within this time (slow-loris). */
const REQUEST_TIMEOUT = 120_000;
/** A socket may be silent for this long beyond the longest synchronous call. */
const SILENCE = 60_000;

/** The HTTP server with all routes, not yet listening. The order of plugins is the order of checks. */
export async function buildServer(deps: ServerDeps): Promise<FastifyInstance> {
  const server = fastify({
    loggerInstance: deps.logger,
    logController: new LogController({ disableRequestLogging: true, requestIdLogLabel: 'request_id' }),
    requestIdHeader: false,
    genReqId: requestId,
    trustProxy: deps.config.trustProxy,
    bodyLimit: deps.config.bodyLimit,
    requestTimeout: REQUEST_TIMEOUT,
    connectionTimeout: Math.max(deps.config.syncTimeout, deps.config.gatewayTimeout) * 1000 + SILENCE,
    keepAliveTimeout: 72_000,
    // Draining refuses with the family's own answer instead.
    return503OnClosing: false,
    forceCloseConnections: 'idle',
    routerOptions: { caseSensitive: false, ignoreTrailingSlash: true, ignoreDuplicateSlashes: true, maxParamLength: 200 },
    ajv: { customOptions: { coerceTypes: false, removeAdditional: false } },
    // A path that cannot even be decoded; hooks do not run for it.
    frameworkErrors: (_error, request, reply: FastifyReply) => void reply.code(404).header('X-Request-Id', request.id).send(NO_ROUTE),
  }) as unknown as FastifyInstance;
  server.decorateRequest('apiKey', null);
  echoRequestId(server);
  watchClient(server);
  logAccess(server, deps.metrics);
  traceRequests(server);
  answerErrors(server);
  await allowOrigins(server, deps.config.corsOrigins);
  refuseWhileDraining(server, deps.lifecycle);
  continueWhenChecked(server);
  const works = deps.config.role === 'worker';
  if (!works) await describeApi(server, deps.version);
  for (const routes of works ? WORKER_ROUTES : ROUTES) await server.register(async (scope) => routes(scope, deps));
  return server;
}
