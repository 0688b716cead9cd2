/**
 * Open-loop load on a real server at shares of its capacity, in turn with the bare process pool, so that
 * what else the machine does touches both alike: each load is compared with the pool before and after it.
 * Arrivals come at random times of a given rate whether or not earlier calls are answered, and latency
 * counts from the time of arrival. Calls are made by this process, on the same cores: what it takes of
 * them, and what the server's own process takes, is measured beside it.
 *
 *   npx tsx scripts/load.ts [--side 1024] [--seconds 20] [--rounds 2] [--deadline 10] [--main FILE] [--json FILE]
 */
import { execFileSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { availableParallelism, tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { Agent } from 'undici';
import { DEFAULT_OPTIONS, DOCUMENTED_LIMITS } from '../src/pipeline/options.ts';
import { createPool } from '../src/workers/pool.ts';
import { Dice } from '../test/hostile/dice.ts';
import { startVictim } from '../test/hostile/victim.ts';
import { watch } from '../test/hostile/watch.ts';
import { jpeg } from '../test/support/pictures.ts';
import { pause } from '../test/support/until.ts';

const { values } = parseArgs({
  options: {
    side: { type: 'string', default: '1024' },
    seconds: { type: 'string', default: '20' },
    rounds: { type: 'string', default: '2' },
    deadline: { type: 'string', default: '10' },
    loads: { type: 'string', default: '0.5,1,2,10' },
    main: { type: 'string' },
    json: { type: 'string' },
  },
});
const [SIDE, SECONDS, ROUNDS, DEADLINE] = [values.side, values.seconds, values.rounds, values.deadline].map(Number) as [
  number,
  number,
  number,
  number,
];
const LOADS = values.loads.split(',').map(Number);
const CORES = availableParallelism();
/** At the beginning of a phase nothing has been finished yet: results count from here, in seconds. */
const RAMP = 2;
const MB = 2 ** 20;

/** What became of one call. Seconds; `at`: when it ended, from the beginning of the phase. */
interface Call {
  readonly status: number;
  readonly retryAfter: boolean;
  readonly latency: number;
  readonly at: number;
}

interface Phase {
  readonly load: number | 'bare';
  /** Calls and results a second. */
  readonly offered: number;
  readonly results: number;
  readonly latencies: readonly number[];
  readonly refusals: readonly number[];
  /** Answers that are neither a result in time nor a refusal that says when to come again. */
  readonly wrong: readonly string[];
  readonly serverMemory: number;
  /** Cores that were busy with making the calls, and with the server's own process. */
  readonly caller: Busy;
  readonly server: Busy;
}

/** Processor time; of it, in the kernel (connections, files, waking others). */
interface Busy {
  readonly all: number;
  readonly kernel: number;
}
const IDLE: Busy = { all: 0, kernel: 0 };

const folder = mkdtempSync(join(existsSync('/dev/shm') ? '/dev/shm' : tmpdir(), 'mingxi-load-'));
const picture = await jpeg(SIDE, SIDE, { noise: 20, quality: 60 });
const source = join(folder, 'source.jpg');
writeFileSync(source, picture);
const body = Buffer.from(JSON.stringify({ media_info_list: [{ media_data: picture.toString('base64') }], parameter: {} }));
/** Of the times in /proc, a second. */
const TICKS = Number(execFileSync('getconf', ['CLK_TCK'], { encoding: 'utf8' }));
const environment = { MINGXI_WORKERS: String(CORES), MINGXI_THREADS: '1', MINGXI_SYNC_TIMEOUT: String(DEADLINE) };
const victim = await startVictim(join(folder, 'data'), environment, values.main);
const agent = new Agent({ headersTimeout: 300_000 });
const pool = createPool({
  workers: CORES,
  threads: 1,
  provider: 'cpu',
  modelsDir: '/nowhere',
  queueLimit: 100,
  maxTasks: 1e9,
  maxMemory: 2 ** 40,
});
try {
  await pool.ready();
  const phases: Phase[] = [];
  await bare(3);
  for (let round = 0; round < ROUNDS; round++) {
    for (const load of LOADS) {
      // Capacity is measured anew before each load: it is what the load is a multiple of.
      const capacity = await bare(SECONDS);
      phases.push(capacity, await offer(load, load * capacity.results, new Dice(round, load * 10)));
    }
  }
  phases.push(await bare(SECONDS));
  report(phases);
  if (values.json) writeFileSync(values.json, `${JSON.stringify(phases, null, 1)}\n`);
} finally {
  await pool.close(0);
  await victim.stop();
  await agent.destroy();
  rmSync(folder, { recursive: true, force: true });
}

/** The pool alone, by path, always as many pictures as children. */
async function bare(seconds: number): Promise<Phase> {
  const began = performance.now();
  const since = () => (performance.now() - began) / 1000;
  const latencies: number[] = [];
  let counted = 0;
  const work = async (child: number) => {
    while (since() < seconds) {
      const start = since();
      await pool.run({ source, result: join(folder, `bare-${child}`), options: DEFAULT_OPTIONS, limits: DOCUMENTED_LIMITS });
      latencies.push(since() - start);
      if (since() > RAMP && since() <= seconds) counted++;
    }
  };
  await Promise.all(Array.from({ length: CORES }, (_, child) => work(child)));
  const results = seconds > RAMP ? counted / (seconds - RAMP) : latencies.length / since();
  return { load: 'bare', offered: results, results, latencies, refusals: [], wrong: [], serverMemory: 0, caller: IDLE, server: IDLE };
}

/** Calls at random times, so many a second on average (a Poisson process), until the phase is over and all are answered. */
async function offer(load: number, rate: number, dice: Dice): Promise<Phase> {
  const health = watch(victim.pid, victim.url);
  const began = performance.now();
  const since = () => (performance.now() - began) / 1000;
  const busy = { caller: process.cpuUsage(), server: secondsOf(victim.pid) };
  const calls: Promise<Call>[] = [];
  for (let arrival = 0; ; ) {
    arrival += -Math.log(1 - dice.next()) / rate;
    if (arrival > SECONDS) break;
    if (arrival > since()) await pause((arrival - since()) * 1000);
    calls.push(call(arrival, since));
  }
  const [time, { user, system }] = [since(), process.cpuUsage(busy.caller)];
  const used = secondsOf(victim.pid);
  const server = { all: (used.all - busy.server.all) / time, kernel: (used.kernel - busy.server.kernel) / time };
  const ended = await Promise.all(calls);
  health.stop();
  const ok = ended.filter(({ status }) => status === 200);
  const refused = ended.filter(({ status, retryAfter }) => (status === 503 || status === 429) && retryAfter);
  const late = ok.filter(({ latency }) => latency > DEADLINE);
  const other = ended.filter((one) => one.status !== 200 && !refused.includes(one));
  return {
    ...{
      load,
      offered: ended.length / SECONDS,
      latencies: ok.map(({ latency }) => latency),
      refusals: refused.map(({ latency }) => latency),
    },
    results: ok.filter(({ at }) => at > RAMP && at <= SECONDS).length / (SECONDS - RAMP),
    wrong: [...late.map(({ latency }) => `late by ${(latency - DEADLINE).toFixed(1)} s`), ...other.map(({ status }) => `status ${status}`)],
    serverMemory: health.seen.serverPeak,
    caller: { all: (user + system) / 1e6 / time, kernel: system / 1e6 / time },
    server,
  };
}

/** Processor time of a process, without its children, in seconds. */
function secondsOf(pid: number): Busy {
  const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]?.split(' ') ?? [];
  const [user, kernel] = [Number(fields[11]) / TICKS, Number(fields[12]) / TICKS];
  return { all: user + kernel, kernel };
}

async function call(arrival: number, since: () => number): Promise<Call> {
  try {
    const {
      statusCode,
      headers,
      body: answer,
    } = await agent.request({ origin: victim.url, path: `/v1/aiquality?${victim.query}`, method: 'POST', body });
    await answer.dump({ limit: 64 * MB });
    return { status: statusCode, retryAfter: headers['retry-after'] !== undefined, latency: since() - arrival, at: since() };
  } catch {
    return { status: 0, retryAfter: false, latency: since() - arrival, at: since() };
  }
}

function report(phases: readonly Phase[]): void {
  console.log(
    `${CORES} cores, ${CORES} children of one thread, pictures of ${SIDE} × ${SIDE}, deadline ${DEADLINE} s, ${ROUNDS} × ${SECONDS} s a load\n`,
  );
  console.log(
    '| load | calls/s | results/s | of the bare pool | p50 s | p95 s | p99 s | refused | refusal p50 s | p99 s | after 1 s | neither | server peak MB | server, cores | of it kernel | caller, cores | of it kernel |',
  );
  console.log('| --: | --: | --: | --: | --: | --: | --: | --: | --: | --: | --: | --: | --: | --: | --: | --: | --: |');
  for (const load of LOADS) {
    const own = phases.filter((phase) => phase.load === load);
    const around = phases.filter(({ load: kind }, i) => kind === 'bare' && [i - 1, i + 1].some((other) => phases[other]?.load === load));
    const mean = (list: readonly number[]) => list.reduce((sum, value) => sum + value, 0) / Math.max(1, list.length);
    const latencies = own.flatMap((phase) => phase.latencies);
    const refusals = own.flatMap((phase) => phase.refusals);
    const wrong = own.flatMap((phase) => phase.wrong);
    const [results, capacity] = [mean(own.map((phase) => phase.results)), mean(around.map((phase) => phase.results))];
    const calls = latencies.length + refusals.length + wrong.length;
    const cells = [
      `${load}×`,
      mean(own.map((phase) => phase.offered)).toFixed(2),
      results.toFixed(2),
      (results / capacity).toFixed(3),
      ...[0.5, 0.95, 0.99].map((share) => at(latencies, share).toFixed(2)),
      `${Math.round((100 * refusals.length) / Math.max(1, calls))} %`,
      ...[0.5, 0.99].map((share) => at(refusals, share).toFixed(3)),
      String(refusals.filter((latency) => latency > 1).length),
      String(wrong.length),
      String(Math.round(Math.max(...own.map((phase) => phase.serverMemory)) / MB)),
      ...(['server', 'caller'] as const).flatMap((who) =>
        (['all', 'kernel'] as const).map((part) => mean(own.map((phase) => phase[who][part])).toFixed(3)),
      ),
    ];
    console.log(`| ${cells.join(' | ')} |`);
    for (const line of new Set(wrong)) console.log(`  ${line}: ${wrong.filter((one) => one === line).length} times`);
  }
  const spread = phases.filter(({ load }) => load === 'bare').map(({ results }) => results.toFixed(2));
  console.log(`\nbare pool, results/s, in order: ${spread.join(', ')}`);
}

function at(list: readonly number[], share: number): number {
  return [...list].sort((a, b) => a - b)[Math.min(list.length - 1, Math.floor(list.length * share))] ?? 0;
}
