import { AppError } from '../../errors.ts';

/** Seconds a client should wait while the database is away: about the time of its restart. */
const RETRY_AFTER = 5;

/** Node's names for a server that is not there or went away, in the middle of a statement too. */
const SOCKET = new Set([
  ...['ECONNREFUSED', 'ECONNRESET', 'EPIPE', 'ETIMEDOUT', 'ENOTFOUND', 'EAI_AGAIN'],
  ...['EHOSTUNREACH', 'ENETUNREACH', 'EHOSTDOWN', 'ENETDOWN', 'ECONNABORTED', 'ENOENT'],
]);

/**
 * SQLSTATEs (PostgreSQL, appendix A) by which a server ends or refuses a connection: 57P01–03 it is
 * being stopped, crashed or starting; 53300 too many connections; 25P03 the transaction was idle for
 * too long; 25006 it was made a read-only standby. Class 08 is the connection itself.
 */
const CONNECTION_STATES = new Set(['57P01', '57P02', '57P03', '53300', '25P03', '25006']);

/** The driver's own failures carry no code. */
const DRIVER =
  /^(Connection terminated|Client has encountered a connection error|Client was closed|timeout exceeded when trying|Query read)/;

/** SQLSTATEs of a transaction that another one got in the way of: 40001 serialization, 40P01 deadlock, 55P03 lock not available. */
const CONFLICTS = new Set(['40001', '40P01', '55P03']);

/** query_canceled: the statement took longer than `statement_timeout`. */
const TOO_SLOW = '57014';

/** No connection could be had, however patiently; there is nothing to be gained by asking again at once. */
export class NoConnection extends Error {
  override readonly name = 'NoConnection';
}

/** Whether the connection is gone, so that nothing further can be said on it. */
export function isLost(error: unknown): boolean {
  const cause = causeOf(error);
  if (!(cause instanceof Error)) return false;
  // Several addresses of one host were tried in turn.
  if (cause instanceof AggregateError) return cause.errors.some(isLost);
  const code = codeOf(cause);
  return code === undefined ? DRIVER.test(cause.message) : SOCKET.has(code) || CONNECTION_STATES.has(code) || code.startsWith('08');
}

/** Whether the same transaction may succeed if it is made again: its connection was lost, or others were in its way. */
export function isPassing(error: unknown): boolean {
  return isLost(error) || CONFLICTS.has(codeOf(causeOf(error)) ?? '');
}

/** What leaves this folder: 503 for a database that is away or too slow, anything else as it is. */
export function asUnavailable(error: unknown): unknown {
  if (error instanceof AppError) return error;
  if (isLost(error) || error instanceof NoConnection) return unavailable('The database does not answer.', error);
  return codeOf(error) === TOO_SLOW ? unavailable('The database is too slow.', error) : error;
}

/** A word or two for the operator, without names of machines: `ECONNREFUSED`, `57P03`. */
export function reasonOf(error: unknown): string {
  const outer = causeOf(error);
  const cause = outer instanceof NoConnection ? outer.cause : outer;
  const first = cause instanceof AggregateError ? cause.errors[0] : cause;
  return codeOf(first) ?? (first instanceof Error && DRIVER.test(first.message) ? first.message : 'unknown');
}

function unavailable(message: string, cause: unknown): AppError {
  return new AppError('ALGORITHM_OVER_CONCURRENT', message, { cause, retryAfter: RETRY_AFTER });
}

function causeOf(error: unknown): unknown {
  return error instanceof AppError ? error.cause : error;
}

function codeOf(error: unknown): string | undefined {
  const { code } = (error ?? {}) as { code?: unknown };
  return typeof code === 'string' ? code : undefined;
}
