import cors from '@fastify/cors';
import type { FastifyInstance } from 'fastify';

const EXPOSED = ['X-Request-Id', 'Retry-After', 'Server-Timing', 'Location', 'ETag', 'Content-Disposition', 'Idempotent-Replayed'];

/** Lets browsers call the API from the configured origins. Keys travel in the request itself, so no credentials. */
export async function allowOrigins(server: FastifyInstance, origins: readonly string[]): Promise<void> {
  await server.register(cors, {
    origin: origins.includes('*') ? '*' : [...origins],
    methods: ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE'],
    exposedHeaders: EXPOSED,
    credentials: false,
    maxAge: 600,
    strictPreflight: false,
  });
}
