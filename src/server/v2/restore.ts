import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { AppError } from '../../errors.ts';
import type { Job } from '../../jobs/job.ts';
import { isFinal } from '../../jobs/states.ts';
import type { ServerDeps } from '../deps.ts';
import { refuseOtherMethods } from '../plugins/other-methods.ts';
import { ClientGone } from '../request-state.ts';
import { serverTiming } from '../server-timing.ts';
import { type Form, readAccept } from './accept.ts';
import { keyOf } from './access.ts';
import { jobPath, viewJob } from './job-view.ts';
import { sendObject } from './object.ts';
import { complete } from './options.ts';
import { type Preference, readPrefer } from './prefer.ts';
import { RESTORE_SCHEMA } from './restore-schema.ts';
import { readSubmission } from './source.ts';
import { idempotencyKeyOf, submit } from './submit.ts';

const PATH = '/v2/restore';
/** Base64 is a third longer than its bytes; the rest of a JSON or form body is small. */
const BODY_FACTOR = 1.4;

/** `POST /v2/restore`: a picture in, the restored picture (or JSON about it) out. */
export function restoreRoute(server: FastifyInstance, deps: ServerDeps): void {
  const bodyLimit = Math.max(deps.config.bodyLimit, Math.ceil(deps.config.v2MaxFileBytes * BODY_FACTOR));
  server.post(
    PATH,
    {
      bodyLimit,
      config: { scope: 'restore' },
      schema: RESTORE_SCHEMA,
      validatorCompiler: () => () => true,
      serializerCompiler: () => JSON.stringify,
    },
    (request, reply) => restore(request, reply, deps),
  );
  refuseOtherMethods(server, PATH, ['POST']);
}

async function restore(request: FastifyRequest, reply: FastifyReply, deps: ServerDeps) {
  const form = readAccept(request.headers.accept);
  const prefer = readPrefer(request.headers.prefer);
  const submission = await readSubmission(request, deps);
  const options = complete(submission.options, form.kind === 'picture' ? form.format : undefined);
  // Who takes no 202 wants the result within the time, or to be told at once.
  if (!prefer.respondAsync && prefer.wait === undefined) {
    await deps.jobs.checkRoom(submission.pixels, deps.config.syncTimeout * 1000);
  }
  const { job, replayed } = await submit(submission, options, request, deps);
  if (replayed) reply.header('Idempotent-Replayed', 'true');
  if (prefer.respondAsync) {
    reply.header('Preference-Applied', 'respond-async');
    return answerLater(job, request, reply, deps);
  }
  const ended = await waitFor(job, prefer, request, deps);
  return isFinal(ended.state) ? answer(ended, form, request, reply, deps) : answerLater(ended, request, reply, deps);
}

/**
 * Waits for the end of a job. A client that leaves takes its job with it, unless it can come back for
 * it by its idempotency key; one that did not name a time gets 504 at ours, and the compute stops.
 */
async function waitFor(job: Job, prefer: Preference, request: FastifyRequest, deps: ServerDeps): Promise<Job> {
  const key = keyOf(request).id;
  const seconds = Math.min(prefer.wait ?? deps.config.syncTimeout, deps.config.syncTimeout);
  const now = await deps.jobs.wait(job.id, key, seconds * 1000, request.gone);
  if (request.gone.aborted) {
    if (idempotencyKeyOf(request) === undefined) await deps.jobs.cancel(job.id, key);
    throw new ClientGone();
  }
  if (now !== undefined && (isFinal(now.state) || prefer.wait !== undefined)) return now;
  await deps.jobs.cancel(job.id, key);
  throw new AppError('GATEWAY_TIMEOUT', `The restoration took longer than ${seconds} s; ask with "Prefer: respond-async".`);
}

async function answerLater(job: Job, request: FastifyRequest, reply: FastifyReply, deps: ServerDeps) {
  reply.code(202).header('Location', jobPath(job.id)).header('Retry-After', '1').header('Cache-Control', 'no-store');
  return reply.send(await viewJob(job, request, deps));
}

async function answer(job: Job, form: Form, request: FastifyRequest, reply: FastifyReply, deps: ServerDeps) {
  if (job.failure) throw new AppError(job.failure.kind, job.failure.message);
  const result = job.results?.[0];
  if (!result) throw new AppError('TASK_NOEXIST', `The job was ${job.state} before its end.`);
  reply.header('Server-Timing', serverTiming(result.outcome.report.timings));
  reply.header('Link', `<${jobPath(job.id)}>; rel="describedby"`).header('Vary', 'Accept');
  if (form.kind === 'json') return reply.send(await viewJob(job, request, deps));
  return sendObject(result.object, request, reply, deps);
}
