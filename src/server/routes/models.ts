import type { FastifyInstance } from 'fastify';
import type { ServerDeps } from '../deps.ts';
import { documentedLimits } from '../restoration/limits.ts';

/** `GET /v1/models`: the networks a request may name, and the limits of the documented interface. */
export function modelRoutes(server: FastifyInstance, deps: ServerDeps): void {
  server.get('/v1/models', { schema: { summary: 'Networks and limits', tags: ['v1'] } }, async () => ({
    default: deps.config.model,
    models: deps.models.list().map(({ manifest, origin }) => ({
      name: manifest.name,
      version: manifest.version,
      task: manifest.task,
      description: manifest.description,
      scale: manifest.scale,
      tier: manifest.tier ?? null,
      cost: manifest.cost,
      licence: manifest.licence,
      origin,
    })),
    limits: { ...documentedLimits(deps.config), maxEntries: deps.config.maxEntries, bodyLimit: deps.config.bodyLimit },
  }));
}
