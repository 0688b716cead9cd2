/**
 * Every failure a stranger can meet, in one table. The OpenAPI document, `docs/reference/errors.md`
 * and the client's retry rule are made from it. Codes and statuses: the interface family's own
 * (docs/reference/errors.md); `retryable` says whether the same request may succeed later.
 */
export interface ErrorSpec {
  readonly code: number;
  readonly status: number;
  readonly retryable: boolean;
  /** One English sentence for the reference page: when this happens. */
  readonly when: string;
}

export const ERRORS = {
  GATEWAY_AUTHORIZED_ERROR: e(
    90002,
    401,
    false,
    'The key is missing, unknown, revoked, disabled or expired, or its secret or signature is wrong.',
  ),
  GATEWAY_AUTHORIZED_NOT_MATCH: e(90003, 403, false, 'The key may not use this interface.'),
  RIGHTS_LIMIT_EXCEEDED: e(80001, 403, false, "The key's quota for the day or month is used up."),
  GATEWAY_QPS_LIMIT: e(90024, 429, true, "The key's calls per second are exceeded; see Retry-After."),
  PARAM_JSON_DECODE_ERROR: e(21105, 400, false, 'The body is no JSON, or no JSON object.'),
  PARAM_MISSING_ERROR: e(21102, 400, false, 'A needed field is missing or empty.'),
  PARAM_TYPE_ERROR: e(21103, 400, false, 'A needed field has the wrong type.'),
  PARAM_VALUE_ERROR: e(21104, 400, false, 'A value is not allowed.'),
  GATEWAY_BASE64_DECODE_ERROR: e(90013, 400, false, 'The base64 text cannot be decoded.'),
  IMAGE_DECODE_FORMAT_ERROR: e(23102, 400, false, 'The bytes are not a picture of an accepted format.'),
  IMAGE_DECODE_ERROR: e(23101, 400, false, 'The picture is damaged.'),
  IMAGE_DECODE_SIZE_ERROR: e(23103, 400, false, 'The picture has too few pixels on a side.'),
  RESOLUTION_TOO_LARGE_ERROR: e(20013, 400, false, 'The picture has too many pixels.'),
  PICTURE_OVERRUN_ERROR: e(20015, 400, false, 'The picture file is too large.'),
  REQUEST_ENTITY_TOO_LARGE: e(433, 413, false, 'The whole request body is over the transport limit.'),
  INVALID_URL_ERROR: e(21202, 400, false, 'The link is malformed, not http(s), or its address is not allowed.'),
  IMAGE_DOWNLOAD_FAILED: e(10003, 400, true, 'The link cannot be reached, or answers other than 200.'),
  DOWNLOAD_TIMEOUT_ERROR: e(21201, 400, true, 'The link is too slow.'),
  PROCESS_ERROR: e(20001, 400, false, 'The restoration itself failed.'),
  GATEWAY_TIMEOUT: e(90009, 504, true, 'The restoration took longer than allowed.'),
  ALGORITHM_OVER_CONCURRENT: e(
    29904,
    503,
    true,
    'The queue is longer than can be served in time, the server is shutting down, its disk is full, or its database or picture store does not answer; see Retry-After.',
  ),
  NOT_RESULT: e(29901, 400, true, 'The asynchronous result is not ready yet.'),
  TASK_NOEXIST: e(10004, 400, false, 'The job is unknown, expired, or belongs to another key.'),
  METHOD_NOT_ALLOWED: e(1000405, 405, false, 'The path exists, but not with this method; see Allow.'),
  NOT_ACCEPTABLE: e(1000406, 406, false, 'No form of the result that Accept names can be made.'),
  IDEMPOTENCY_CONFLICT: e(1000409, 409, false, 'The Idempotency-Key was used with another picture or other options.'),
  ROUTE_NOT_FOUND: e(1000404, 404, false, 'No such path.'),
  GATEWAY_UNKNOWN_ERROR: e(90099, 500, true, 'A defect of ours; the request id links to the log.'),
} as const satisfies Record<string, ErrorSpec>;

export type ErrorName = keyof typeof ERRORS;

function e(code: number, status: number, retryable: boolean, when: string): ErrorSpec {
  return { code, status, retryable, when };
}

export interface AppErrorOptions {
  /** Seconds for `Retry-After`. */
  readonly retryAfter?: number;
  /** For the log only; never sent to a client. */
  readonly cause?: unknown;
}

/**
 * The only error that crosses a module boundary. `message` is public: it says what was wrong, what
 * the limit is and what was received, and holds nothing private (no path, address or secret).
 */
export class AppError extends Error {
  override readonly name = 'AppError';
  readonly kind: ErrorName;
  readonly retryAfter: number | undefined;

  constructor(kind: ErrorName, message: string, options: AppErrorOptions = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.kind = kind;
    this.retryAfter = options.retryAfter;
  }

  get spec(): ErrorSpec {
    return ERRORS[this.kind];
  }
}

/** What the system and SQLite call a full disk; and how many seconds a client should wait for room on it. */
const NO_ROOM: readonly unknown[] = ['ENOSPC', 'EDQUOT', 'SQLITE_FULL'];
const ROOM_RETRY = 5;

/** Anything thrown, as an AppError: a full disk passes, an unknown error becomes a defect of ours without detail. */
export function toAppError(error: unknown): AppError {
  if (error instanceof AppError) return error;
  if (NO_ROOM.includes((error as NodeJS.ErrnoException | undefined)?.code)) {
    return new AppError('ALGORITHM_OVER_CONCURRENT', 'The service has no room on its disk at the moment.', {
      retryAfter: ROOM_RETRY,
      cause: error,
    });
  }
  return new AppError('GATEWAY_UNKNOWN_ERROR', 'The service met an error of its own.', { cause: error });
}
