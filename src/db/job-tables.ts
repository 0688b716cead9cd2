import type { Generated } from 'kysely';

/** Tables of asynchronous jobs and of what keys have used; conventions as in tables.ts. */
export interface JobTables {
  jobs: JobTable;
  callbacks: CallbackTable;
  reservations: ReservationTable;
  quotas: QuotaTable;
  usage: UsageTable;
  usage_failures: UsageFailureTable;
  workers: WorkerTable;
}

/** One submitted request: its pictures are restored together and succeed or fail together. */
export interface JobTable {
  id: string;
  key_id: string;
  /** `job`: accepted for later, charged here; `call`: one picture of a synchronous call, charged by whom it was called. */
  kind: Generated<string>;
  /** By the sources' headers; how much work it is compared with others. */
  megapixels: Generated<number>;
  /** See jobs/states.ts. */
  state: string;
  /** JSON: pictures to restore, in order. */
  pictures: string;
  /** JSON: what the interface that took the job needs to word its answer; opaque to jobs. */
  wire: string;
  /** JSON: results in order; null until succeeded. */
  results: string | null;
  /** 0…1 over all pictures. */
  progress: Generated<number>;
  /** Tries that the job had, the running one included; one that was broken off from outside does not count. */
  attempts: Generated<number>;
  /** Times a process that ran it was gone. */
  takeovers: Generated<number>;
  /** The process and claim that runs it, and a value that changes as long as it lives; null unless running. */
  owner: string | null;
  lease_until: number | null;
  /** Not taken before. */
  available_at: number;
  /** ErrorName and public message of a failure. */
  error: string | null;
  message: string | null;
  callback_url: string | null;
  /** Caller's own name for the request, unique per key, and a hash of what was asked. */
  idempotency_key: string | null;
  fingerprint: string | null;
  created_at: number;
  /** First and last time a process took it. */
  started_at: number | null;
  claimed_at: number | null;
  finished_at: number | null;
  expires_at: number;
}

/** Callbacks still to be delivered: written with the job's end, removed on delivery. */
export interface CallbackTable {
  id: string;
  job_id: string;
  attempts: Generated<number>;
  /** Not tried before; null once given up. */
  next_at: number | null;
}

/** Pictures taken from a quota by work that is not finished: one row per call or job. */
export interface ReservationTable {
  id: string;
  key_id: string;
  pictures: number;
  /** UTC, `2026-11-22`: the day, and with its first seven characters the month, that was drawn on. */
  day: string;
  /** Given back by the sweep after this time; null while a job stands behind it. */
  expires_at: number | null;
}

/** Pictures used or reserved per key and period (`2026-11-22` or `2026-11`). */
export interface QuotaTable {
  key_id: string;
  period: string;
  used: number;
}

/** What was restored and charged, per key and UTC day. */
export interface UsageTable {
  key_id: string;
  day: string;
  pictures: number;
  megapixels: number;
  seconds: number;
}

/** Failed calls and jobs per key, UTC day and error code. */
export interface UsageFailureTable {
  key_id: string;
  day: string;
  code: number;
  count: number;
}

/** Processes that take jobs; each writes its own row again and again. */
export interface WorkerTable {
  id: string;
  /** Jobs it runs at once. */
  slots: number;
  /** Megapixels a second of one slot, as measured. */
  speed: number;
  /** Grows with every sign of life. */
  beat: number;
  seen_at: number;
}
