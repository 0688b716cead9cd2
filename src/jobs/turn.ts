import { type RawBuilder, sql } from 'kysely';

/**
 * The id of the job whose turn it is, as a subquery; null when none is due. Keys take turns, so that
 * one with thousands of queued jobs delays no other: the oldest due job of the key that has the fewest
 * running, and among those of the one whose last claim is longest ago.
 *
 * Its cost grows with the keys that have queued jobs, not with the jobs: the keys are found by leaping
 * from each to the next in the index (state, key_id, …), and per key three short looks into an index.
 * @param now milliseconds since 1970
 */
export function jobInTurn(now: number): RawBuilder<string> {
  return sql<string>`(
    with recursive waiting(key_id) as (
      select min(key_id) from jobs where state = 'queued'
      union all
      select (select min(key_id) from jobs where state = 'queued' and key_id > waiting.key_id)
      from waiting where waiting.key_id is not null
    ),
    candidate as (
      select
        (select id from jobs
          where state = 'queued' and key_id = waiting.key_id and available_at <= ${now} and expires_at > ${now}
          order by available_at, created_at limit 1) as id,
        (select count(*) from jobs where state = 'running' and key_id = waiting.key_id) as running,
        (select coalesce(max(claimed_at), 0) from jobs where key_id = waiting.key_id) as claimed_at
      from waiting where waiting.key_id is not null
    )
    select candidate.id from candidate join jobs on jobs.id = candidate.id
    order by candidate.running, candidate.claimed_at, jobs.available_at, jobs.created_at limit 1
  )`;
}
