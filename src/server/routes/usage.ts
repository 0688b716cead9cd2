import type { FastifyInstance } from 'fastify';
import { readQuotas, readUsage } from '../../jobs/usage.ts';
import { findCredentials } from '../access/credentials.ts';
import type { ServerDeps } from '../deps.ts';
import { notAllowed } from '../dialect/loose-values.ts';
import { refuseOtherMethods } from '../plugins/other-methods.ts';

const PATH = '/v1/usage';

/** `GET /v1/usage[?from=2026-11-01&to=2026-11-30]`: what the asking key used per day, and where its quotas stand. */
export function usageRoute(server: FastifyInstance, deps: ServerDeps): void {
  server.get(PATH, { schema: { summary: 'Usage and quotas of the asking key', tags: ['v1'] } }, async (request) => {
    const key = await deps.gatekeeper.identify(findCredentials({ query: request.query, headers: request.headers }));
    request.apiKey = key;
    const query = request.query as Record<string, unknown>;
    const days = await readUsage(deps.db, { key: key.id, from: dayOption(query, 'from'), to: dayOption(query, 'to') });
    return {
      name: key.name,
      quotas: await readQuotas(deps.db, key, Date.now()),
      limits: { calls_per_second: key.qps, concurrent: key.concurrentLimit, expires_at: isoOrNull(key.expiresAt) },
      days: days.map(({ key: _, ...day }) => day),
    };
  });
  refuseOtherMethods(server, PATH, ['GET', 'HEAD']);
}

/** @throws AppError PARAM_VALUE_ERROR */
function dayOption(query: Record<string, unknown>, name: string): string | undefined {
  const value = query[name];
  if (value === undefined || value === '') return undefined;
  if (typeof value !== 'string' || !/^\d{4}-\d{2}-\d{2}$/.test(value)) throw notAllowed(name, 'a day such as 2026-11-22', value);
  return value;
}

function isoOrNull(time: number | null): string | null {
  return time === null ? null : new Date(time).toISOString();
}
