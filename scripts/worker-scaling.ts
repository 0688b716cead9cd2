/**
 * What a second worker adds: the same jobs with one worker process and with two, each pinned to a core
 * of its own, in turns. The jobs are accepted before the workers start, so that the server has nothing
 * to do meanwhile. Counted are the jobs that ended between the moment when all workers were pinned and
 * the moment when the last job was begun: in between every worker was busy.
 *
 *   npx tsx scripts/worker-scaling.ts [jobs, default 160] [side in pixels, default 384] [rounds, default 3]
 *
 * Uses the embedded database and queue, or what MINGXI_DATABASE_URL, MINGXI_QUEUE_URL and so on name.
 * Needs taskset (util-linux), two cores and a machine that does nothing else.
 */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { MAIN, type ServerProcess, serve } from '../test/e2e/server-process.ts';
import { jpeg } from '../test/support/pictures.ts';

const [JOBS = 160, SIDE = 384, ROUNDS = 3] = process.argv.slice(2).map(Number);
const CORES = [0, 1];

const data = mkdtempSync(join(tmpdir(), 'mingxi-scaling-'));
const environment = Object.fromEntries(Object.entries(process.env).filter(([name]) => name.startsWith('MINGXI_'))) as Record<
  string,
  string
>;
const key = JSON.parse(
  execFileSync(process.execPath, [...process.execArgv, MAIN, 'keys', 'create', '--name', 'scaling', '--json', '--data', data], {
    encoding: 'utf8',
  }),
) as { api_key: string; api_secret: string };
const api = await serve(data, { ...environment, MINGXI_ROLE: 'api' });
try {
  const picture = await jpeg(SIDE, SIDE);
  const single: number[] = [];
  const double: number[] = [];
  for (let i = 0; i < ROUNDS; i++) {
    single.push(await round(CORES.slice(0, 1), picture));
    double.push(await round(CORES, picture));
  }
  const middle = (list: readonly number[]) => [...list].sort((a, b) => a - b)[Math.floor(list.length / 2)] ?? 0;
  const rates = (list: readonly number[]) => list.map((rate) => rate.toFixed(2)).join(', ');
  console.log(`${JOBS} jobs of ${SIDE}×${SIDE}; pictures per second of each round`);
  console.log(`one worker:  ${rates(single)}`);
  console.log(`two workers: ${rates(double)}`);
  console.log(`ratio of the medians: ${(middle(double) / middle(single)).toFixed(2)}`);
} finally {
  await api.kill('SIGKILL');
  rmSync(data, { recursive: true, force: true });
}

/** Pictures per second of one worker on each of these cores. */
async function round(cores: readonly number[], picture: Buffer): Promise<number> {
  const ids: string[] = [];
  for (let i = 0; i < JOBS; i++) ids.push(await submit(picture));
  const workers = await Promise.all(cores.map(startOn));
  const from = Date.now();
  const jobs = [];
  for (const id of ids) jobs.push(await ended(id));
  await Promise.all(workers.map((worker) => worker.kill('SIGTERM')));
  const until = Math.max(...jobs.map(({ begun }) => begun));
  return jobs.filter(({ over }) => over > from && over <= until).length / ((until - from) / 1000);
}

async function startOn(core: number): Promise<ServerProcess> {
  const worker = await serve(data, { ...environment, MINGXI_ROLE: 'worker', MINGXI_WORKERS: '1', MINGXI_THREADS: '1' });
  for (const pid of [worker.pid, ...worker.children()]) execFileSync('taskset', ['-a', '-c', '-p', String(core), String(pid)]);
  return worker;
}

async function submit(picture: Buffer): Promise<string> {
  const headers = { prefer: 'respond-async', 'content-type': 'image/jpeg' };
  return String((await ask('/v2/restore', { method: 'POST', headers, body: picture as Buffer<ArrayBuffer> })).id);
}

/** When the job was begun and when it was over. Asking costs the workers' time, so it is done seldom. */
async function ended(id: string): Promise<{ begun: number; over: number }> {
  for (;;) {
    const job = await ask(`/v2/jobs/${id}`, {});
    if (job.state === 'succeeded') return { begun: Date.parse(String(job.started_at)), over: Date.parse(String(job.finished_at)) };
    if (job.state !== 'queued' && job.state !== 'running') throw new Error(`a job ended as ${String(job.state)}`);
    await new Promise((resolve) => setTimeout(resolve, 1000));
  }
}

async function ask(path: string, init: RequestInit): Promise<Record<string, unknown>> {
  const answer = await fetch(api.url + path, {
    ...init,
    headers: { ...init.headers, 'x-api-key': key.api_key, 'x-api-secret': key.api_secret },
  });
  if (!answer.ok) throw new Error(`${answer.status} ${await answer.text()}`);
  return (await answer.json()) as Record<string, unknown>;
}
