import { createHmac } from 'node:crypto';
import { type Dispatcher, request } from 'undici';
import { isPostgres } from '../db/dialect.ts';
import type { Db } from '../db/tables.ts';
import { parseLink } from '../fetcher/link.ts';
import { type Job, toJob } from './job.ts';

export interface CallbackOptions {
  readonly attempts: number;
  /** Milliseconds before the second try; each further wait is five times as long, up to an hour. */
  readonly backoff: number;
  /** Milliseconds for one try. */
  readonly timeout: number;
  /** Milliseconds between looks for due callbacks. Default 1000. */
  readonly pollMs?: number;
  readonly onError: (error: unknown, job: string) => void;
}

export interface CallbackDeps {
  readonly db: Db;
  /** The fetcher's guarded dispatcher: a callback reaches no address that a source link may not. */
  readonly dispatcher: Dispatcher;
  /** The secret of the key that submitted the job; undefined when the key is gone. */
  readonly secretOf: (keyId: string) => Promise<string | undefined>;
  /** The body: what a query for the job would answer. */
  readonly answer: (job: Job) => Promise<unknown>;
}

/** Tries made at once. */
const AT_ONCE = 8;
const GROWTH = 5;
const LONGEST_WAIT = 3_600_000;
/** A try that is still going on is not taken up by another process for its time limit and this, ms. */
const MARGIN = 5_000;

interface Due {
  readonly id: string;
  /** 1 for the first try. */
  readonly attempt: number;
  readonly job: Job;
}

/**
 * Delivers callbacks at least once. The row is written with the job's end and removed after a 2xx;
 * a try is noted before it is made, so that a crash in it costs one try and not the delivery.
 */
export class Callbacks {
  readonly #deps: CallbackDeps;
  readonly #options: CallbackOptions;
  readonly #inFlight = new Set<Promise<void>>();
  #timer: NodeJS.Timeout | undefined;
  #looking: Promise<void> | undefined;
  #stopped = false;

  constructor(deps: CallbackDeps, options: CallbackOptions) {
    this.#deps = deps;
    this.#options = options;
  }

  start(): void {
    this.#timer = setInterval(() => this.wake(), this.#options.pollMs ?? 1000);
    this.#timer.unref();
  }

  /** Delivers what is due now. */
  wake(): void {
    this.#looking ??= this.#takeDue()
      .catch((error) => this.#options.onError(error, ''))
      .finally(() => {
        this.#looking = undefined;
      });
  }

  /** Takes no more and waits for the tries that are being made. */
  async stop(): Promise<void> {
    this.#stopped = true;
    clearInterval(this.#timer);
    await this.#looking;
    await Promise.all(this.#inFlight);
  }

  /** Several at once: one slow receiver must not hold up the others. */
  async #takeDue(): Promise<void> {
    while (!this.#stopped && this.#inFlight.size < AT_ONCE) {
      const due = await this.#claim();
      if (!due) return;
      const attempt = this.#attempt(due)
        .catch((error) => this.#options.onError(error, due.job.id))
        .finally(() => {
          this.#inFlight.delete(attempt);
          this.wake();
        });
      this.#inFlight.add(attempt);
    }
  }

  async #attempt(due: Due): Promise<void> {
    try {
      await this.#deliver(due.id, due.job);
      await this.#deps.db.deleteFrom('callbacks').where('id', '=', due.id).execute();
    } catch (error) {
      this.#options.onError(error, due.job.id);
      const isLast = due.attempt >= this.#options.attempts;
      const wait = Math.min(this.#options.backoff * GROWTH ** (due.attempt - 1), LONGEST_WAIT);
      await this.#deps.db
        .updateTable('callbacks')
        .set({ next_at: isLast ? null : Math.round(Date.now() + wait) })
        .where('id', '=', due.id)
        .execute();
    }
  }

  async #claim(): Promise<Due | undefined> {
    const { db } = this.#deps;
    const now = Date.now();
    const row = await db
      .updateTable('callbacks')
      .set((e) => ({ attempts: e('attempts', '+', 1), next_at: Math.round(now + this.#options.timeout + MARGIN) }))
      .where('id', '=', (e) =>
        e
          .selectFrom('callbacks')
          .select('id')
          .where('next_at', '<=', now)
          .orderBy('next_at')
          .limit(1)
          .$if(isPostgres(db), (due) => due.forUpdate().skipLocked()),
      )
      .returningAll()
      .executeTakeFirst();
    if (!row) return undefined;
    const job = await db.selectFrom('jobs').selectAll().where('id', '=', row.job_id).executeTakeFirstOrThrow();
    return { id: row.id, attempt: row.attempts, job: toJob(job) };
  }

  async #deliver(id: string, job: Job): Promise<void> {
    const secret = await this.#deps.secretOf(job.keyId);
    if (secret === undefined || job.callbackUrl === undefined) return;
    const body = JSON.stringify(await this.#deps.answer(job));
    const response = await request(parseLink(job.callbackUrl), {
      method: 'POST',
      dispatcher: this.#deps.dispatcher,
      headers: { 'content-type': 'application/json; charset=utf-8', 'user-agent': 'mingxi', ...signCallback(id, body, secret, Date.now()) },
      body,
      signal: AbortSignal.timeout(this.#options.timeout),
    });
    // The answer's body is of no interest, and there may be a lot of it.
    response.body.on('error', () => undefined).destroy();
    if (response.statusCode < 200 || response.statusCode > 299) throw new Error(`the callback was answered with ${response.statusCode}`);
  }
}

/**
 * Headers by which a receiver knows who sent a callback, when, and whether it came before:
 * `X-Mingxi-Signature` is `v1=` and the hex HMAC-SHA256 of `TIMESTAMP.ID.BODY` under the key's secret.
 * @param id the same for every try of one callback
 */
export function signCallback(id: string, body: string, secret: string, now: number): Record<string, string> {
  const timestamp = String(Math.floor(now / 1000));
  const signature = createHmac('sha256', secret).update(`${timestamp}.${id}.${body}`).digest('hex');
  return {
    'x-mingxi-delivery': id,
    'idempotency-key': id,
    'x-mingxi-timestamp': timestamp,
    'x-mingxi-signature': `v1=${signature}`,
  };
}
