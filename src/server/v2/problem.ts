import type { FastifyError, FastifyReply, FastifyRequest } from 'fastify';
import { AppError, ERRORS, type ErrorName } from '../../errors.ts';
import { NO_ROUTE } from '../dialect/failure.ts';
import { errorOf, noteFailure } from '../plugins/errors.ts';
import { ClientGone } from '../request-state.ts';
import type { Problem } from '../schemas/v2.ts';

/**
 * HTTP's own words where the interface family only says 400: the family's clients look at the code,
 * clients of `/v2` look at the status.
 */
const STATUS: Partial<Record<ErrorName, number>> = {
  IMAGE_DECODE_FORMAT_ERROR: 415,
  IMAGE_DECODE_ERROR: 422,
  IMAGE_DECODE_SIZE_ERROR: 422,
  RESOLUTION_TOO_LARGE_ERROR: 422,
  PICTURE_OVERRUN_ERROR: 413,
  INVALID_URL_ERROR: 422,
  IMAGE_DOWNLOAD_FAILED: 422,
  DOWNLOAD_TIMEOUT_ERROR: 422,
  PROCESS_ERROR: 500,
  TASK_NOEXIST: 404,
  NOT_RESULT: 409,
};

const PROBLEM_TYPE = 'application/problem+json; charset=utf-8';

/** The body of a failure on `/v2`. */
export function problemOf(kind: ErrorName, detail: string, requestId: string): Problem {
  const { code, status, retryable } = ERRORS[kind];
  return {
    type: `urn:mingxi:error:${kind.toLowerCase().replaceAll('_', '-')}`,
    title: kind,
    status: STATUS[kind] ?? status,
    detail,
    code,
    retryable,
    request_id: requestId,
  };
}

/** Error handler of the `/v2` scope. */
export function answerProblem(error: FastifyError, request: FastifyRequest, reply: FastifyReply) {
  if (error instanceof ClientGone || request.gone.aborted) return reply.code(499).send();
  return sendProblem(bodyError(error) ?? errorOf(error, request), request, reply);
}

/** Paths under `/v2` that do not exist; the members of the family's own answer are there as well. */
export function answerNoRoute(request: FastifyRequest, reply: FastifyReply) {
  const problem = problemOf('ROUTE_NOT_FOUND', `There is no ${request.method} ${request.url.split('?', 1)[0]}.`, request.id);
  return reply
    .code(problem.status)
    .type(PROBLEM_TYPE)
    .send(JSON.stringify({ ...problem, ...NO_ROUTE }));
}

function sendProblem(error: AppError, request: FastifyRequest, reply: FastifyReply) {
  noteFailure(error, request);
  const problem = problemOf(error.kind, error.message, request.id);
  if (error.retryAfter !== undefined) reply.header('Retry-After', String(error.retryAfter));
  if (problem.status === 401) reply.header('WWW-Authenticate', 'Bearer');
  return reply.code(problem.status).type(PROBLEM_TYPE).send(JSON.stringify(problem));
}

/** What the form and JSON parsers report, in our words. */
function bodyError({ code }: FastifyError): AppError | undefined {
  switch (code) {
    case 'FST_REQ_FILE_TOO_LARGE':
      return new AppError('PICTURE_OVERRUN_ERROR', 'The picture file is larger than this server accepts.');
    case 'FST_FILES_LIMIT':
    case 'FST_FIELDS_LIMIT':
    case 'FST_PARTS_LIMIT':
      return new AppError('PARAM_VALUE_ERROR', 'The form has too many parts: one file and the options are expected.');
    case 'FST_ERR_CTP_INVALID_JSON_BODY':
    case 'FST_ERR_CTP_EMPTY_JSON_BODY':
      return new AppError('PARAM_JSON_DECODE_ERROR', 'The body is no JSON.');
    default:
      return undefined;
  }
}
