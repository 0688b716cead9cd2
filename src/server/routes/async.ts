import type { FastifyInstance } from 'fastify';
import { Type } from '../../schema.ts';
import { unauthorized } from '../access/credentials.ts';
import type { ServerDeps } from '../deps.ts';
import { refuseOtherMethods } from '../plugins/other-methods.ts';
import { submitJob } from '../restoration/submit-job.ts';
import { AiqualityRequest, Failure } from '../schemas/aiquality.ts';
import { ASYNC_EXAMPLES, withExamples } from '../schemas/examples.ts';
import { readWireRequest, type SyncRouteSpec } from './aiquality.ts';

const Submitted = Type.Object({ msg_id: Type.String({ description: 'Id to ask `/v1/query` with.' }) });

/** Registers `PATH_async`: the body of the synchronous form, answered by an id. */
export function asyncRoute(server: FastifyInstance, deps: ServerDeps, spec: SyncRouteSpec): void {
  const path = `${spec.path}_async`;
  server.post(
    path,
    {
      config: { scope: spec.scope },
      schema: {
        summary: `${spec.path}, answered by an id to ask for the result with`,
        tags: ['v1'],
        body: withExamples(AiqualityRequest, ASYNC_EXAMPLES),
        response: { 200: Submitted, 400: Failure },
      },
      // As in the synchronous form, the dialect checks.
      validatorCompiler: () => () => true,
      serializerCompiler: () => (body) => JSON.stringify(body),
    },
    async (request) => {
      if (!request.apiKey) throw unauthorized();
      const job = await submitJob(readWireRequest(request, deps, spec), request.apiKey, request, deps);
      return { msg_id: job.id };
    },
  );
  refuseOtherMethods(server, path, ['POST']);
}
