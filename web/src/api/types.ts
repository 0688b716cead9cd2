/** What the page knows of the server's answers (see /openapi.json for all of it). */
export interface Face {
  readonly box: readonly [x: number, y: number, side: number];
  readonly score: number;
  readonly points: readonly (readonly [number, number])[];
  readonly action: string;
  readonly reason?: string;
}

export interface Report {
  readonly source: {
    readonly width: number;
    readonly height: number;
    readonly format: string;
    readonly bytes: number;
    readonly alpha: boolean;
    readonly grey: boolean;
    readonly bits: number;
    readonly icc: boolean;
  };
  readonly analysis: {
    readonly jpegQuality: number | null;
    /** Of a coarser compression before this file; absent from jobs of earlier versions. */
    readonly earlierJpegQuality?: number | null;
    readonly noiseSigma: number;
    readonly blur: number;
    readonly clean: boolean;
  };
  readonly model: string | null;
  readonly gate: { readonly action: 'copy' | 'soften' | 'restore'; readonly reason: string };
  /** Part of the repair of blur that was blended in; absent where there was none, and from jobs of earlier versions. */
  readonly deblurred?: number;
  readonly strength: number;
  readonly faces: readonly Face[];
  readonly timings: Readonly<Record<string, number>>;
  readonly warnings: readonly string[];
}

export type JobState = 'queued' | 'running' | 'succeeded' | 'failed' | 'cancelled' | 'expired';

export interface Problem {
  readonly code?: number;
  readonly title?: string;
  readonly detail?: string;
  readonly request_id?: string;
}

export interface Job {
  readonly id: string;
  readonly state: JobState;
  readonly progress: number;
  readonly result?: {
    readonly url: string;
    readonly mediaType: string;
    readonly width: number;
    readonly height: number;
    readonly bytes: number;
  };
  readonly report?: Report;
  readonly error?: Problem;
}

/** Choices sent with a picture. Strength is always full: the page blends. */
export interface Settings {
  readonly model: string;
  readonly face: 'auto' | 'off';
  readonly metadata: 'keep' | 'strip';
}

/** A failure with the server's code, or `network` when there was no answer. */
export class ApiError extends Error {
  readonly code: number | 'network' | 'other';
  readonly requestId: string | undefined;
  readonly retryAfter: number | undefined;

  constructor(code: number | 'network' | 'other', detail: string, requestId?: string, retryAfter?: number) {
    super(detail);
    this.code = code;
    this.requestId = requestId;
    this.retryAfter = retryAfter;
  }
}

/** The problem of an answer's body as an ApiError. */
export function fromProblem(problem: Problem | undefined, retryAfter?: number): ApiError {
  return new ApiError(problem?.code ?? 'other', problem?.detail ?? problem?.title ?? '', problem?.request_id, retryAfter);
}
