import type { FastifyError, FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import type { AppError } from '../../errors.ts';
import type { Job } from '../../jobs/job.ts';
import { isFinal } from '../../jobs/states.ts';
import { unauthorized } from '../access/credentials.ts';
import type { ServerDeps } from '../deps.ts';
import { parseJsonBody } from '../dialect/json-body.ts';
import { requiredQuery } from '../dialect/required-query.ts';
import { parseWireRequest } from '../dialect/wire-request.ts';
import { type EnvelopeAnswer, envelope, failedEnvelope, gatewayStatus, jobIdOf, notFoundAnswer, taskAnswer } from '../gateway/envelope.ts';
import { requireSignature } from '../gateway/gateway-auth.ts';
import { parsePushBody } from '../gateway/push-body.ts';
import { TaskNames } from '../gateway/task-names.ts';
import { acceptAnyBody } from '../plugins/any-body.ts';
import { errorOf, noteFailure } from '../plugins/errors.ts';
import { refuseOtherMethods } from '../plugins/other-methods.ts';
import { submitJob } from '../restoration/submit-job.ts';
import { PUSH_EXAMPLES, withExamples } from '../schemas/examples.ts';
import { PushRequest, TaskEnvelope } from '../schemas/gateway.ts';

const SCHEMA = { tags: ['gateway'] } as const;
/** The schemas describe; the dialect checks, because it tolerates what real clients send. */
const DESCRIBED = { validatorCompiler: () => () => true, serializerCompiler: () => (body: unknown) => JSON.stringify(body) } as const;
const ANSWERS = { 200: TaskEnvelope, 400: TaskEnvelope } as const;

/** The newer, signed gateway: submit and wait, submit, ask, and a self-test of the signature. */
export function gatewayRoutes(server: FastifyInstance, deps: ServerDeps): void {
  acceptAnyBody(server);
  requireSignature(server, deps);
  server.setErrorHandler((error: FastifyError, request, reply) => sendRefusal(errorOf(error, request), request, reply));
  const tasks = new TaskNames(deps.config);
  // The scope that counts is the task's; this one makes pushes work in hand while the server drains.
  const push = (summary: string) => ({
    ...DESCRIBED,
    config: { scope: 'gateway' },
    schema: { ...SCHEMA, summary, body: withExamples(PushRequest, PUSH_EXAMPLES), response: ANSWERS },
  });
  const query = { type: 'object', properties: { task_id: { type: 'string' } } };
  const status = { ...DESCRIBED, schema: { ...SCHEMA, summary: 'State or result of a task', querystring: query, response: ANSWERS } };

  server.post('/api/v1/sdk/push', push('Submit a task'), async (request, reply) => {
    const { job } = await submit(request, tasks, deps);
    return send(await taskAnswer(job, request, deps), reply);
  });

  server.post('/api/v1/sdk/sync/push', push('Submit a task and wait for its end'), async (request, reply) => {
    const { job, wait } = await submit(request, tasks, deps);
    const ended = (await deps.jobs.wait(job.id, job.keyId, wait, request.gone)) ?? job;
    return send(await taskAnswer(ended, request, deps, !isFinal(ended.state)), reply);
  });

  server.get('/api/v1/sdk/status', status, async (request, reply) => {
    const taskId = requiredQuery(request, 'task_id');
    const job = request.apiKey && (await deps.jobs.find(jobIdOf(taskId), request.apiKey.id));
    const answer = job ? await taskAnswer(job, request, deps) : notFoundAnswer(taskId, request);
    return send(answer, reply);
  });

  server.post('/demo/authorization', { schema: { ...SCHEMA, summary: 'Self-test of a signature' } }, async (request) =>
    envelope(request, null),
  );

  for (const path of ['/api/v1/sdk/push', '/api/v1/sdk/sync/push', '/demo/authorization']) refuseOtherMethods(server, path, ['POST']);
  refuseOtherMethods(server, '/api/v1/sdk/status', ['GET', 'HEAD']);
}

/** Checks in order: key (before), JSON, task, scope and rate, fields; then accepts the job. */
async function submit(request: FastifyRequest, tasks: TaskNames, deps: ServerDeps): Promise<{ job: Job; wait: number }> {
  const key = request.apiKey;
  if (!key) throw unauthorized();
  const body = parsePushBody(parseJsonBody(request.body));
  request.body = undefined;
  const { scope, mapParameter } = tasks.find(body.task);
  await deps.gatekeeper.admit(key, scope);
  const { maxEntries, gatewayTimeout } = deps.config;
  const wire = parseWireRequest(body.direct, { maxEntries, models: deps.models, ...(mapParameter ? { mapParameter } : {}) });
  const wanted = body.syncTimeout === undefined || body.syncTimeout === -1 ? gatewayTimeout : Math.min(body.syncTimeout, gatewayTimeout);
  return { job: await submitJob(wire, key, request, deps), wait: wanted * 1000 };
}

function send(answer: EnvelopeAnswer, reply: FastifyReply) {
  return reply.code(answer.status).send(answer.body);
}

function sendRefusal(error: AppError, request: FastifyRequest, reply: FastifyReply) {
  noteFailure(error, request);
  if (error.retryAfter !== undefined) reply.header('Retry-After', String(error.retryAfter));
  return reply.code(gatewayStatus(error)).send(failedEnvelope(request, error));
}
