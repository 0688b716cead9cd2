import type { FastifyInstance, FastifyRequest } from 'fastify';
import { type ApiKey, keyAllows } from '../../db/keys.ts';
import { AppError } from '../../errors.ts';
import { type Credentials, findCredentials, unauthorized } from '../access/credentials.ts';
import type { Gatekeeper } from '../access/gatekeeper.ts';
import type { StudioSession } from '../studio/session.ts';

declare module 'fastify' {
  interface FastifyContextConfig {
    /** Costs nothing of the key's calls per second: looking at a job one has already paid for. */
    free?: boolean;
  }
}

/** Checks the key before the body is read: bearer token, X-Api-Key pair, query, or the studio page's session. */
export function requireAccess(server: FastifyInstance, gatekeeper: Gatekeeper, studio: StudioSession): void {
  server.addHook('onRequest', async (request) => {
    // Some clients name a type even where there is no body; it would be parsed and refused.
    if (request.method === 'DELETE') delete request.raw.headers['content-type'];
    const { scope, free } = request.routeOptions.config;
    if (scope === undefined) return;
    const local = await studio.keyOf(request);
    request.apiKey = local ?? (await gatekeeper.identify(credentialsOf(request)));
    if (free === true) checkScope(request.apiKey, scope);
    else await gatekeeper.admit(request.apiKey, scope);
  });
}

/** The key of a request on a route with a scope. */
export function keyOf(request: FastifyRequest): ApiKey {
  if (request.apiKey === null) throw unauthorized();
  return request.apiKey;
}

/** `Authorization: Bearer KEY.SECRET` (RFC 6750), else the family's places. */
function credentialsOf(request: FastifyRequest): Credentials | undefined {
  const bearer = /^bearer\s+([^.\s]+)\.(\S+)$/i.exec(request.headers.authorization ?? '');
  if (bearer) return { key: bearer[1] ?? '', secret: bearer[2] ?? '' };
  return findCredentials({ query: request.query, headers: request.headers });
}

function checkScope(key: ApiKey, scope: string): void {
  if (keyAllows(key, scope)) return;
  throw new AppError('GATEWAY_AUTHORIZED_NOT_MATCH', `This key may not use ${scope}; it may use ${key.scopes.join(', ') || 'nothing'}.`);
}
