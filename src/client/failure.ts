import { ERRORS, type ErrorSpec } from '../errors.ts';

const BY_CODE = new Map<number, { name: string; spec: ErrorSpec }>(
  Object.entries(ERRORS).map(([name, spec]) => [spec.code, { name, spec }]),
);

export interface FailureFacts {
  readonly code: number;
  readonly status: number;
  readonly message: string;
  readonly requestId?: string | undefined;
  /** Seconds the service asked to wait. */
  readonly retryAfter?: number | undefined;
  /** 0…1, on a result that is not ready. */
  readonly progress?: number | undefined;
}

/** The service refused a request or failed at it, and said so with a code. */
export class MingxiError extends Error {
  override readonly name: string = 'MingxiError';
  /** The family's error code, e.g. 20001. */
  readonly code: number;
  /** Its name, e.g. PROCESS_ERROR; UNKNOWN for a code outside the table. */
  readonly kind: string;
  /** HTTP status; 0 when the failure came inside a successful answer. */
  readonly status: number;
  readonly requestId: string | undefined;
  /** Seconds the service asked to wait before the next try. */
  readonly retryAfter: number | undefined;
  readonly progress: number | undefined;
  /** Whether the same request may succeed later, by the errors table. */
  readonly retryable: boolean;

  constructor(facts: FailureFacts) {
    const known = BY_CODE.get(facts.code);
    super(`${facts.code} ${known?.name ?? 'UNKNOWN'}: ${facts.message}`);
    this.code = facts.code;
    this.kind = known?.name ?? 'UNKNOWN';
    this.status = facts.status;
    this.requestId = facts.requestId;
    this.retryAfter = facts.retryAfter;
    this.progress = facts.progress;
    this.retryable = known?.spec.retryable ?? false;
  }
}

/** Nothing that can be read came back: no connection, a cut one, or an answer of another service. */
export class MingxiConnectionError extends Error {
  override readonly name: string = 'MingxiConnectionError';
  /** True when the request surely never reached the service, so that sending it again is safe. */
  readonly unsent: boolean;

  constructor(message: string, options: { cause?: unknown; unsent?: boolean } = {}) {
    super(message, { cause: options.cause });
    this.unsent = options.unsent ?? false;
  }
}

/** The client's own limit of time ran out. */
export class MingxiTimeoutError extends Error {
  override readonly name: string = 'MingxiTimeoutError';
}

/**
 * The failure that an answer's body carries, in either dialect; undefined when it is a success.
 * The direct interfaces say `ErrorCode`, the gateway `code` and `error_code`, where 0 is success.
 */
export function failureIn(body: unknown, status: number, headers: Headers): MingxiError | undefined {
  const record = typeof body === 'object' && body !== null ? (body as Record<string, unknown>) : {};
  const code = [record.ErrorCode, record.error_code, record.code].map(Number).find((value) => Number.isInteger(value) && value !== 0);
  if (code === undefined) return undefined;
  return new MingxiError({
    code,
    status,
    message: textOf(record.message) ?? textOf(record.ErrorMsg) ?? 'no message',
    requestId: textOf(record.request_id) ?? headers.get('x-request-id') ?? undefined,
    retryAfter: retryAfterOf(headers),
    progress: typeof record.progress === 'number' ? record.progress : undefined,
  });
}

/** `Retry-After` in seconds; it may be a number or a date (RFC 9110 §10.2.3). */
function retryAfterOf(headers: Headers): number | undefined {
  const text = headers.get('retry-after');
  if (text === null || text.trim() === '') return undefined;
  const seconds = Number(text);
  if (Number.isFinite(seconds)) return Math.max(0, seconds);
  const date = Date.parse(text);
  return Number.isNaN(date) ? undefined : Math.max(0, (date - Date.now()) / 1000);
}

function textOf(value: unknown): string | undefined {
  return typeof value === 'string' && value !== '' ? value : undefined;
}
