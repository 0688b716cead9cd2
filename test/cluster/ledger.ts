import { ERRORS } from '../../src/errors.ts';

/** A job that the service said it had accepted. */
export interface AcceptedJob {
  readonly id: string;
  readonly pictures: number;
  /** All of its pictures are whole, so that there is no reason for it to fail. */
  readonly whole: boolean;
  state: 'open' | 'succeeded' | 'failed';
}

/** What the clients of a cluster were told, to be compared with what is true. */
export class Ledger {
  readonly jobs = new Map<string, AcceptedJob>();
  /** Submits with an idempotency key: how the service named the job each time it was asked. */
  readonly named = new Map<string, Set<string>>();
  /** Synchronous calls: all, those answered with a picture, those that nobody answered or whose answer broke off. */
  calls = 0;
  answered = 0;
  unanswered = 0;
  /** Refusals by name: documented, so a client knows what to do. */
  readonly refusals = new Map<string, number>();
  /** Whatever must not happen, in words. */
  readonly wrongs: string[] = [];

  accept(id: string, pictures: number, whole: boolean): void {
    if (!this.jobs.has(id)) this.jobs.set(id, { id, pictures, whole, state: 'open' });
  }

  name(idempotencyKey: string, id: string): void {
    this.named.set(idempotencyKey, (this.named.get(idempotencyKey) ?? new Set()).add(id));
  }

  /** An end as a query told it; what was told once must stay so. */
  end(id: string, state: 'succeeded' | 'failed'): void {
    const job = this.jobs.get(id);
    if (!job) throw new Error(`nobody submitted ${id}`);
    if (job.state !== 'open' && job.state !== state) this.wrong(`${id} was told as ${job.state}, then as ${state}`);
    job.state = state;
  }

  open(): AcceptedJob[] {
    return [...this.jobs.values()].filter((job) => job.state === 'open');
  }

  /** A failure as it came over the wire: counted when it is one of the table, wrong when it is not. */
  refusal(status: number, body: { readonly ErrorCode?: unknown; readonly code?: unknown }): void {
    const code = body.ErrorCode ?? body.code;
    const name = Object.entries(ERRORS).find(([, spec]) => spec.code === code)?.[0];
    if (name === undefined) this.wrong(`an answer without a documented code: ${status} ${JSON.stringify(body).slice(0, 200)}`);
    else this.refusals.set(name, (this.refusals.get(name) ?? 0) + 1);
  }

  wrong(words: string): void {
    this.wrongs.push(words);
  }
}
