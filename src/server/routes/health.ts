import type { FastifyInstance } from 'fastify';
import { databaseAnswers } from '../../db/answers.ts';
import type { ServerDeps } from '../deps.ts';

/**
 * `/livez`: the process answers. `/readyz` (and `/health`): it can do its work; 503 while draining,
 * without a child process that is ready (but for role api, which has none), or without its database.
 * That the queue's server is away makes nobody unready: jobs are accepted and run without it, later.
 * `/metrics`: Prometheus text.
 */
export function healthRoutes(server: FastifyInstance, deps: ServerDeps): void {
  const open = (summary: string) => ({ config: { quiet: true }, schema: { summary, tags: ['operations'] } });
  server.get('/livez', open('The process is alive'), async () => ({ status: 'ok', version: deps.version }));
  for (const path of ['/readyz', '/health']) {
    server.get(path, open('The process can take work'), async (_request, reply) => {
      const checks = await readiness(deps);
      const ready = Object.values(checks).every((check) => check === 'ok');
      return reply.code(ready ? 200 : 503).send({ status: ready ? 'ok' : 'unavailable', version: deps.version, checks });
    });
  }
  if (!deps.config.metrics) return;
  server.get('/metrics', open('Prometheus metrics'), async (_request, reply) =>
    reply.type(deps.metrics.contentType).send(await deps.metrics.scrape()),
  );
}

async function readiness(deps: ServerDeps): Promise<Record<string, string>> {
  return {
    accepting: deps.lifecycle.draining ? 'draining' : 'ok',
    // What one server has no children for others do; without them it still accepts jobs and gives results.
    ...(deps.config.role === 'api' ? {} : { workers: deps.restorer.stats().children > 0 ? 'ok' : 'none is ready' }),
    database: await databaseAnswers(deps.db),
  };
}
