/**
 * A long run of small pictures through a real server: every call must succeed, memory must stay flat,
 * children are replaced on the way. Exit status 1 when one was dropped, or the minutes were over first.
 *
 *   npx tsx scripts/soak.ts [--pictures 10000] [--at-once 4] [--minutes 1000] [--main FILE] [--json FILE]
 */
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { Agent } from 'undici';
import { startVictim } from '../test/hostile/victim.ts';
import { watch } from '../test/hostile/watch.ts';
import { jpeg, png } from '../test/support/pictures.ts';

const { values } = parseArgs({
  options: {
    pictures: { type: 'string', default: '10000' },
    'at-once': { type: 'string', default: '4' },
    minutes: { type: 'string', default: '1000' },
    main: { type: 'string' },
    json: { type: 'string' },
  },
});
const PICTURES = Number(values.pictures);
/** A child is replaced after so many: twenty times in ten thousand pictures. */
const TASKS = 500;
const MB = 2 ** 20;

const data = mkdtempSync(join(existsSync('/dev/shm') ? '/dev/shm' : tmpdir(), 'mingxi-soak-'));
const environment = { MINGXI_WORKERS: '2', MINGXI_THREADS: '1', MINGXI_WORKER_TASKS: String(TASKS), MINGXI_SYNC_TIMEOUT: '120' };
const victim = await startVictim(data, environment, values.main);
const health = watch(victim.pid, victim.url);
const agent = new Agent({ connections: 16 });
const failures: string[] = [];
let done = 0;
try {
  const sides = [48, 64, 80, 96];
  const pictures = await Promise.all(sides.flatMap((side, i) => [jpeg(side, side, { seed: i }), png(side, side, { seed: i })]));
  const bodies = pictures.map((picture) =>
    JSON.stringify({ media_info_list: [{ media_data: picture.toString('base64') }], parameter: {} }),
  );
  const began = performance.now();
  const memory: number[] = [];
  const one = async () => {
    const body = bodies[done % bodies.length] ?? '';
    const { statusCode, body: answer } = await agent.request({
      origin: victim.url,
      path: `/v1/aiquality?${victim.query}`,
      method: 'POST',
      body,
    });
    const text = await answer.text();
    if (statusCode !== 200) failures.push(`${statusCode} ${text.slice(0, 200)}`);
  };
  const work = async () => {
    while (done < PICTURES && victim.ended() === undefined && performance.now() - began < Number(values.minutes) * 60_000) {
      const number = done++;
      await one().catch((error: Error) => failures.push(String(error)));
      if (number % 500 === 499) process.stderr.write(`\r${number + 1}`);
    }
  };
  await Promise.all(Array.from({ length: Number(values['at-once']) }, work));
  const seconds = (performance.now() - began) / 1000;
  const metrics = await (await fetch(`${victim.url}/metrics`)).text();
  const restarts = Number(/^mingxi_worker_restarts (\d+)/m.exec(metrics)?.[1]);
  health.stop();
  memory.push(...health.seen.serverOverTime.map((bytes) => bytes / MB));
  const quarter = (i: number) => median(memory.slice(Math.floor((i * memory.length) / 4), Math.floor(((i + 1) * memory.length) / 4)));
  const quarters = [0, 1, 2, 3].map(quarter);
  process.stderr.write('\n');
  console.log(
    `${done} pictures of 48 to 96 px, ${values['at-once']} at once, ${Math.round(seconds)} s, ${(done / seconds).toFixed(1)} a second`,
  );
  console.log(`not answered with 200: ${failures.length}; children replaced: ${restarts}, seen: ${health.seen.children}`);
  for (const failure of failures.slice(0, 10)) console.log(`  ${failure}`);
  console.log(`server's resident memory, median of each quarter of the time: ${quarters.map((mb) => `${Math.round(mb)} MB`).join(', ')}`);
  console.log(`peaks: server ${Math.round(health.seen.serverPeak / MB)} MB, a child ${Math.round(health.seen.childPeak / MB)} MB`);
  if (values.json)
    writeFileSync(values.json, `${JSON.stringify({ done, seconds, failures, restarts, quarters, memory, seen: health.seen }, null, 1)}\n`);
  process.exitCode = failures.length === 0 && done >= PICTURES ? 0 : 1;
} finally {
  health.stop();
  await victim.stop();
  await agent.close();
  rmSync(data, { recursive: true, force: true });
}

function median(list: readonly number[]): number {
  return [...list].sort((a, b) => a - b)[Math.floor(list.length / 2)] ?? 0;
}
