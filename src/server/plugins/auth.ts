import type { FastifyInstance, FastifyRequest } from 'fastify';
import { findCredentials, unauthorized } from '../access/credentials.ts';
import type { Gatekeeper } from '../access/gatekeeper.ts';
import { parseJsonBody, type WireObject } from '../dialect/json-body.ts';

/**
 * Checks the key on every route of this instance that has a scope, for the interface family's
 * query, header and body credentials. With credentials outside the body the check comes before the
 * body is read; else the body is read first, because the key may be in it.
 */
export function requireKey(server: FastifyInstance, gatekeeper: Gatekeeper): void {
  server.addHook('onRequest', async (request) => {
    const scope = request.routeOptions.config.scope;
    const credentials = scope === undefined ? undefined : findCredentials({ query: request.query, headers: request.headers });
    if (scope === undefined || !credentials) return;
    request.apiKey = await gatekeeper.identify(credentials);
    await gatekeeper.admit(request.apiKey, scope);
  });
  server.addHook('preHandler', async (request) => {
    const scope = request.routeOptions.config.scope;
    if (scope === undefined || request.apiKey) return;
    const body = bodyWithKey(request);
    request.apiKey = await gatekeeper.identify(body && findCredentials({ query: request.query, headers: request.headers, body }));
    await gatekeeper.admit(request.apiKey, scope);
  });
}

/** A body that is no JSON holds no key: the answer is the missing key's, which is checked first. */
function bodyWithKey(request: FastifyRequest): WireObject | undefined {
  if (!Buffer.isBuffer(request.body)) return undefined;
  try {
    return parseJsonBody(request.body);
  } catch {
    throw unauthorized();
  }
}
