import type { FastifyError, FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { AppError, toAppError } from '../../errors.ts';
import { unauthorized } from '../access/credentials.ts';
import { failureBody, NO_ROUTE } from '../dialect/failure.ts';
import { ClientGone } from '../request-state.ts';

/** Failures in the family's form; a scope with another form (problem+json) sets its own handler. */
export function answerErrors(server: FastifyInstance): void {
  server.setErrorHandler((error: FastifyError, request, reply) => {
    if (isGone(error, request)) return reply.code(499).send();
    return sendFailure(errorOf(error, request), request, reply);
  });
  server.setNotFoundHandler((_request, reply) => reply.code(404).send(NO_ROUTE));
}

/** Sends one failure with status, Retry-After and log line; for routes that answer failures themselves. */
export function sendFailure(error: AppError, request: FastifyRequest, reply: FastifyReply) {
  noteFailure(error, request);
  const { status } = error.spec;
  if (status === 429 || status === 503) reply.header('Retry-After', String(Math.max(1, Math.ceil(error.retryAfter ?? 1))));
  return reply.code(status).send(failureBody(error, request.id));
}

/** Logs a failure: a defect of ours and what stands in the way (a full disk) with everything known of it, anything else briefly. */
export function noteFailure(error: AppError, request: FastifyRequest): void {
  request.failure = error.kind;
  if (error.kind === 'GATEWAY_UNKNOWN_ERROR') request.log.error({ err: error.cause ?? error }, 'defect');
  else if (error.kind === 'ALGORITHM_OVER_CONCURRENT' && error.cause !== undefined) request.log.warn({ err: error.cause }, 'hindered');
  else request.log.debug({ err: error }, 'refused');
}

/** Whatever was thrown while serving a request, as one of our errors. */
export function errorOf(error: unknown, request: FastifyRequest): AppError {
  if (error instanceof AppError) return error;
  const { code, statusCode } = error as Partial<FastifyError>;
  switch (code) {
    case 'FST_ERR_CTP_BODY_TOO_LARGE':
      // The key is checked before the size; one inside an oversized body cannot be read any more.
      if (request.routeOptions.config.scope !== undefined && !request.apiKey) return unauthorized();
      return new AppError('REQUEST_ENTITY_TOO_LARGE', `The request body is over the limit of ${request.routeOptions.bodyLimit} bytes.`);
    case 'FST_ERR_CTP_INVALID_CONTENT_LENGTH':
      return new AppError('PARAM_JSON_DECODE_ERROR', 'The body is shorter or longer than its Content-Length.');
    default:
      if (statusCode !== undefined && statusCode >= 400 && statusCode < 500) {
        return new AppError('PARAM_VALUE_ERROR', 'The request is malformed.', { cause: error });
      }
      return toAppError(error);
  }
}

function isGone(error: unknown, request: FastifyRequest): boolean {
  return error instanceof ClientGone || (request.gone.aborted && (error as NodeJS.ErrnoException).code === 'ECONNRESET');
}
