/**
 * How long a query for a pending job takes while every core restores pictures. Starts a server of its
 * own with as many workers as there are cores, keeps them busy with asynchronous jobs, and asks.
 *
 *   npx tsx scripts/query-latency.ts [questions, default 500]
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { availableParallelism, tmpdir } from 'node:os';
import { join } from 'node:path';
import sharp from 'sharp';
import { MingxiClient } from '../src/client/index.ts';
import { openDatabase } from '../src/db/database.ts';
import { createKeyStore } from '../src/db/keys.ts';
import { loadServerKey } from '../src/db/server-key.ts';
import { serve } from '../test/e2e/server-process.ts';

const QUESTIONS = Number(process.argv[2] ?? 500);
const SIDE = 1600;
const cores = availableParallelism();

const data = mkdtempSync(join(tmpdir(), 'mingxi-latency-'));
const db = await openDatabase(data);
const { key, secret } = await createKeyStore(db, loadServerKey('', data)).create({ name: 'latency' });
await db.destroy();
const server = await serve(data, { MINGXI_WORKERS: String(cores), MINGXI_THREADS: '1' });
try {
  const noise = sharp({
    create: { width: SIDE, height: SIDE, channels: 3, background: '#808080', noise: { type: 'gaussian', mean: 128, sigma: 25 } },
  });
  const picture = await noise.jpeg({ quality: 40 }).toBuffer();
  const client = new MingxiClient({ baseUrl: server.url, apiKey: key.id, apiSecret: secret });
  const ids: string[] = [];
  for (let i = 0; i < cores * 40; i++) ids.push(await client.submit(picture));
  const last = ids.at(-1) ?? '';
  const url = `${server.url}/v1/query?api_key=${key.id}&api_secret=${secret}&msg_id=${last}`;
  const times: number[] = [];
  for (let i = 0; i < QUESTIONS; i++) {
    const start = performance.now();
    const answer = await fetch(url, { method: 'POST' });
    const body = (await answer.json()) as { ErrorCode?: number };
    times.push(performance.now() - start);
    if (body.ErrorCode !== 29901)
      throw new Error(`the job is no longer pending: ask fewer questions (${JSON.stringify(body).slice(0, 200)})`);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  const usage = (await (await fetch(`${server.url}/v1/usage?api_key=${key.id}&api_secret=${secret}`)).json()) as {
    days: { pictures: number }[];
  };
  times.sort((a, b) => a - b);
  const at = (share: number) => (times[Math.min(times.length - 1, Math.floor(times.length * share))] ?? 0).toFixed(1);
  console.log(
    `${QUESTIONS} questions for a pending job; ${cores} cores, ${cores} workers, ${usage.days[0]?.pictures ?? 0} pictures of ${SIDE}×${SIDE} done meanwhile`,
  );
  console.log(`ms: median ${at(0.5)}  p95 ${at(0.95)}  p99 ${at(0.99)}  max ${at(1)}`);
} finally {
  await server.kill('SIGKILL');
  rmSync(data, { recursive: true, force: true });
}
