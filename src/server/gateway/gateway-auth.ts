import type { FastifyInstance, FastifyRequest } from 'fastify';
import { type ApiKey, type KeyStore, keyIsValid } from '../../db/keys.ts';
import { findCredentials } from '../access/credentials.ts';
import type { ServerDeps } from '../deps.ts';
import { claimsSignature } from '../signature/authorization.ts';
import { verifySignature } from '../signature/verify.ts';

/**
 * Identifies the key of every request of this instance: by its signature when there is one, else by
 * key and secret. With a signature that is wrong the keys in the query do not help. Expects
 * `acceptAnyBody`: the signature covers the exact bytes.
 */
export function requireSignature(server: FastifyInstance, deps: Pick<ServerDeps, 'keys' | 'gatekeeper'>): void {
  // Keys outside the body are checked before the body is read.
  server.addHook('onRequest', async (request) => {
    if (claimsSignature(request.headers.authorization)) return;
    request.apiKey = await deps.gatekeeper.identify(findCredentials({ query: request.query, headers: request.headers }));
  });
  server.addHook('preHandler', async (request) => {
    request.apiKey ??= await verifiedKey(request, deps.keys);
  });
}

function verifiedKey(request: FastifyRequest, keys: KeyStore): Promise<ApiKey> {
  return verifySignature(
    {
      method: request.method,
      url: request.originalUrl,
      rawHeaders: request.raw.rawHeaders,
      body: Buffer.isBuffer(request.body) ? request.body : new Uint8Array(),
    },
    { now: Date.now(), findKey: (accessKey) => usableKey(accessKey, keys) },
  );
}

async function usableKey(accessKey: string, keys: KeyStore) {
  const key = await keys.find(accessKey);
  const secret = key && keyIsValid(key) ? await keys.secretOf(accessKey) : undefined;
  return key && secret !== undefined ? { key, secret } : undefined;
}
