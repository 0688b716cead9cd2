/**
 * What a second worker adds: the same jobs with one worker process and with two, each pinned to a core
 * of its own, in turns. The jobs are accepted before the workers start, so that the server has little
 * to do meanwhile; it, its stores and this program are not pinned and take what they need of either
 * core, which is measured. Counted is every job by the share of it that lies between the moment when
 * all workers were pinned and the moment when the last job was begun: in between every worker was busy.
 *
 *   npx tsx scripts/worker-scaling.ts [jobs, default 16] [side in pixels, default 1500] [rounds, default 3]
 *
 * Uses the embedded database and queue, or what MINGXI_DATABASE_URL, MINGXI_QUEUE_URL and so on name.
 * Needs taskset (util-linux), two cores and a machine that does nothing else.
 */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { MAIN, type ServerProcess, serve } from '../test/e2e/server-process.ts';
import { jpeg } from '../test/support/pictures.ts';

const [JOBS = 16, SIDE = 1500, ROUNDS = 3] = process.argv.slice(2).map(Number);
const CORES = [0, 1];
/** Of the times in /proc, a second. */
const TICKS = Number(execFileSync('getconf', ['CLK_TCK'], { encoding: 'utf8' }));

/** Processor seconds by who used them. */
interface Busy {
  readonly children: number;
  readonly workers: number;
  readonly server: number;
  readonly client: number;
  /** The whole machine: the rest is stores, the kernel's own and strangers. */
  readonly all: number;
}

interface Round {
  /** Pictures a second. */
  readonly rate: number;
  readonly seconds: number;
  readonly busy: Busy;
}

const data = mkdtempSync(join(tmpdir(), 'mingxi-scaling-'));
const environment = Object.fromEntries(Object.entries(process.env).filter(([name]) => name.startsWith('MINGXI_'))) as Record<
  string,
  string
>;
const command = [...(MAIN.endsWith('.ts') ? ['--import', 'tsx'] : []), MAIN];
const key = JSON.parse(
  execFileSync(process.execPath, [...command, 'keys', 'create', '--name', 'scaling', '--json', '--data', data], { encoding: 'utf8' }),
) as { api_key: string; api_secret: string };
const api = await serve(data, { ...environment, MINGXI_ROLE: 'api' });
try {
  const picture = await jpeg(SIDE, SIDE);
  const single: Round[] = [];
  const double: Round[] = [];
  for (let i = 0; i < ROUNDS; i++) {
    single.push(await round(CORES.slice(0, 1), picture));
    double.push(await round(CORES, picture));
  }
  console.log(`${JOBS} jobs of ${SIDE}×${SIDE}; a worker has one child of one thread\n`);
  console.log('| | pictures/s of each round | processor s a picture: children | worker processes | server | client | cores busy |');
  console.log('| --- | --- | --: | --: | --: | --: | --: |');
  print('one worker', single);
  print('two workers', double);
  console.log(`\nratio of the medians: ${(middle(double) / middle(single)).toFixed(3)}`);
  console.log(`ratio of each round: ${single.map(({ rate }, i) => ((double[i] as Round).rate / rate).toFixed(3)).join(', ')}`);
  // Alone, a worker has its core for itself and the others have the second one; two workers share theirs with all of it.
  const alone = cost(single, 'children') + cost(single, 'workers');
  const both = (['children', 'workers', 'server', 'client'] as const).reduce((sum, who) => sum + cost(double, who), 0);
  console.log(`what the processor times allow on two cores without strangers: ${((2 * alone) / both).toFixed(3)}`);
} finally {
  await api.kill('SIGKILL');
  rmSync(data, { recursive: true, force: true });
}

/** Pictures per second of one worker on each of these cores. */
async function round(cores: readonly number[], picture: Buffer): Promise<Round> {
  const ids: string[] = [];
  for (let i = 0; i < JOBS; i++) ids.push(await submit(picture));
  const workers = await Promise.all(cores.map(startOn));
  const from = Date.now();
  const before = times(workers);
  const jobs = [];
  for (const id of ids) jobs.push(await ended(id));
  const after = times(workers);
  const seconds = (Date.now() - from) / 1000;
  await Promise.all(workers.map((worker) => worker.kill('SIGTERM')));
  const until = Math.max(...jobs.map(({ begun }) => begun));
  const share = ({ begun, over }: Span) => Math.max(0, Math.min(over, until) - Math.max(begun, from)) / (over - begun);
  const done = jobs.reduce((sum, job) => sum + share(job), 0);
  const busy = Object.fromEntries(Object.entries(after).map(([who, value]) => [who, value - before[who as keyof Busy]]));
  return { rate: done / ((until - from) / 1000), seconds, busy: busy as unknown as Busy };
}

/** Processor seconds so far. */
function times(workers: readonly ServerProcess[]): Busy {
  const sum = (pids: readonly number[]) => pids.reduce((total, pid) => total + secondsOf(pid), 0);
  const { user, system } = process.cpuUsage();
  // The first line: user, nice, system, idle, iowait, irq, softirq, steal.
  const [own = 0, nice = 0, kernel = 0, , , irq = 0, softirq = 0] = readFileSync('/proc/stat', 'utf8').split(/ +/, 8).slice(1).map(Number);
  return {
    children: sum(workers.flatMap((worker) => worker.children())),
    workers: sum(workers.map(({ pid }) => pid)),
    server: secondsOf(api.pid),
    client: (user + system) / 1e6,
    all: (own + nice + kernel + irq + softirq) / TICKS,
  };
}

/** Processor time of one process, without its children. */
function secondsOf(pid: number): number {
  const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]?.split(' ') ?? [];
  return (Number(fields[11]) + Number(fields[12])) / TICKS;
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

/** When a job was begun and when it was over, in milliseconds. */
interface Span {
  readonly begun: number;
  readonly over: number;
}

/** The job's span once it is over. Asking costs the workers' time, so it is done seldom. */
async function ended(id: string): Promise<Span> {
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

function print(name: string, rounds: readonly Round[]): void {
  const shares = (['children', 'workers', 'server', 'client'] as const).map((who) => cost(rounds, who).toFixed(3));
  const cores = rounds.reduce((sum, { busy }) => sum + busy.all, 0) / rounds.reduce((sum, { seconds }) => sum + seconds, 0);
  console.log(`| ${[name, rounds.map(({ rate }) => rate.toFixed(3)).join(', '), ...shares, cores.toFixed(2)].join(' | ')} |`);
}

/** Processor seconds of each picture, on average. */
function cost(rounds: readonly Round[], who: keyof Busy): number {
  return rounds.reduce((sum, { busy }) => sum + busy[who], 0) / (rounds.length * JOBS);
}

function middle(rounds: readonly Round[]): number {
  return rounds.map(({ rate }) => rate).sort((a, b) => a - b)[Math.floor(rounds.length / 2)] ?? 0;
}
