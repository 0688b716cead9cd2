import { AppError, type ErrorName } from './errors.ts';

/** An error as it crosses the border of a process or thread. `detail` is for the log only. */
export interface PlainError {
  readonly kind: ErrorName;
  readonly message: string;
  readonly detail?: string;
}

/** An AppError keeps its kind and public message; anything else is a PROCESS_ERROR that says nothing. */
export function toPlainError(error: unknown): PlainError {
  if (error instanceof AppError && error.kind !== 'GATEWAY_UNKNOWN_ERROR') {
    return { kind: error.kind, message: error.message, ...(error.cause === undefined ? {} : { detail: describe(error.cause) }) };
  }
  const cause = error instanceof AppError && error.cause !== undefined ? error.cause : error;
  return { kind: 'PROCESS_ERROR', message: 'The restoration of this picture failed.', detail: describe(cause) };
}

/** The other side of {@link toPlainError}; the detail becomes the cause, which is never sent to a client. */
export function fromPlainError(plain: PlainError): AppError {
  return new AppError(plain.kind, plain.message, plain.detail === undefined ? {} : { cause: plain.detail });
}

function describe(cause: unknown): string {
  return cause instanceof Error ? (cause.stack ?? cause.message) : String(cause);
}
