import type { FastifyRequest } from 'fastify';
import type { AppError } from '../../errors.ts';
import type { Job } from '../../jobs/job.ts';
import { isFinal } from '../../jobs/states.ts';
import type { ServerDeps } from '../deps.ts';
import { successBody } from '../dialect/answer.ts';
import { answerEntries, failureOf, unknownJob } from '../restoration/job-answer.ts';
import { wireStateOf } from '../restoration/submit-job.ts';

/** The gateway's numbers for a task's state. */
export const TASK_STATUS = { notFound: -1, created: 0, running: 1, failed: 2, waitRanOut: 9, success: 10 } as const;

/** A task id is a job's id behind this. */
const TASK_PREFIX = 't_';

/** The job's id of a task id; the bare job id is put up with. */
export function jobIdOf(taskId: string): string {
  return taskId.startsWith(TASK_PREFIX) ? taskId.slice(TASK_PREFIX.length) : taskId;
}

export interface EnvelopeAnswer {
  readonly status: number;
  readonly body: object;
}

/** A success around whatever `data` is. */
export function envelope(request: FastifyRequest, data: object | null) {
  return { request_id: request.id, trace_id: traceId(request), code: 0, error_code: 0, message: '', data };
}

/** A failure: `message` is the code's name, because clients show nothing else. */
export function failedEnvelope(request: FastifyRequest, error: AppError, data: object | null = null) {
  const { code } = error.spec;
  return { request_id: request.id, trace_id: traceId(request), code, error_code: code, message: error.kind, data };
}

/**
 * A refusal is 400 in this dialect, whatever it is elsewhere; but what a client or proxy acts upon by
 * itself (too large, too many, overloaded, our defect) keeps its own status.
 */
export function gatewayStatus(error: AppError): number {
  const { status } = error.spec;
  return status === 413 || status === 429 || status === 405 || status >= 500 ? status : 400;
}

/** The answer for a task as it is now. @param waited whether a wait for its end ran out */
export async function taskAnswer(job: Job, request: FastifyRequest, deps: ServerDeps, waited = false): Promise<EnvelopeAnswer> {
  if (job.state === 'succeeded') {
    return {
      status: 200,
      body: envelope(request, { ...taskData(job, TASK_STATUS.success, deps), result: await successResult(job, deps) }),
    };
  }
  if (!isFinal(job.state)) {
    const status = waited ? TASK_STATUS.waitRanOut : job.state === 'running' ? TASK_STATUS.running : TASK_STATUS.created;
    return { status: 200, body: envelope(request, { ...taskData(job, status, deps), result: { id: job.id } }) };
  }
  const failure = failureOf(job);
  const data = { ...taskData(job, TASK_STATUS.failed, deps), result: failureResult(job, failure) };
  return { status: 400, body: failedEnvelope(request, failure, data) };
}

/** The answer for a task id that is unknown, over, or another key's. */
export function notFoundAnswer(taskId: string, request: FastifyRequest): EnvelopeAnswer {
  const data = { status: TASK_STATUS.notFound, task_id: taskId, progress: 0, predict_elapsed: 0, create_time: 0, result: null };
  return { status: 400, body: failedEnvelope(request, unknownJob(), data) };
}

function taskData(job: Job, status: number, deps: Pick<ServerDeps, 'restorer'>) {
  const end = job.finishedAt ?? Date.now() + deps.restorer.stats().expectedWait * 1000;
  return {
    status,
    task_id: `${TASK_PREFIX}${job.id}`,
    progress: job.progress,
    predict_elapsed: Math.max(0, Math.round(end - job.createdAt)),
    create_time: job.createdAt,
  };
}

async function successResult(job: Job, deps: ServerDeps) {
  const state = wireStateOf(job) ?? { answer: 'url', report: false, base: '' };
  const entries = await answerEntries(job, state, deps);
  const { media_info_list, parameter } = successBody(entries, state.answer);
  const urls = state.answer === 'url' ? entries.map((entry) => entry.data) : [];
  return { id: job.id, urls, parameter, media_info_list, msg: '', msg_id: job.id, code: 0 };
}

function failureResult(job: Job, failure: AppError) {
  const { code } = failure.spec;
  return {
    id: job.id,
    code,
    error_code: code,
    error_msg: failure.kind,
    msg: failure.message,
    msg_id: job.id,
    media_info_list: [],
    parameter: null,
  };
}

/** The trace the client is in (W3C Trace Context), else the request stands for itself. */
function traceId(request: FastifyRequest): string {
  const header = request.headers.traceparent;
  return /^[0-9a-f]{2}-([0-9a-f]{32})-/.exec(typeof header === 'string' ? header : '')?.[1] ?? request.id;
}
