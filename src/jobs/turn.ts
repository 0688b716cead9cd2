import { type RawBuilder, sql } from 'kysely';
import { isPostgres } from '../db/dialect.ts';
import type { Db } from '../db/tables.ts';
import type { JobKind } from './job.ts';

/**
 * No job is put off for longer, ms: what seems to be was put off by a machine whose clock was ahead, and is due.
 */
export const LONGEST_DELAY = 60_000;

/**
 * The id of the job whose turn it is, as a subquery; null when none is due. Keys take turns, so that
 * one with thousands of queued jobs delays no other: the oldest due job of the key that has the fewest
 * running, and among those of the one whose last claim is longest ago.
 *
 * Its cost grows with the keys that have queued jobs, not with the jobs: the keys are found by leaping
 * from each to the next in the index (state, kind, key_id, …), and per key three short looks into an index.
 *
 * PostgreSQL has many writers at once. There the row is locked, and what another claim has locked is
 * passed over, so that claims made at once get different jobs and none waits: the keys are walked in
 * their order and the first job that is nobody's is taken.
 * @param now milliseconds since 1970
 * @param kind turns are taken among jobs of this kind
 */
export function jobInTurn(db: Db, now: number, kind: JobKind = 'job'): RawBuilder<string> {
  const isDue = sql`(available_at <= ${now} or available_at > ${now + LONGEST_DELAY})`;
  const due = sql`state = 'queued' and kind = ${kind} and ${isDue} and expires_at > ${now}`;
  const turns = sql`
    with recursive waiting(key_id) as (
      select min(key_id) from jobs where state = 'queued' and kind = ${kind}
      union all
      select (select min(key_id) from jobs where state = 'queued' and kind = ${kind} and key_id > waiting.key_id)
      from waiting where waiting.key_id is not null
    ),
    candidate as (
      select
        key_id,
        (select id from jobs where key_id = waiting.key_id and ${due} order by available_at, created_at limit 1) as id,
        (select count(*) from jobs where state = 'running' and kind = ${kind} and key_id = waiting.key_id) as running,
        (select coalesce(max(claimed_at), 0) from jobs where key_id = waiting.key_id) as claimed_at
      from waiting where waiting.key_id is not null
    ),
    turn as (
      select candidate.key_id, candidate.id, candidate.running, candidate.claimed_at, jobs.available_at, jobs.created_at
      from candidate join jobs on jobs.id = candidate.id
    )`;
  const inTurn = sql`order by running, claimed_at, available_at, created_at`;
  if (!isPostgres(db)) return sql<string>`(${turns} select id from turn ${inTurn} limit 1)`;
  return sql<string>`(
    select free.id from (${turns} select key_id from turn ${inTurn}) as turn cross join lateral (
      select id from jobs where key_id = turn.key_id and ${due} order by available_at, created_at limit 1 for update skip locked
    ) as free limit 1
  )`;
}
