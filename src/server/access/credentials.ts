import type { IncomingHttpHeaders } from 'node:http';
import { AppError } from '../../errors.ts';
import type { WireObject } from '../dialect/json-body.ts';

/** A key and secret as a client presented them. */
export interface Credentials {
  readonly key: string;
  readonly secret: string;
}

/** The places credentials may come from. Each half is taken from the first place that has it. */
export interface CredentialPlaces {
  readonly query?: unknown;
  readonly headers?: IncomingHttpHeaders;
  readonly body?: WireObject;
}

const MAX_LENGTH = 512;

/**
 * Looks for `api_key` and `api_secret` in the query, then in the headers `X-Api-Key` and
 * `X-Api-Secret`, then in the JSON body. Undefined when a half is nowhere.
 * @throws AppError GATEWAY_AUTHORIZED_ERROR when a place holds two different values
 */
export function findCredentials(places: CredentialPlaces): Credentials | undefined {
  const query = (places.query ?? {}) as Record<string, unknown>;
  const key = one(query.api_key, 'api_key') ?? one(places.headers?.['x-api-key'], 'X-Api-Key') ?? one(places.body?.api_key, 'api_key');
  const secret =
    one(query.api_secret, 'api_secret') ??
    one(places.headers?.['x-api-secret'], 'X-Api-Secret') ??
    one(places.body?.api_secret, 'api_secret');
  return key !== undefined && secret !== undefined ? { key, secret } : undefined;
}

/** The answer to a request without usable credentials; the same words whatever was wrong with them. */
export function unauthorized(message = 'api_key and api_secret are missing, unknown, wrong, revoked, disabled or expired.'): AppError {
  return new AppError('GATEWAY_AUTHORIZED_ERROR', message);
}

function one(value: unknown, name: string): string | undefined {
  const values = [...new Set(Array.isArray(value) ? value : [value])];
  if (values.length > 1) throw unauthorized(`${name} is given ${values.length} times with different values.`);
  const [only] = values;
  return typeof only === 'string' && only !== '' && only.length <= MAX_LENGTH ? only : undefined;
}
