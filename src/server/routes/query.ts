import type { FastifyInstance } from 'fastify';
import { findCredentials } from '../access/credentials.ts';
import type { ServerDeps } from '../deps.ts';
import { requiredQuery } from '../dialect/required-query.ts';
import { refuseOtherMethods } from '../plugins/other-methods.ts';
import { queryAnswer, unknownJob } from '../restoration/job-answer.ts';
import { AiqualitySuccess, Failure } from '../schemas/aiquality.ts';

const PATH = '/v1/query';

/**
 * `GET` or `POST /v1/query?msg_id=…`, without body and content type. Any valid key may ask, for its
 * own jobs; questions do not count as calls, and are answered while the server drains.
 */
export function queryRoute(server: FastifyInstance, deps: ServerDeps): void {
  server.route({
    method: ['GET', 'POST'],
    url: PATH,
    schema: {
      summary: 'The result of an asynchronous call',
      tags: ['v1'],
      querystring: { type: 'object', properties: { msg_id: { type: 'string' } } },
      response: { 200: AiqualitySuccess, 400: Failure },
    },
    validatorCompiler: () => () => true,
    serializerCompiler: () => (body) => JSON.stringify(body),
    handler: async (request, reply) => {
      const key = await deps.gatekeeper.identify(findCredentials({ query: request.query, headers: request.headers }));
      request.apiKey = key;
      const job = await deps.jobs.find(requiredQuery(request, 'msg_id'), key.id);
      if (!job) throw unknownJob();
      const answer = await queryAnswer(job, request.id, deps);
      return reply.code(answer.status).send(answer.body);
    },
  });
  refuseOtherMethods(server, PATH, ['GET', 'HEAD', 'POST']);
}
