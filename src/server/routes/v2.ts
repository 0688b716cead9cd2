import multipart from '@fastify/multipart';
import type { FastifyInstance } from 'fastify';
import { AppError } from '../../errors.ts';
import type { ServerDeps } from '../deps.ts';
import { studioPage } from '../studio/page.ts';
import { createStudioSession } from '../studio/session.ts';
import { requireAccess } from '../v2/access.ts';
import { jobRoutes } from '../v2/jobs.ts';
import { answerNoRoute, answerProblem } from '../v2/problem.ts';
import { restoreRoute } from '../v2/restore.ts';

/** The modern surface under `/v2` and the studio page that uses it. */
export async function v2Routes(server: FastifyInstance, deps: ServerDeps): Promise<void> {
  const session = createStudioSession(deps.config, deps.keys);
  await server.register(async (scope) => {
    scope.setErrorHandler(answerProblem);
    await acceptBodies(scope, deps.config.v2MaxFileBytes);
    requireAccess(scope, deps.gatekeeper, session);
    restoreRoute(scope, deps);
    jobRoutes(scope, deps);
  });
  await server.register(async (scope) => void scope.setNotFoundHandler(answerNoRoute), { prefix: '/v2' });
  await server.register(async (scope) => studioPage(scope, deps, session));
}

/** Forms, JSON, and any picture type as raw bytes; other types are refused by name. */
async function acceptBodies(scope: FastifyInstance, maxFileBytes: number): Promise<void> {
  await scope.register(multipart, {
    limits: { fileSize: maxFileBytes, files: 2, fields: 32, fieldSize: 64 * 1024, headerPairs: 64 },
    throwFileSizeLimit: true,
  });
  scope.addContentTypeParser(/^image\/|^application\/octet-stream/, { parseAs: 'buffer' }, (_request, body, done) => done(null, body));
  scope.addContentTypeParser('*', (request, _payload, done) => {
    const sent = request.headers['content-type'];
    done(
      new AppError(
        'PARAM_TYPE_ERROR',
        `Content-Type: expected multipart/form-data, image/* or application/json, received ${sent ?? 'none'}.`,
      ),
    );
  });
}
