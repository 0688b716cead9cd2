import { existsSync } from 'node:fs';
import { expect, test } from 'vitest';
import { openDatabase } from '../../src/db/database.ts';
import { createKeyStore } from '../../src/db/keys.ts';
import { loadServerKey } from '../../src/db/server-key.ts';
import { scriptedService } from '../client/scripted-service.ts';
import { jpeg, seededRandom } from '../support/pictures.ts';
import { temporaryFolder } from '../support/temporary.ts';
import { pause } from '../support/until.ts';
import { isAlive } from '../workers/task.ts';
import { type ServerProcess, serve } from './server-process.ts';

/** `MINGXI_TEST_KILLS=100 npx vitest run test/e2e/kills.test.ts` is the long run. */
const KILLS = Number(process.env.MINGXI_TEST_KILLS ?? 4);
const SEED = Number(process.env.MINGXI_TEST_KILLS_SEED ?? 1);
/** Accepted jobs that are not known to have ended, at most: enough to keep two workers busy across a restart. */
const OPEN = 24;

/**
 * The real server under asynchronous load; it or one of its workers is killed (-9) at random moments
 * and started again. Afterwards every job the server accepted has ended exactly once, and what was
 * charged is what succeeded. Kills of the server use up no attempts: where it alone is killed, every
 * picture that is whole is restored in the end.
 */
test.skipIf(!existsSync('/proc/self/task')).each([
  ['the server or a worker', KILLS, true],
  ['the server alone', Math.ceil(KILLS / 2), false],
] as const)(
  `%s killed under load, %i times, seed ${SEED}: nothing lost, nothing done or charged twice`,
  async (_, kills, alsoWorkers) => {
    const random = seededRandom(SEED);
    const data = temporaryFolder();
    const { key, secret } = await withDatabase(data, (db) => createKeyStore(db, loadServerKey('', data)).create({ name: 'test' }));
    const query = `api_key=${key.id}&api_secret=${secret}`;
    const receiver = await scriptedService({ status: 200 });
    const environment = {
      ...{ MINGXI_WORKERS: '2', MINGXI_THREADS: '1', MINGXI_FETCH_ALLOW: '127.0.0.1', MINGXI_CALLBACK_BACKOFF: '0.5' },
      MINGXI_CALLBACK_ATTEMPTS: '20',
    };
    const pictures = await Promise.all([64, 120, 200, 320].map((side) => jpeg(side, side)));
    const broken = (pictures[2] as Buffer).subarray(0, 600);
    let server: ServerProcess = await serve(data, environment);
    const former = new Set<number>();

    /** Ids of the jobs the server said it accepted; true once it said how they ended. */
    const accepted = new Map<string, { state: 'open' | 'succeeded' | 'failed'; pictures: number; whole: boolean }>();
    const open = () => [...accepted].filter(([, job]) => job.state === 'open');
    const submit = async () => {
      const count = random() < 0.2 ? 2 : 1;
      const list = Array.from({ length: count }, () => (random() < 0.15 ? broken : pictures[Math.floor(random() * 4)]) as Buffer);
      const body = {
        media_info_list: list.map((picture) => ({ media_data: picture.toString('base64') })),
        parameter: {},
        extra: { callback_url: `${receiver.baseUrl}/` },
      };
      const answer = await fetch(`${server.url}/v1/aiquality_async?${query}`, { method: 'POST', body: JSON.stringify(body) });
      const { msg_id } = (await answer.json()) as { msg_id?: string };
      if (answer.status === 200 && msg_id) accepted.set(msg_id, { state: 'open', pictures: count, whole: !list.includes(broken) });
    };
    const ask = async (id: string) => {
      const answer = await fetch(`${server.url}/v1/query?${query}&msg_id=${id}`);
      const body = (await answer.json()) as { ErrorCode?: number; media_info_list?: unknown[] };
      const job = accepted.get(id);
      if (!job || body.ErrorCode === 29901) return;
      expect([undefined, 20001, 23101], JSON.stringify(body).slice(0, 300)).toContain(body.ErrorCode);
      if (body.ErrorCode === undefined) expect(body.media_info_list).toHaveLength(job.pictures);
      const state = body.ErrorCode === undefined ? 'succeeded' : 'failed';
      // What was said once stays so.
      if (job.state !== 'open') expect(state).toBe(job.state);
      job.state = state;
    };

    let loading = true;
    const load = async () => {
      while (loading) {
        // A dead or starting server refuses; what it had not accepted is nobody's.
        if (open().length < OPEN) await submit().catch((error: unknown) => connectionOnly(error));
        const [some] = open()[Math.floor(random() * open().length)] ?? [];
        if (some) await ask(some).catch((error: unknown) => connectionOnly(error));
        await pause(15);
      }
    };
    const loads = [load(), load()];
    const killed = { server: 0, worker: 0 };
    for (let kill = 0; kill < kills; kill++) {
      // A kill means something only while there is work to lose.
      while (open().length === 0) await pause(20);
      await pause(50 + random() * 1200);
      for (const pid of server.children()) former.add(pid);
      const victim = kill % 2 === 0 || !alsoWorkers ? undefined : server.children()[Math.floor(random() * server.children().length)];
      if (victim === undefined) {
        await server.kill('SIGKILL');
        killed.server++;
        server = await serve(data, environment);
      } else {
        process.kill(victim, 'SIGKILL');
        killed.worker++;
      }
    }
    loading = false;
    await Promise.all(loads);
    for (const id of accepted.keys()) {
      while (accepted.get(id)?.state === 'open') {
        await ask(id);
        await pause(20);
      }
    }
    for (const id of accepted.keys()) await ask(id);
    await withDatabase(data, async (db) => {
      for (;;) {
        const jobs = await db.selectFrom('jobs').select('id').where('state', 'in', ['queued', 'running']).execute();
        const callbacks = await db.selectFrom('callbacks').select('id').where('next_at', 'is not', null).execute();
        if (jobs.length + callbacks.length === 0) break;
        await pause(100);
      }
    });
    for (const pid of server.children()) former.add(pid);
    await server.kill('SIGTERM');
    await receiver.close();

    await withDatabase(data, async (db) => {
      const jobs = await db.selectFrom('jobs').selectAll().execute();
      const states = new Map(jobs.map((job) => [job.id, job.state]));
      for (const [id, job] of accepted) expect(states.get(id), id).toBe(job.state);
      if (!alsoWorkers) for (const [id, job] of accepted) expect(job.state, id).toBe(job.whole ? 'succeeded' : 'failed');
      // Submits whose answer was lost with the server are jobs too, and count like the others.
      const succeeded = jobs.filter((job) => job.state === 'succeeded');
      const failed = jobs.filter((job) => job.state === 'failed');
      expect(succeeded.length + failed.length).toBe(jobs.length);
      const charged = succeeded.reduce((sum, job) => sum + (JSON.parse(job.pictures) as unknown[]).length, 0);
      const usage = await db.selectFrom('usage').selectAll().execute();
      const failures = await db.selectFrom('usage_failures').selectAll().execute();
      const quotas = await db.selectFrom('quotas').selectAll().execute();
      const total = (rows: readonly number[]) => rows.reduce((sum, value) => sum + Number(value), 0);
      expect(total(usage.map((row) => row.pictures))).toBe(charged);
      expect(total(failures.map((row) => row.count))).toBe(failed.length);
      expect(total(quotas.filter((row) => row.period.length === 10).map((row) => row.used))).toBe(charged);
      expect(await db.selectFrom('reservations').selectAll().execute()).toEqual([]);
      // Each end was told at least once, and all tellings of one end are one delivery.
      const deliveries = new Map<string, Set<string>>();
      for (const { body, rawHeaders } of receiver.arrivals) {
        const { msg_id } = JSON.parse(body) as { msg_id: string };
        const id = rawHeaders[rawHeaders.findIndex((name) => name.toLowerCase() === 'x-mingxi-delivery') + 1] ?? '';
        deliveries.set(msg_id, (deliveries.get(msg_id) ?? new Set()).add(id));
      }
      expect([...deliveries.keys()].sort()).toEqual(jobs.map((job) => job.id).sort());
      for (const [id, ids] of deliveries) expect(ids.size, id).toBe(1);
      const gaveUp = failed.filter((job) => job.error === 'PROCESS_ERROR').length;
      if (!alsoWorkers) expect(gaveUp).toBe(0);
      console.log(
        `kills: ${killed.server} of the server, ${killed.worker} of workers; jobs: ${jobs.length} (${accepted.size} acknowledged), ` +
          `${succeeded.length} succeeded, ${failed.length} failed (${gaveUp} given up after several attempts), ` +
          `${jobs.filter((job) => job.attempts > 1).length} tried again, ${jobs.filter((job) => job.takeovers > 0).length} taken over; pictures charged: ${charged}; callbacks: ${receiver.arrivals.length} for ${deliveries.size} ends`,
      );
    });
    // Whatever was killed took its children with it.
    while ([...former].some(isAlive)) await pause(100);
  },
  120_000 + KILLS * 20_000,
);

async function withDatabase<T>(data: string, use: (db: Awaited<ReturnType<typeof openDatabase>>) => Promise<T>): Promise<T> {
  const db = await openDatabase(data);
  try {
    return await use(db);
  } finally {
    await db.destroy();
  }
}

/** The server is down or goes down: the only failure that the load may meet. */
function connectionOnly(error: unknown): void {
  if (error instanceof TypeError || (error as Error).name === 'AbortError') return;
  throw error;
}
