/**
 * How many jobs a second one server accepts: small pictures by `POST /v2/restore` with `Prefer: respond-async`,
 * each on disk in the stores when it is answered with 202. Nobody works on them meanwhile.
 *
 *   npx tsx scripts/accept-rate.ts [seconds, default 20] [callers at once, default 16]
 *
 * Uses the embedded stores, or what MINGXI_DATABASE_URL, MINGXI_QUEUE_URL and so on name.
 */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Agent } from 'undici';
import { MAIN, serve } from '../test/e2e/server-process.ts';
import { jpeg } from '../test/support/pictures.ts';

const [SECONDS = 20, CALLERS = 16] = process.argv.slice(2).map(Number);
/** Before the first of them everything is warmed up. */
const WARM = 2;

const data = mkdtempSync(join(tmpdir(), 'mingxi-accept-'));
const own = Object.entries(process.env).filter(([name]) => name.startsWith('MINGXI_'));
const environment = { ...(Object.fromEntries(own) as Record<string, string>), MINGXI_ROLE: 'api', MINGXI_JOB_LIMIT: '10000000' };
const command = [
  ...(MAIN.endsWith('.ts') ? ['--import', 'tsx'] : []),
  MAIN,
  'keys',
  'create',
  '--name',
  'accept',
  '--json',
  '--data',
  data,
];
const key = JSON.parse(execFileSync(process.execPath, command, { encoding: 'utf8' })) as { api_key: string; api_secret: string };
const server = await serve(data, environment);
const agent = new Agent({ connections: CALLERS });
try {
  const body = await jpeg(64, 64);
  const headers = {
    ...{ 'x-api-key': key.api_key, 'x-api-secret': key.api_secret },
    ...{ 'content-type': 'image/jpeg', prefer: 'respond-async' },
  };
  const latencies: number[] = [];
  const others: Record<number, number> = {};
  let [cpu, since] = [0, 0];
  const began = performance.now();
  const work = async () => {
    while (performance.now() - began < (WARM + SECONDS) * 1000) {
      const start = performance.now();
      const { statusCode, body: answer } = await agent.request({ origin: server.url, path: '/v2/restore', method: 'POST', headers, body });
      await answer.dump();
      if (start - began < WARM * 1000) continue;
      if (since === 0) [cpu, since] = [processorSeconds(server.pid), start];
      if (statusCode === 202) latencies.push(performance.now() - start);
      else others[statusCode] = (others[statusCode] ?? 0) + 1;
    }
  };
  await Promise.all(Array.from({ length: CALLERS }, work));
  const seconds = (performance.now() - since) / 1000;
  latencies.sort((a, b) => a - b);
  const at = (share: number) => `${Math.round(latencies[Math.floor(latencies.length * share)] ?? 0)} ms`;
  console.log(`${(latencies.length / seconds).toFixed(1)} jobs accepted a second, ${CALLERS} callers at once, ${seconds.toFixed(0)} s`);
  console.log(`p50 ${at(0.5)}, p95 ${at(0.95)}, p99 ${at(0.99)}; other answers: ${JSON.stringify(others)}`);
  console.log(`processor time of the server: ${((1000 * (processorSeconds(server.pid) - cpu)) / latencies.length).toFixed(1)} ms a job`);
} finally {
  await server.kill('SIGKILL');
  await agent.destroy();
  rmSync(data, { recursive: true, force: true });
}

/** Of one process so far. */
function processorSeconds(pid: number): number {
  const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]?.split(' ') ?? [];
  return (Number(fields[11]) + Number(fields[12])) / Number(execFileSync('getconf', ['CLK_TCK'], { encoding: 'utf8' }));
}
