import type { FastifyInstance, FastifyRequest } from 'fastify';
import type { ServerDeps } from '../deps.ts';
import { parseJsonBody, type WireObject } from '../dialect/json-body.ts';
import { parseWireRequest, type WireRequest } from '../dialect/wire-request.ts';
import { refuseOtherMethods } from '../plugins/other-methods.ts';
import { restoreAndAnswer } from '../restoration/sync-call.ts';
import { AiqualityRequest, AiqualitySuccess, Failure } from '../schemas/aiquality.ts';
import { AIQUALITY_EXAMPLES, SIBLING_EXAMPLES, withExamples } from '../schemas/examples.ts';

/** A synchronous route of the family: the documented one, or a sibling with parameters of its own. */
export interface SyncRouteSpec {
  readonly path: string;
  /** Interface name that a key's scopes know. */
  readonly scope: string;
  readonly summary: string;
  readonly mapParameter?: (parameter: WireObject) => WireObject;
}

/** `POST /v1/aiquality`, the documented interface. */
export const AIQUALITY: SyncRouteSpec = {
  path: '/v1/aiquality',
  scope: 'aiquality',
  summary: 'Restore pictures and wait for the result (documented interface)',
};

/** Registers one synchronous route; expects an instance with `acceptAnyBody` and `requireKey`. */
export function syncRoute(server: FastifyInstance, deps: ServerDeps, spec: SyncRouteSpec): void {
  server.post(
    spec.path,
    {
      config: { scope: spec.scope, waits: true },
      schema: {
        summary: spec.summary,
        tags: ['v1'],
        body: withExamples(AiqualityRequest, spec.mapParameter ? SIBLING_EXAMPLES : AIQUALITY_EXAMPLES),
        response: { 200: AiqualitySuccess, 400: Failure },
      },
      // The schema describes; the dialect checks, because it tolerates what real clients send.
      validatorCompiler: () => () => true,
      serializerCompiler: () => (body) => JSON.stringify(body),
    },
    (request, reply) => restoreAndAnswer(readWireRequest(request, deps, spec), request, reply, deps),
  );
  refuseOtherMethods(server, spec.path, ['POST']);
}

/**
 * The body of a family route, understood. It is let go of here: with base64 sources it is the
 * largest thing in memory, and a call may wait in the queue for long.
 * @throws AppError PARAM_JSON_DECODE_ERROR and those of the field checks
 */
export function readWireRequest(request: FastifyRequest, deps: ServerDeps, spec: Pick<SyncRouteSpec, 'mapParameter'>): WireRequest {
  const body = parseJsonBody(request.body);
  request.body = undefined;
  return parseWireRequest(body, {
    maxEntries: deps.config.maxEntries,
    models: deps.models,
    ...(spec.mapParameter ? { mapParameter: spec.mapParameter } : {}),
  });
}
