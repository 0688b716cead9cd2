import { AppError } from '../errors.ts';

/** How long and how often a call is tried. */
export interface CallLimits {
  /** Milliseconds until an answer's head, per try. */
  readonly timeout: number;
  readonly attempts: number;
  /** Told of every failed try, also of those that a later try makes good. */
  readonly onFailure?: ((error: unknown) => void) | undefined;
}

/** What the AWS SDK throws, as far as it is looked at. */
interface SdkError extends Error {
  readonly $metadata?: { readonly httpStatusCode?: number };
}

/** Upload speed below which a try is given up, in bytes per millisecond (1 MB/s). */
const SLOWEST_UPLOAD = 1000;
const FIRST_PAUSE = 100;
/** Seconds a client is asked to wait while the store does not answer. */
const RETRY_AFTER = 5;

/** 4xx answers that mean: try again. */
const PASSING_NAMES = new Set(['SlowDown', 'RequestTimeout', 'RequestTimeTooSkewed', 'Throttling', 'TooManyRequests', 'OperationAborted']);

/**
 * Runs one call with a time limit per try and several tries; the SDK's own retries are off, because
 * they neither cover uploads from a stream nor bodies that break off.
 * @param bytes size of an upload, which extends the time limit
 * @throws AppError ALGORITHM_OVER_CONCURRENT (503, Retry-After; jobs wait for it) when the store does not
 * answer, GATEWAY_UNKNOWN_ERROR when it refuses; neither message names the store
 */
export async function tryCall<T>(limits: CallLimits, run: (signal: AbortSignal) => Promise<T>, bytes = 0): Promise<T> {
  for (let attempt = 1; ; attempt++) {
    const limit = new AbortController();
    const timer = setTimeout(() => limit.abort(), limits.timeout + bytes / SLOWEST_UPLOAD);
    try {
      return await run(limit.signal);
    } catch (error) {
      limits.onFailure?.(error);
      if (!isPassing(error) || attempt >= limits.attempts) throw storeFailure(error);
      // Equal parts fixed and random: processes that met the same failure do not come back together.
      const pause = FIRST_PAUSE * 2 ** (attempt - 1);
      await new Promise((resolve) => setTimeout(resolve, pause / 2 + (Math.random() * pause) / 2));
    } finally {
      clearTimeout(timer);
    }
  }
}

/** A failure of the store in our words; the SDK's own go into the log only. */
export function storeFailure(error: unknown): AppError {
  if (error instanceof AppError) return error;
  if (isPassing(error)) {
    return new AppError('ALGORITHM_OVER_CONCURRENT', 'The picture store does not answer at the moment.', {
      cause: error,
      retryAfter: RETRY_AFTER,
    });
  }
  return new AppError('GATEWAY_UNKNOWN_ERROR', 'The service met an error of its own.', { cause: error });
}

/** Whether the store says that there is no such object (a missing bucket is another matter). */
export function isMissing(error: unknown): boolean {
  return statusOf(error) === 404 && (error as Error).name !== 'NoSuchBucket';
}

/** Whether the store itself gave the answer, in contrast to a network or time that failed. */
export function isRefusal(error: unknown): boolean {
  return !isPassing(error);
}

/** No answer at all (network, time-out), a server's failure, or a request to slow down. */
function isPassing(error: unknown): boolean {
  const status = statusOf(error);
  return status === undefined || status >= 500 || status === 429 || PASSING_NAMES.has((error as Error).name);
}

/** A broken-off success (200, body incomplete) counts as no answer. */
function statusOf(error: unknown): number | undefined {
  const status = (error as SdkError | undefined)?.$metadata?.httpStatusCode;
  return status === undefined || status < 300 ? undefined : status;
}
