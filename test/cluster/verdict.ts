import { pause } from '../support/until.ts';
import type { Ledger } from './ledger.ts';

/** Runs SQL in the database of the cluster. */
export type Ask = (sql: string) => Promise<Record<string, unknown>[]>;

/** The accounts a load used, and where its callbacks arrived. */
export interface Accounts {
  readonly jobsKey: string;
  readonly callsKey: string;
  readonly told: ReadonlyMap<string, ReadonlySet<string>>;
}

/** What a run with faults came to. The first three must be 0, and `wrongs` empty. */
export interface Verdict {
  readonly lost: number;
  readonly doneTwice: number;
  readonly chargedWrong: number;
  readonly wrongs: readonly string[];
  /** Jobs of whole pictures that ended as failed. */
  readonly gaveUp: number;
  /** Their failures, in the words a client was given. */
  readonly reasons: readonly string[];
  readonly jobs: number;
  readonly acknowledged: number;
  readonly succeeded: number;
  readonly failed: number;
  readonly triedAgain: number;
  readonly takenOver: number;
  readonly charged: number;
  readonly calls: { readonly answered: number; readonly unanswered: number; readonly charged: number };
  readonly refusals: Readonly<Record<string, number>>;
}

/** Everything should have come to rest within this, ms. */
const REST = 180_000;

/** Compares what the clients were told with what is in the database, once that has come to rest. */
export async function judge(ledger: Ledger, accounts: Accounts, ask: Ask): Promise<Verdict> {
  const { jobsKey, callsKey } = accounts;
  await rest(ask, [jobsKey, callsKey], ledger);
  const wrongs = [...ledger.wrongs];
  const jobs = await ask(`select * from jobs where key_id = '${jobsKey}'`);
  const calls = await ask(`select * from jobs where key_id = '${callsKey}' and state = 'succeeded'`);
  const byId = new Map(jobs.map((job) => [String(job.id), job]));
  const ended = jobs.filter((job) => job.state === 'succeeded' || job.state === 'failed');
  const succeeded = jobs.filter((job) => job.state === 'succeeded');
  const failed = jobs.filter((job) => job.state === 'failed');

  let lost = jobs.length - ended.length;
  for (const job of ledger.jobs.values()) {
    const state = byId.get(job.id)?.state;
    if (state === undefined) lost++;
    if (state !== job.state) wrongs.push(`${job.id} was told as ${job.state} and is ${String(state)}`);
  }
  let doneTwice = 0;
  for (const [id, deliveries] of accounts.told) if (byId.has(id) && deliveries.size > 1) doneTwice++;
  for (const [name, ids] of ledger.named) {
    if (ids.size > 1) doneTwice++;
    const same = jobs.filter((job) => job.idempotency_key === `v2:${name}`);
    if (same.length !== 1) wrongs.push(`${same.length} jobs under one idempotency key`);
  }
  const untold = ended.filter((job) => job.callback_url !== null && !accounts.told.has(String(job.id)));
  if (untold.length > 0) wrongs.push(`${untold.length} ends without a callback`);

  const charged = await sumOf(ask, `select sum(pictures) as sum from usage where key_id = '${jobsKey}'`);
  const drawn = await sumOf(ask, `select sum(used) as sum from quotas where key_id = '${jobsKey}' and length(period) = 10`);
  const counted = await sumOf(ask, `select sum(count) as sum from usage_failures where key_id = '${jobsKey}'`);
  const due = succeeded.reduce((sum, job) => sum + (JSON.parse(String(job.pictures)) as unknown[]).length, 0);
  if (counted !== failed.length) wrongs.push(`${counted} failures counted of ${failed.length}`);
  if (drawn !== charged) wrongs.push(`${drawn} drawn from the quota, ${charged} charged`);

  // A call that nobody heard the end of may have been charged, but none of them twice.
  const callsCharged = await sumOf(ask, `select sum(pictures) as sum from usage where key_id = '${callsKey}'`);
  const most = Math.max(ledger.calls, calls.length);
  const callsWrong = Math.max(0, ledger.answered - callsCharged) + Math.max(0, callsCharged - most);

  const whole = new Set([...ledger.jobs.values()].filter((job) => job.whole).map((job) => job.id));
  const gaveUp = failed.filter((job) => whole.has(String(job.id)));
  return {
    lost,
    doneTwice,
    chargedWrong: Math.abs(charged - due) + callsWrong,
    wrongs,
    gaveUp: gaveUp.length,
    reasons: [...new Set(gaveUp.map((job) => `${String(job.error)}: ${String(job.message)}`))],
    jobs: jobs.length,
    acknowledged: ledger.jobs.size,
    succeeded: succeeded.length,
    failed: failed.length,
    triedAgain: jobs.filter((job) => Number(job.attempts) > 1).length,
    takenOver: jobs.filter((job) => Number(job.takeovers) > 0).length,
    charged,
    calls: { answered: ledger.answered, unanswered: ledger.unanswered, charged: callsCharged },
    refusals: Object.fromEntries(ledger.refusals),
  };
}

/** No job is on its way, nothing is reserved, no callback is due. */
async function rest(ask: Ask, keys: readonly string[], ledger: Ledger): Promise<void> {
  const ours = `key_id in (${keys.map((key) => `'${key}'`).join(', ')})`;
  const limit = performance.now() + REST;
  for (;;) {
    const open = await ask(`select id, state, owner, attempts from jobs where state in ('queued', 'running') and ${ours}`);
    const reserved = await ask(`select id, expires_at from reservations where expires_at is null and ${ours}`);
    const due = await ask(
      `select c.id, c.attempts from callbacks c join jobs j on j.id = c.job_id where c.next_at is not null and j.${ours}`,
    );
    if (open.length + reserved.length + due.length === 0) return;
    if (performance.now() > limit) {
      ledger.wrong(`not at rest: ${JSON.stringify({ open, reserved, due }).slice(0, 2_000)}`);
      return;
    }
    await pause(200);
  }
}

const sumOf = async (ask: Ask, sql: string) => Number((await ask(sql))[0]?.sum ?? 0);

/** One line for people. */
export function inWords(verdict: Verdict): string {
  const { calls, refusals } = verdict;
  const refused = Object.entries(refusals).map(([name, count]) => `${name} ${count}`);
  return (
    `jobs ${verdict.jobs} (${verdict.acknowledged} acknowledged): ${verdict.succeeded} succeeded, ${verdict.failed} failed (whole ones: ${[verdict.gaveUp, ...verdict.reasons].join('; ')}), ` +
    `${verdict.triedAgain} tried again, ${verdict.takenOver} taken over; lost ${verdict.lost}, done twice ${verdict.doneTwice}, ` +
    `charged wrongly ${verdict.chargedWrong}; calls ${calls.answered} answered, ${calls.unanswered} unanswered, ${calls.charged} charged; ` +
    `refusals: ${refused.join(', ') || 'none'}`
  );
}
