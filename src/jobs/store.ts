import { randomUUID } from 'node:crypto';
import type { Insertable, Updateable } from 'kysely';
import type { JobTable } from '../db/job-tables.ts';
import { relaxed } from '../db/relaxed.ts';
import type { Db } from '../db/tables.ts';
import { lockFor, type Trx, transact } from '../db/transact.ts';
import { AppError, ERRORS } from '../errors.ts';
import type { Accounting, AccountKey, Work } from './accounting.ts';
import { type Job, type JobFailure, type JobKind, type JobPicture, type JobResult, megapixelsOf, toJob } from './job.ts';
import { TRANSITIONS, type TransitionName } from './states.ts';
import { jobInTurn } from './turn.ts';

/** A job about to be accepted; its sources are in the storage already. */
export interface JobDraft {
  readonly key: AccountKey;
  readonly pictures: readonly JobPicture[];
  readonly wire: unknown;
  readonly callbackUrl?: string | undefined;
  /** With a key that exists already the older job is answered, and nothing is accepted or reserved. */
  readonly idempotencyKey?: string | undefined;
  readonly fingerprint?: string | undefined;
  readonly expiresAt: number;
}

export interface Accepted {
  readonly job: Job;
  /** True when an older job with the same idempotency key stands in. */
  readonly replayed: boolean;
}

export interface StoreLimits {
  /** Most jobs queued or running. */
  readonly jobs: number;
  /** Times a job is taken over from a process that is gone; the next time it fails. */
  readonly takeovers: number;
}

/** Why a running job goes back into the queue. */
export type ReleaseReason =
  /** Its child died: the attempt counts. */
  | 'tried'
  /** It could not be run, or its process ends in good order: the attempt does not count. */
  | 'untried'
  /** Its process is gone. Pictures are the children's work, so this is not taken for the picture's doing. */
  | 'takeover';

/** A running job as its lease tells of it. */
export interface Run {
  readonly id: string;
  readonly owner: string;
  /** Changes as long as the owner lives. */
  readonly beat: string;
}

/** Seconds a client should wait when too many jobs are open. */
const FULL_RETRY = 30;
/** Databases limit the parameters of a statement. */
const MARKS_AT_ONCE = 500;

/**
 * Jobs in the database. Every change of state is one transaction that also settles the quota and
 * writes the callback due, so that a crash leaves all of it or nothing. Acceptance and ends wait for
 * the disk; who runs a job and how far it is does not.
 */
export class JobStore {
  readonly #db: Db;
  readonly #accounting: Accounting;
  readonly #limits: StoreLimits;
  readonly #now: () => number;

  constructor(db: Db, accounting: Accounting, limits: StoreLimits, now: () => number = Date.now) {
    this.#db = db;
    this.#accounting = accounting;
    this.#limits = limits;
    this.#now = now;
  }

  /**
   * Accepts a job: when this resolves it is on disk.
   * @throws AppError RIGHTS_LIMIT_EXCEEDED, ALGORITHM_OVER_CONCURRENT
   */
  accept(draft: JobDraft): Promise<Accepted> {
    const id = randomUUID();
    return transact(this.#db, async (trx, isRepeat) => {
      // The first try's commit may have been done although its answer was lost.
      const accepted = isRepeat && (await trx.selectFrom('jobs').selectAll().where('id', '=', id).executeTakeFirst());
      if (accepted) return { job: toJob(accepted), replayed: false };
      const older = await findReplay(trx, draft);
      if (older) return { job: older, replayed: true };
      await this.#checkRoom(trx);
      await this.#accounting.reserve(draft.key, draft.pictures.length, { id, expiresAt: null }, trx);
      const now = this.#now();
      const row: Insertable<JobTable> = {
        id,
        key_id: draft.key.id,
        state: 'queued',
        megapixels: megapixelsOf(draft.pictures),
        pictures: JSON.stringify(draft.pictures),
        wire: JSON.stringify(draft.wire ?? null),
        callback_url: draft.callbackUrl ?? null,
        idempotency_key: draft.idempotencyKey ?? null,
        fingerprint: draft.fingerprint ?? null,
        available_at: now,
        created_at: now,
        expires_at: Math.round(draft.expiresAt),
      };
      await trx.insertInto('jobs').values(row).execute();
      return { job: toJob(await trx.selectFrom('jobs').selectAll().where('id', '=', id).executeTakeFirstOrThrow()), replayed: false };
    });
  }

  /** The job, unless its time is over. */
  async find(id: string): Promise<Job | undefined> {
    const row = await this.#db.selectFrom('jobs').selectAll().where('id', '=', id).executeTakeFirst();
    return row && row.expires_at > this.#now() && row.state !== 'expired' ? toJob(row) : undefined;
  }

  /**
   * Takes the job whose turn it is, see {@link jobInTurn}; undefined when none is due.
   * @param first of which kind it shall be if there are both
   */
  async claim(owner: string, leaseUntil: number, first: JobKind = 'call'): Promise<Job | undefined> {
    const now = this.#now();
    const take = (trx: Trx, kind: JobKind) =>
      trx
        .updateTable('jobs')
        .set((e) => ({
          state: TRANSITIONS.claim.to,
          owner,
          lease_until: leaseUntil,
          started_at: e.fn.coalesce('started_at', e.val(now)),
          claimed_at: now,
          attempts: e('attempts', '+', 1),
        }))
        .where('state', 'in', TRANSITIONS.claim.from)
        .where('id', '=', jobInTurn(trx, now, kind))
        .returningAll()
        .executeTakeFirst();
    const second = first === 'call' ? 'job' : 'call';
    const row = await relaxed(this.#db, async (trx) => (await take(trx, first)) ?? (await take(trx, second)));
    return row && toJob(row);
  }

  /** Renews leases and writes progress; answers the ids that are no longer this owner's to run. */
  keep(owner: string, progress: ReadonlyMap<string, number>, leaseUntil: number): Promise<readonly string[]> {
    return relaxed(this.#db, async (trx) => {
      const lost: string[] = [];
      for (const [id, value] of progress) {
        const kept = await trx
          .updateTable('jobs')
          .set({ progress: value, lease_until: leaseUntil })
          .where('id', '=', id)
          .where('owner', '=', owner)
          .where('state', '=', 'running')
          .executeTakeFirst();
        if (kept.numUpdatedRows === 0n) lost.push(id);
      }
      return lost;
    });
  }

  /** Puts a running job back into the queue. */
  async release(id: string, owner: string, reason: ReleaseReason, availableAt: number): Promise<boolean> {
    const row = await relaxed(this.#db, (trx) =>
      trx
        .updateTable('jobs')
        .set((e) => ({
          state: TRANSITIONS.release.to,
          ...IDLE,
          progress: 0,
          available_at: Math.round(availableAt),
          attempts: reason === 'tried' ? e.ref('attempts') : e('attempts', '-', 1),
          takeovers: reason === 'takeover' ? e('takeovers', '+', 1) : e.ref('takeovers'),
        }))
        .where('id', '=', id)
        .where('owner', '=', owner)
        .where('state', 'in', TRANSITIONS.release.from)
        .executeTakeFirst(),
    );
    return row.numUpdatedRows > 0n;
  }

  /** Ends a job well and charges it; false when it is no longer this owner's, and then nothing is charged. */
  succeed(id: string, owner: string, results: readonly JobResult[], work: Work): Promise<boolean> {
    return transact(this.#db, async (trx, isRepeat) => {
      const text = JSON.stringify(results);
      const job = await this.#move(trx, 'succeed', id, { ...IDLE, results: text, progress: 1 }, owner);
      if (job) await this.#accounting.charge(id, work, trx);
      // The first try's commit may have been done although its answer was lost; no other process has these results.
      return job !== undefined || (isRepeat && (await hasResults(trx, id, text)));
    });
  }

  /** Ends a job badly: nothing is charged, the failure is counted. */
  fail(id: string, failure: JobFailure, owner?: string): Promise<boolean> {
    return transact(this.#db, async (trx) => {
      const job = await this.#move(trx, 'fail', id, { ...IDLE, error: failure.kind, message: failure.message }, owner);
      if (job) await this.#accounting.refund(id, ERRORS[failure.kind].code, trx);
      return job !== undefined;
    });
  }

  /** Ends a job at its owner's wish, queued or running; false when it had ended already. */
  cancel(id: string): Promise<boolean> {
    return transact(this.#db, async (trx) => {
      const job = await this.#move(trx, 'cancel', id, IDLE);
      if (job) await this.#accounting.refund(id, undefined, trx);
      return job !== undefined;
    });
  }

  /**
   * Takes up what processes that are gone were running: back into the queue, or failed after too many
   * times, because a job that ends its server, by what way ever, must not do so for ever. Of several
   * processes that try it at once, one succeeds.
   * @returns ids of the jobs that wait again, and of those that have ended by it
   */
  async recover(isGone: (run: Run) => boolean): Promise<{ readonly queued: readonly string[]; readonly failed: readonly string[] }> {
    const running = await this.#db
      .selectFrom('jobs')
      .select(['id', 'owner', 'lease_until', 'takeovers'])
      .where('state', '=', 'running')
      .execute();
    const queued: string[] = [];
    const failed: string[] = [];
    for (const { id, owner, lease_until, takeovers } of running) {
      if (owner === null || !isGone({ id, owner, beat: `${owner} ${lease_until}` })) continue;
      if (takeovers < this.#limits.takeovers) {
        if (await this.release(id, owner, 'takeover', this.#now())) queued.push(id);
      } else if (await this.fail(id, interrupted(takeovers + 1), owner)) failed.push(id);
    }
    return { queued, failed };
  }

  /** Marks what is over and answers it, also what a crash left marked; end with {@link remove}. */
  async expire(now: number, limit: number): Promise<readonly Job[]> {
    const rows = await this.#db.selectFrom('jobs').select('id').where('expires_at', '<=', now).orderBy('expires_at').limit(limit).execute();
    const jobs: Job[] = [];
    for (const { id } of rows) {
      const job = await transact(this.#db, async (trx) => {
        await this.#accounting.refund(id, undefined, trx);
        return this.#move(trx, 'expire', id, IDLE);
      });
      if (job) jobs.push(job);
    }
    return jobs;
  }

  /** Forgets an expired job whose objects are deleted. */
  async remove(id: string): Promise<void> {
    await this.#db.deleteFrom('jobs').where('id', '=', id).where('state', '=', 'expired').execute();
  }

  /** Ids of jobs that wait, oldest first, and how many wait in all. */
  async waiting(limit: number): Promise<{ readonly count: number; readonly oldest: readonly string[] }> {
    const now = this.#now();
    const open = this.#db.selectFrom('jobs').where('state', '=', 'queued').where('expires_at', '>', now);
    const { count } = await open.select((e) => e.fn.countAll<number>().as('count')).executeTakeFirstOrThrow();
    const rows = Number(count) === 0 ? [] : await open.select('id').orderBy('available_at').limit(limit).execute();
    return { count: Number(count), oldest: rows.map(({ id }) => id) };
  }

  /** When the job that has waited longest could have been taken first; undefined when none waits. */
  async oldest(): Promise<number | undefined> {
    const row = await this.#db
      .selectFrom('jobs')
      .select((e) => e.fn.min('available_at').as('since'))
      .where('state', '=', 'queued')
      .executeTakeFirst();
    return row?.since === null || row?.since === undefined ? undefined : Number(row.since);
  }

  /** State and progress of jobs as one text each, to see which of them changed; those that are gone are missing. */
  async marks(ids: readonly string[]): Promise<ReadonlyMap<string, string>> {
    const marks = new Map<string, string>();
    for (let from = 0; from < ids.length; from += MARKS_AT_ONCE) {
      const some = ids.slice(from, from + MARKS_AT_ONCE);
      const rows = await this.#db.selectFrom('jobs').select(['id', 'state', 'progress']).where('id', 'in', some).execute();
      for (const { id, state, progress } of rows) marks.set(id, `${state} ${progress}`);
    }
    return marks;
  }

  /** Jobs by state, for metrics. */
  async counts(): Promise<Readonly<Record<string, number>>> {
    const rows = await this.#db
      .selectFrom('jobs')
      .select((e) => ['state', e.fn.countAll<number>().as('count')])
      .groupBy('state')
      .execute();
    return Object.fromEntries(rows.map(({ state, count }) => [state, Number(count)]));
  }

  /** The one statement behind every final transition; undefined when the job was not in a state for it. */
  async #move(trx: Trx, name: TransitionName, id: string, changes: Updateable<JobTable>, owner?: string): Promise<Job | undefined> {
    const { from, to } = TRANSITIONS[name];
    let update = trx
      .updateTable('jobs')
      .set({ ...changes, state: to, ...(to === 'expired' ? {} : { finished_at: this.#now() }) })
      .where('id', '=', id)
      .where('state', 'in', from);
    if (owner !== undefined) update = update.where('owner', '=', owner);
    const row = await update.returningAll().executeTakeFirst();
    if (!row) return undefined;
    const isDue = row.callback_url !== null && (to === 'succeeded' || to === 'failed');
    if (isDue) await trx.insertInto('callbacks').values({ id: randomUUID(), job_id: id, next_at: this.#now() }).execute();
    return toJob(row);
  }

  async #checkRoom(trx: Trx): Promise<void> {
    const { open } = await trx
      .selectFrom('jobs')
      .select((e) => e.fn.countAll<number>().as('open'))
      .where('state', 'in', ['queued', 'running'])
      .executeTakeFirstOrThrow();
    if (Number(open) < this.#limits.jobs) return;
    throw new AppError('ALGORITHM_OVER_CONCURRENT', `${open} jobs are queued or running; at most ${this.#limits.jobs} are accepted.`, {
      retryAfter: FULL_RETRY,
    });
  }
}

/** Columns of a job that no process runs. */
const IDLE = { owner: null, lease_until: null } as const;

/** The failure of a job whose picture ended its child process every time. */
export function gaveUp(attempts: number): JobFailure {
  return { kind: 'PROCESS_ERROR', message: `The restoration was tried ${attempts} times and its process ended each time.` };
}

/** The failure of a job whose server went away every time. */
function interrupted(times: number): JobFailure {
  return { kind: 'PROCESS_ERROR', message: `The restoration was begun ${times} times and the server that ran it stopped each time.` };
}

async function findReplay(trx: Trx, draft: JobDraft): Promise<Job | undefined> {
  if (draft.idempotencyKey === undefined) return undefined;
  await lockFor(trx, `idempotency ${draft.key.id} ${draft.idempotencyKey}`);
  const row = await trx
    .selectFrom('jobs')
    .selectAll()
    .where('key_id', '=', draft.key.id)
    .where('idempotency_key', '=', draft.idempotencyKey)
    .executeTakeFirst();
  return row && toJob(row);
}

async function hasResults(trx: Trx, id: string, results: string): Promise<boolean> {
  return (await trx.selectFrom('jobs').select('id').where('id', '=', id).where('results', '=', results).executeTakeFirst()) !== undefined;
}
