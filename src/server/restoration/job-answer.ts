import { buffer } from 'node:stream/consumers';
import { AppError } from '../../errors.ts';
import type { Job, JobResult } from '../../jobs/job.ts';
import type { ServerDeps } from '../deps.ts';
import { type AnswerEntry, successBody } from '../dialect/answer.ts';
import { failureBody } from '../dialect/failure.ts';
import { resultLink } from '../routes/results.ts';
import { type WireState, wireStateOf } from './submit-job.ts';

type Deps = Pick<ServerDeps, 'storage'>;

/** An answer of `/v1/query`: a success is always 200 and everything else 400, whatever the failure's own status. */
export interface QueryAnswer {
  readonly status: 200 | 400;
  readonly body: object;
}

/**
 * What a query for a job answers, now. The body of a finished job is also the body of its callback.
 * @param requestId the asking request's, or the job's for a callback
 */
export async function queryAnswer(job: Job, requestId: string, deps: Deps): Promise<QueryAnswer> {
  if (job.state === 'succeeded') {
    const state = wireStateOf(job) ?? { answer: 'jpg', report: false, base: '' };
    const success = successBody(await answerEntries(job, state, deps), state.answer);
    return { status: 200, body: { ...success, msg_id: job.id } };
  }
  const failure = failureOf(job);
  const body = { ...failureBody(failure, requestId), msg_id: job.id };
  return { status: 400, body: failure.kind === 'NOT_RESULT' ? { ...body, progress: job.progress } : body };
}

/** The failure that stands for every state but success. */
export function failureOf(job: Job): AppError {
  if (job.failure) return new AppError(job.failure.kind, job.failure.message);
  if (job.state === 'cancelled') return new AppError('PROCESS_ERROR', 'The job was cancelled.');
  if (job.state === 'expired') return unknownJob();
  return new AppError('NOT_RESULT', `The job is ${job.state}; ${Math.round(job.progress * 100)} % of it is done.`);
}

/** The answer to an id that is unknown, over, or another key's: which of them is not told. */
export function unknownJob(): AppError {
  return new AppError('TASK_NOEXIST', 'There is no such job: it is unknown, expired, or belongs to another key.');
}

/** The results of a succeeded job as answers carry them. */
export function answerEntries(job: Job, state: Pick<WireState, 'answer' | 'report' | 'base'>, deps: Deps): Promise<AnswerEntry[]> {
  return Promise.all(
    (job.results ?? []).map(async (result) => ({
      data: await answerData(result, state, deps),
      report: state.report ? result.outcome.report : undefined,
    })),
  );
}

async function answerData(result: JobResult, state: Pick<WireState, 'answer' | 'base'>, deps: Deps): Promise<string> {
  if (state.answer === 'url') {
    const object = await deps.storage.stat(result.object);
    if (object) return resultLink(object, state.base);
  } else {
    const opened = await deps.storage.open(result.object);
    if (opened) return (await buffer(opened.stream)).toString('base64');
  }
  // Its time ran out between the look at the job and this one.
  throw unknownJob();
}
