// The summaries and tags of route schemas are declared by the OpenAPI plugin.
import type {} from '@fastify/swagger';
import type { ApiKey } from '../db/keys.ts';
import type { CallSpan } from '../observability/tracing.ts';
import type { Place } from '../workers/places.ts';

declare module 'fastify' {
  interface FastifyRequest {
    /** The identified key, on routes with a scope; null before the check and on open routes. */
    apiKey: ApiKey | null;
    /** Aborts with a ClientGone when the connection ends before the answer. */
    gone: AbortSignal;
    /** The request's span; null on quiet routes. */
    span: CallSpan | null;
    /** The place in the queue that is kept for the picture while it is received; null on routes that do not wait. */
    place: Place | null;
    /** Name of the failure this request is answered with, for logs; '' on success. */
    failure: string;
  }
  interface FastifyContextConfig {
    /** Interface name a key needs; a route without one is open to everybody. */
    scope?: string;
    /** The caller waits for restored pictures: refused before its body is read while there is no room for one. */
    waits?: boolean;
    /** Not logged (health checks and scrapes). */
    quiet?: boolean;
  }
}

/** The client closed the connection before the answer: nobody is left to answer. */
export class ClientGone extends Error {
  override readonly name = 'ClientGone';

  constructor() {
    super('the client closed the connection');
  }
}
