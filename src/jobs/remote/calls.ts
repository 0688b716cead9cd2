import { randomUUID } from 'node:crypto';
import { relaxed } from '../../db/relaxed.ts';
import type { Db } from '../../db/tables.ts';
import { type JobPicture, megapixelsOf } from '../job.ts';

/** A synchronous call's picture about to be queued; its source is in the storage already. */
export interface CallDraft {
  /** Calls of one key take turns with those of others. */
  readonly keyId: string;
  readonly picture: JobPicture;
  readonly expiresAt: number;
}

/** What stands before a call that comes now. */
export interface CallLoad {
  /** Pictures that wait for a slot before it, or have one. */
  readonly open: number;
  /** Megapixels still to be done of them. */
  readonly megapixels: number;
}

/**
 * Synchronous calls as rows beside the jobs: claimed, kept, taken over and ended like them, but
 * reserved and charged by the process that was called, and deleted when it has its answer.
 */
export class Calls {
  readonly #db: Db;

  constructor(db: Db) {
    this.#db = db;
  }

  /** Queues a picture and answers its id. Nothing is on disk for certain: with the machine the caller is gone too. */
  async add({ keyId, picture, expiresAt }: CallDraft): Promise<string> {
    const id = randomUUID();
    const now = Date.now();
    const row = {
      ...{ id, key_id: keyId, kind: 'call', state: 'queued', megapixels: megapixelsOf([picture]) },
      ...{ pictures: JSON.stringify([picture]), wire: 'null', available_at: now, created_at: now, expires_at: expiresAt },
    };
    await relaxed(this.#db, (trx) =>
      trx
        .insertInto('jobs')
        .values(row)
        .onConflict((conflict) => conflict.column('id').doNothing())
        .execute(),
    );
    return id;
  }

  async remove(id: string): Promise<void> {
    await relaxed(this.#db, (trx) => trx.deleteFrom('jobs').where('id', '=', id).execute());
  }

  /** Jobs that have not begun are before other jobs, but not before a call: calls come first, most of the time. */
  async load(before: 'call' | 'job' = 'call'): Promise<CallLoad> {
    const sum = this.#db
      .selectFrom('jobs')
      .select((e) => [
        e.fn.countAll<number>().as('open'),
        e.fn.sum<number | null>(e('megapixels', '*', e(e.val(1), '-', e.ref('progress')))).as('megapixels'),
      ]);
    const queued = sum.where('state', '=', 'queued').where('expires_at', '>', Date.now());
    const [waiting, running] = await Promise.all([
      (before === 'job' ? queued : queued.where('kind', '=', 'call')).executeTakeFirstOrThrow(),
      sum.where('state', '=', 'running').executeTakeFirstOrThrow(),
    ]);
    return {
      open: Number(waiting.open) + Number(running.open),
      megapixels: Number(waiting.megapixels ?? 0) + Number(running.megapixels ?? 0),
    };
  }
}
