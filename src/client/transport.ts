import { failureIn, MingxiConnectionError, MingxiError, MingxiTimeoutError } from './failure.ts';
import { pause } from './pause.ts';

export interface TransportOptions {
  readonly fetch: typeof globalThis.fetch;
  /** Milliseconds for one request. */
  readonly timeout: number;
  /** Further tries of a request that failed with a retryable code. */
  readonly retries: number;
  /** Longest `Retry-After`, in milliseconds, that is waited for rather than handed to the caller. */
  readonly maxWait: number;
}

export interface Outgoing {
  readonly method: 'GET' | 'POST';
  readonly url: URL;
  readonly body?: string | undefined;
  /** Made anew for every try: a signature carries the time. */
  readonly headers?: (() => Record<string, string>) | undefined;
  /** Asking again changes nothing on the service, so a lost answer may be asked for again. */
  readonly repeatable?: boolean;
  readonly signal?: AbortSignal | undefined;
}

const FIRST_BACKOFF = 500;
const NOT_RESULT = 29901;

/**
 * Sends a request and returns the JSON of its success. Retried are failures with a code that the
 * errors table calls retryable (NOT_RESULT is an answer, not a failure to be repeated), requests that
 * surely never arrived, and lost answers to repeatable requests. `Retry-After` is honoured.
 * @throws MingxiError, MingxiConnectionError, MingxiTimeoutError; the signal's reason when aborted
 */
export async function send(outgoing: Outgoing, options: TransportOptions): Promise<unknown> {
  for (let attempt = 0; ; attempt++) {
    try {
      return await sendOnce(outgoing, options);
    } catch (error) {
      outgoing.signal?.throwIfAborted();
      const wait = attempt < options.retries ? waitBeforeRetry(error, attempt, outgoing) : undefined;
      if (wait === undefined || wait > options.maxWait) throw error;
      await pause(wait, outgoing.signal);
    }
  }
}

/** Milliseconds until the next try; undefined when there is none to be had. */
function waitBeforeRetry(error: unknown, attempt: number, outgoing: Outgoing): number | undefined {
  // Up to half of the back-off is random, so that clients refused together do not return together.
  const backoff = FIRST_BACKOFF * 2 ** attempt * (0.5 + Math.random() / 2);
  if (error instanceof MingxiError) {
    if (!error.retryable || error.code === NOT_RESULT) return undefined;
    return error.retryAfter === undefined ? backoff : error.retryAfter * 1000;
  }
  if (error instanceof MingxiConnectionError) return error.unsent || outgoing.repeatable ? backoff : undefined;
  return error instanceof MingxiTimeoutError && outgoing.repeatable ? backoff : undefined;
}

async function sendOnce(outgoing: Outgoing, options: TransportOptions): Promise<unknown> {
  const deadline = AbortSignal.timeout(options.timeout);
  const signal = outgoing.signal ? AbortSignal.any([outgoing.signal, deadline]) : deadline;
  try {
    const response = await options.fetch(outgoing.url, {
      method: outgoing.method,
      signal,
      // Keys travel in the query: a redirect would hand them to another host.
      redirect: 'error',
      ...(outgoing.headers ? { headers: outgoing.headers() } : {}),
      ...(outgoing.body === undefined ? {} : { body: outgoing.body }),
    });
    return readAnswer(await response.text(), response);
  } catch (error) {
    outgoing.signal?.throwIfAborted();
    if (deadline.aborted) throw new MingxiTimeoutError(`no answer within ${options.timeout} ms`, { cause: error });
    if (error instanceof MingxiError || error instanceof MingxiConnectionError) throw error;
    throw new MingxiConnectionError(`cannot talk to ${outgoing.url.host}`, { cause: error, unsent: neverSent(error) });
  }
}

function readAnswer(text: string, response: Response): unknown {
  let body: unknown;
  try {
    body = JSON.parse(text);
  } catch (error) {
    throw new MingxiConnectionError(`status ${response.status} without JSON: not this service, or something in between`, { cause: error });
  }
  const failure = failureIn(body, response.status, response.headers);
  if (failure) throw failure;
  if (!response.ok) throw new MingxiConnectionError(`status ${response.status} without an error code`);
  return body;
}

/** Connection errors that come before the first byte is sent. */
function neverSent(error: unknown): boolean {
  const cause = error instanceof Error ? (error.cause as { code?: unknown } | undefined) : undefined;
  return ['ECONNREFUSED', 'ENOTFOUND', 'EAI_AGAIN', 'UND_ERR_CONNECT_TIMEOUT'].includes(String(cause?.code));
}
