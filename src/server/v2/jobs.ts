import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { AppError } from '../../errors.ts';
import type { Job } from '../../jobs/job.ts';
import { isFinal } from '../../jobs/states.ts';
import type { ServerDeps } from '../deps.ts';
import { refuseOtherMethods } from '../plugins/other-methods.ts';
import { V2Job } from '../schemas/v2.ts';
import { keyOf } from './access.ts';
import { jobEvents } from './events.ts';
import { viewJob } from './job-view.ts';
import { sendObject } from './object.ts';
import { PROBLEMS, SECURITY } from './restore-schema.ts';

type Request = FastifyRequest<{ Params: { id: string } }>;

const JOB = { description: 'The job.', content: { 'application/json': { schema: V2Job } } } as const;
const PICTURE = { description: 'The picture file.', content: { 'image/*': { schema: { type: 'string', format: 'binary' } } } } as const;
const STREAM = { description: 'Server-sent events.', content: { 'text/event-stream': { schema: { type: 'string' } } } } as const;

/** `/v2/jobs/{id}` and what hangs on it. A job of another key is as unknown as one that never was. */
export function jobRoutes(server: FastifyInstance, deps: ServerDeps): void {
  const find = async (request: Request): Promise<Job> => {
    const job = await deps.jobs.find(request.params.id, keyOf(request).id);
    if (!job) throw new AppError('TASK_NOEXIST', 'There is no such job, or its time is over.');
    return job;
  };
  const view = async (request: Request, reply: FastifyReply, job: Job) => {
    if (!isFinal(job.state)) reply.header('Retry-After', '1');
    return reply.header('Cache-Control', 'no-store').send(await viewJob(job, request, deps));
  };

  server.get('/v2/jobs/:id', options('getJob', 'State of a job', JOB), async (request: Request, reply) =>
    view(request, reply, await find(request)),
  );
  server.delete('/v2/jobs/:id', options('cancelJob', 'Cancel a job; its computation stops', JOB), async (request: Request, reply) => {
    const job = await find(request);
    return view(request, reply, (await deps.jobs.cancel(job.id, job.keyId)) ?? job);
  });
  server.get(
    '/v2/jobs/:id/events',
    options('watchJob', 'Progress of a job as server-sent events', STREAM),
    async (request: Request, reply) => {
      const job = await find(request);
      reply.header('Cache-Control', 'no-store').header('X-Accel-Buffering', 'no').type('text/event-stream; charset=utf-8');
      return reply.send(
        jobEvents({
          changes: deps.jobs.watch(job.id, job.keyId, request.gone),
          view: (one) => viewJob(one, request, deps),
          signal: request.gone,
          isDraining: () => deps.lifecycle.draining,
        }),
      );
    },
  );
  server.get('/v2/jobs/:id/result', options('getResult', 'The restored picture of a job', PICTURE), async (request: Request, reply) => {
    const job = await find(request);
    if (job.failure) throw new AppError(job.failure.kind, job.failure.message);
    const result = job.results?.[0];
    if (!result) throw new AppError('NOT_RESULT', `The job is ${job.state} and has no result.`);
    return sendObject(result.object, request, reply, deps);
  });
  server.get('/v2/jobs/:id/source', options('getSource', 'The picture a job was given', PICTURE), async (request: Request, reply) => {
    const source = (await find(request)).pictures[0]?.source;
    if (!source || !('object' in source)) throw new AppError('TASK_NOEXIST', 'The source of this job is not kept.');
    return sendObject(source.object, request, reply, deps);
  });
  refuseOtherMethods(server, '/v2/jobs/:id', ['GET', 'HEAD', 'DELETE']);
}

function options(operationId: string, summary: string, answer: object) {
  return {
    config: { scope: 'restore', free: true },
    schema: {
      ...{ operationId, summary, tags: ['v2'], security: SECURITY },
      params: { type: 'object', properties: { id: { type: 'string' } } },
      response: { 200: answer, ...PROBLEMS },
    },
    serializerCompiler: () => JSON.stringify,
  } as const;
}
