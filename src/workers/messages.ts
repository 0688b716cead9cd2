import type { PrecisionWish } from '../inference/precision.ts';
import type { RestoreTask } from '../pipeline/options.ts';
import type { RestoreOutcome } from '../pipeline/report.ts';
import type { PlainError } from '../plain-error.ts';

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
  /** The network that restores faces, by name; absent: the shipped one. */
  readonly faceModel?: string;
  /** The network that finds faces, by name; absent: the shipped one. */
  readonly faceDetector?: string;
  /** Whether `model: auto` may choose the best tier; absent: no. */
  readonly autoBest?: boolean;
  /** Numbers the networks compute in; absent: what is faster here. */
  readonly precision?: PrecisionWish;
  /** Folder where what was measured on this machine is kept, if it exists; absent: every child measures. */
  readonly findings?: string;
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
