import { AppError, type ErrorName } from '../errors.ts';
import type { RestoreTask } from '../pipeline/options.ts';
import type { RestoreOutcome } from '../pipeline/report.ts';

/** What a child needs to build its pipeline; given once, as JSON in its first argument. */
export interface PipelineSettings {
  /** Inference threads of the one session of this child. */
  readonly threads: number;
  /** ONNX Runtime execution provider. */
  readonly provider: string;
  /** Folder of imported networks. */
  readonly modelsDir: string;
  /** The network behind `model: auto`; absent: the pipeline's own default. */
  readonly defaultModel?: string;
}

/** Parent → child. A task is sent only to a child that is ready and idle. */
export type ToChild = { readonly type: 'task'; readonly id: number; readonly task: RestoreTask } | { readonly type: 'ping' };

/** Child → parent. `refused`: the pipeline could not be built; the child exits after it. */
export type FromChild =
  | { readonly type: 'ready' }
  | { readonly type: 'refused'; readonly error: PlainError }
  | { readonly type: 'progress'; readonly id: number; readonly value: number }
  | { readonly type: 'done'; readonly id: number; readonly outcome: RestoreOutcome; readonly memory: ChildMemory }
  | { readonly type: 'failed'; readonly id: number; readonly error: PlainError; readonly memory: ChildMemory }
  | { readonly type: 'pong' };

/** Resident memory of a child in bytes: now, and the most it ever was. */
export interface ChildMemory {
  readonly resident: number;
  readonly peak: number;
}

/** An error as it crosses the process border. `detail` is for the parent's log only. */
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

/** The parent's side of {@link toPlainError}; the detail becomes the cause, which is never sent to a client. */
export function fromPlainError(plain: PlainError): AppError {
  return new AppError(plain.kind, plain.message, plain.detail === undefined ? {} : { cause: plain.detail });
}

function describe(cause: unknown): string {
  return cause instanceof Error ? (cause.stack ?? cause.message) : String(cause);
}
