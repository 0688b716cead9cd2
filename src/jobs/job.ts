import type { Selectable } from 'kysely';
import type { JobTable } from '../db/job-tables.ts';
import type { ErrorName } from '../errors.ts';
import type { PictureLimits } from '../limits.ts';
import type { RestoreOptions } from '../pipeline/options.ts';
import type { RestoreOutcome } from '../pipeline/report.ts';
import type { JobState } from './states.ts';

/** Where a job's picture comes from: an object of the storage, or a link that is fetched when the job runs. */
export type JobSource = { readonly object: string } | { readonly link: string };

/** `job`: accepted for later; `call`: a picture that a synchronous call waits for. */
export type JobKind = 'job' | 'call';

/** One picture of a job, ready to be restored. */
export interface JobPicture {
  readonly source: JobSource;
  readonly options: RestoreOptions;
  readonly limits: PictureLimits;
  /** Pixels by the source's header, where it was at hand. */
  readonly pixels?: number | undefined;
  /** Milliseconds it may take, where that is less than the configured time. */
  readonly timeout?: number | undefined;
}

/** One picture's result: an object of the storage and what is known of it. */
export interface JobResult {
  readonly object: string;
  readonly outcome: RestoreOutcome;
}

/** Why a job failed; the message is public. */
export interface JobFailure {
  readonly kind: ErrorName;
  readonly message: string;
}

/** A job as every reader sees it. Times are milliseconds since 1970. */
export interface Job {
  readonly id: string;
  readonly keyId: string;
  readonly state: JobState;
  readonly pictures: readonly JobPicture[];
  /** Whatever the interface that took the job stored to word its answer. */
  readonly wire: unknown;
  /** In the order of `pictures`; only when succeeded. */
  readonly results: readonly JobResult[] | undefined;
  readonly failure: JobFailure | undefined;
  /** 0…1. */
  readonly progress: number;
  readonly attempts: number;
  readonly callbackUrl: string | undefined;
  readonly fingerprint: string | undefined;
  readonly createdAt: number;
  readonly startedAt: number | undefined;
  readonly finishedAt: number | undefined;
  readonly expiresAt: number;
}

/** Below this a picture costs its fixed part whatever its size. */
const SMALLEST_MEGAPIXELS = 0.25;
/** A picture whose header nobody has seen yet. */
const USUAL_MEGAPIXELS = 1;

/** How much work a job is, compared with others. */
export function megapixelsOf(pictures: readonly Pick<JobPicture, 'pixels'>[]): number {
  const of = (pixels: number | undefined) => (pixels === undefined ? USUAL_MEGAPIXELS : Math.max(SMALLEST_MEGAPIXELS, pixels / 1e6));
  return pictures.reduce((sum, { pixels }) => sum + of(pixels), 0);
}

/** Every object of the storage that belongs to a job. */
export function objectsOf(job: Job): readonly string[] {
  const sources = job.pictures.flatMap(({ source }) => ('object' in source ? [source.object] : []));
  return [...sources, ...(job.results ?? []).map((result) => result.object)];
}

/** A row of the table as a job. */
export function toJob(row: Selectable<JobTable>): Job {
  return {
    id: row.id,
    keyId: row.key_id,
    state: row.state as JobState,
    pictures: JSON.parse(row.pictures) as JobPicture[],
    wire: JSON.parse(row.wire) as unknown,
    results: row.results === null ? undefined : (JSON.parse(row.results) as JobResult[]),
    failure: row.error === null ? undefined : { kind: row.error as ErrorName, message: row.message ?? '' },
    progress: row.progress,
    attempts: row.attempts,
    callbackUrl: row.callback_url ?? undefined,
    fingerprint: row.fingerprint ?? undefined,
    createdAt: row.created_at,
    startedAt: row.started_at ?? undefined,
    finishedAt: row.finished_at ?? undefined,
    expiresAt: row.expires_at,
  };
}
