import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import sharp from 'sharp';
import { expect, onTestFinished, test } from 'vitest';
import { MingxiClient } from '../../src/client/index.ts';
import { openDatabase } from '../../src/db/database.ts';
import { createKeyStore } from '../../src/db/keys.ts';
import { loadServerKey } from '../../src/db/server-key.ts';
import { bodyOf } from '../support/app.ts';
import { jpeg } from '../support/pictures.ts';
import { describeOnPostgres, postgresServer } from '../support/postgres-server.ts';
import { describeOnRedis, redisServer } from '../support/redis-server.ts';
import { temporaryFolder } from '../support/temporary.ts';
import { pause, until } from '../support/until.ts';
import { type ServerProcess, serve } from './server-process.ts';

/** Servers that a cluster stands on; restarting the queue's server loses everything in it. */
interface Ground {
  readonly environment: Record<string, string>;
  readonly databaseUrl?: string;
  readonly restartQueue: (meanwhile: () => Promise<void>) => Promise<void>;
  /** How a worker is lost: it ends, or it says nothing for longer than its lease and comes back. */
  readonly loss: 'SIGKILL' | 'SIGSTOP';
  /** For good. */
  readonly end: () => Promise<void>;
}

/** Short, so that a takeover is a matter of seconds; long enough for a loaded machine. */
const LEASE = '8';

describeOnRedis('a cluster on Redis, SQLite shared', () => {
  test('of two servers and two workers', { timeout: 900_000 }, async () => {
    const redis = await redisServer({ settings: { appendonly: 'no' } });
    onTestFinished(() => redis.close());
    await lifeOf({
      environment: { MINGXI_QUEUE_URL: redis.url },
      async restartQueue(meanwhile) {
        await redis.stop('SIGKILL');
        await meanwhile();
        await redis.start();
      },
      loss: 'SIGKILL',
      end: () => redis.stop('SIGKILL'),
    });
  });
});

describeOnPostgres('a cluster on Postgres for both, database and queue', () => {
  test('of two servers and two workers', { timeout: 900_000 }, async () => {
    const postgres = await postgresServer();
    onTestFinished(() => postgres.close());
    const databaseUrl = await postgres.createDatabase();
    await lifeOf({
      environment: { MINGXI_QUEUE_URL: databaseUrl, MINGXI_DATABASE_URL: databaseUrl },
      databaseUrl,
      async restartQueue(meanwhile) {
        await postgres.query('truncate bullmq.job cascade', databaseUrl);
        await meanwhile();
        await postgres.query('truncate bullmq.job cascade', databaseUrl);
      },
      loss: 'SIGSTOP',
      end: () => postgres.stop('SIGQUIT'),
    });
  });
});

/** Everything a cluster goes through, in one life: its processes take seconds to start. */
async function lifeOf(ground: Ground): Promise<void> {
  const data = temporaryFolder();
  const serverKey = loadServerKey('', data);
  const server = { url: ground.databaseUrl ?? '', connections: 2, timeout: 5000, patience: 5000, startPatience: 5000 };
  const db = await openDatabase(data, ground.databaseUrl === undefined ? undefined : { ...server, serverKey });
  onTestFinished(() => db.destroy());
  const { key, secret } = await createKeyStore(db, serverKey).create({ name: 'test' });
  const processes: ServerProcess[] = [];
  onTestFinished(async () => void (await Promise.all(processes.map((one) => one.kill('SIGKILL')))));
  const start = async (role: string) => {
    const environment = { ...ground.environment, MINGXI_ROLE: role, MINGXI_WORKERS: '1', MINGXI_THREADS: '1' };
    const one = await serve(data, { ...environment, MINGXI_JOB_LEASE: LEASE, MINGXI_SYNC_TIMEOUT: '120' });
    processes.push(one);
    return one;
  };
  const [api, otherApi, worker, otherWorker] = (await Promise.all(['api', 'api', 'worker', 'worker'].map(start))) as [
    ServerProcess,
    ServerProcess,
    ServerProcess,
    ServerProcess,
  ];

  const clientOf = (one: ServerProcess) => new MingxiClient({ baseUrl: one.url, apiKey: key.id, apiSecret: secret });
  const query = `api_key=${key.id}&api_secret=${secret}`;
  const call = async (one: ServerProcess, picture: Buffer, parameter = {}, signal?: AbortSignal) => {
    const request = { method: 'POST', body: JSON.stringify(bodyOf(picture, parameter)), ...(signal ? { signal } : {}) };
    const answer = await fetch(`${one.url}/v1/aiquality?${query}`, request);
    const body = (await answer.json()) as { media_info_list: { media_data: string }[]; ErrorMsg?: string };
    expect([answer.status, body.ErrorMsg]).toEqual([200, undefined]);
    return Buffer.from(body.media_info_list[0]?.media_data ?? '', 'base64');
  };
  const rows = (kind: string) => db.selectFrom('jobs').selectAll().where('kind', '=', kind).execute();
  // The huge one takes seconds, so that its worker is stopped in the middle of it and not at its end.
  const [small, large, huge] = [await jpeg(120, 90), await jpeg(900, 700), await jpeg(2200, 1760)];
  let charged = 0;

  // Servers have no children of their own, workers have one each.
  expect([api, otherApi].map((one) => one.children())).toEqual([[], []]);
  expect(worker.children().length).toBe(1);

  // Synchronous calls, all answered with their own picture; a link works on the other server too.
  const pictures = await Promise.all([60, 70, 80, 90].map((width) => jpeg(width, 50)));
  const answers = await Promise.all(pictures.map((picture, i) => call(i % 2 ? api : otherApi, picture)));
  expect(await Promise.all(answers.map(async (answer) => (await sharp(answer).metadata()).width))).toEqual([60, 70, 80, 90]);
  charged += 4;
  const link = new URL(await linkOf(api, query, small));
  charged++;
  expect((await fetch(new URL(link.pathname, otherApi.url))).status).toBe(200);
  // A refused picture is refused as without a cluster.
  const refused = await fetch(`${api.url}/v1/aiquality?${query}`, { method: 'POST', body: JSON.stringify(bodyOf(small.subarray(0, 300))) });
  expect([refused.status, ((await refused.json()) as { ErrorMsg: string }).ErrorMsg]).toEqual([400, 'IMAGE_DECODE_ERROR']);

  // Asynchronous: accepted here, asked for there.
  const id = await clientOf(api).submit(small);
  expect(await clientOf(otherApi).wait(id, { interval: 50 })).toHaveLength(1);
  charged++;

  // A worker is lost in the middle of a job or a call: it is taken over, once.
  const workers = new Map([worker, otherWorker].map((one) => [one.pid, one]));
  const job = await clientOf(api).submit(huge);
  const waiting = call(otherApi, huge);
  charged += 2;
  const running = async () =>
    (await db.selectFrom('jobs').select(['id', 'owner']).where('state', '=', 'running').orderBy('claimed_at', 'desc').execute()).filter(
      (row) => row.owner,
    );
  // The one begun last has most of its way before it.
  const [first] = await until(async () => {
    const both = await running();
    return both.length === 2 && both;
  });
  const victim = workers.get(Number(first?.owner?.split(':')[1])) as ServerProcess;
  process.kill(victim.pid, 'SIGSTOP');
  expect(await running()).toContainEqual(first);
  if (ground.loss === 'SIGKILL') await victim.kill('SIGKILL');
  expect((await sharp(await waiting).metadata()).width).toBe(2200);
  expect(await clientOf(api).wait(job, { interval: 50 })).toHaveLength(1);
  const after = await db.selectFrom('jobs').select(['id', 'takeovers', 'attempts']).where('id', '=', job).executeTakeFirstOrThrow();
  expect(after).toMatchObject({ attempts: 1, takeovers: first?.id === job ? 1 : 0 });
  if (ground.loss === 'SIGKILL') await start('worker');
  else process.kill(victim.pid, 'SIGCONT');

  // A caller that leaves takes its picture along: nothing of it is kept, nothing charged.
  const leaving = new AbortController();
  const left = call(api, large, {}, leaving.signal).catch((error: Error) => error.name);
  await until(async () => (await rows('call')).some((row) => row.state === 'running'));
  leaving.abort();
  expect(await left).toBe('AbortError');
  await until(async () => (await rows('call')).length === 0);

  // The queue's server forgets everything, before and after jobs are accepted without it.
  const kept = await clientOf(api).submit(small);
  let accepted = '';
  await ground.restartQueue(async () => {
    accepted = await clientOf(otherApi).submit(small);
  });
  charged += 2;
  for (const one of [kept, accepted]) expect(await clientOf(api).wait(one, { interval: 50 })).toHaveLength(1);
  await call(api, small);
  charged++;

  // A server is killed: what it accepted goes on, and the other one answers for it.
  const ids = await Promise.all([small, small, large].map((picture) => clientOf(otherApi).submit(picture)));
  charged += 3;
  await otherApi.kill('SIGKILL');
  for (const one of ids) expect(await clientOf(api).wait(one, { interval: 50 })).toHaveLength(1);

  // Every picture was charged once, nothing is reserved, of calls nothing is left.
  const usage = await db.selectFrom('usage').select('pictures').executeTakeFirstOrThrow();
  expect(Number(usage.pictures)).toBe(charged);
  expect(await db.selectFrom('reservations').selectAll().execute()).toEqual([]);
  await until(async () => (await rows('call')).length === 0);
  const objects = (await rows('job')).flatMap((row) => [...JSON.parse(row.pictures), ...JSON.parse(row.results ?? '[]')]).length;
  // The result that was asked for as a link is kept beside those of the jobs.
  await until(() => storedIn(data) === objects + 1);

  const metrics = await (await fetch(`${processes.at(-1)?.url}/metrics`)).text();
  expect(metrics).toMatch(/^mingxi_jobs\{state="succeeded"\} [1-9]/m);
  expect(metrics).toMatch(/^mingxi_jobs_oldest_seconds 0$/m);
  // An orderly end with work in hand: it goes back and is done by another.
  const last = await clientOf(api).submit(large);
  await until(async () => (await running()).length === 1);
  const owner = Number((await running())[0]?.owner?.split(':')[1]);
  await Promise.all([processes.find((one) => one.pid === owner)?.kill('SIGTERM'), pause(10)]);
  expect(await clientOf(api).wait(last, { interval: 50 })).toHaveLength(1);
  expect((await db.selectFrom('jobs').select('takeovers').where('id', '=', last).executeTakeFirstOrThrow()).takeovers).toBe(0);

  // Whoever is left ends in order although nothing answers any more.
  await ground.end();
  await Promise.all(processes.map((one) => one.kill('SIGTERM')));
}

async function linkOf(one: ServerProcess, query: string, picture: Buffer): Promise<string> {
  const body = JSON.stringify(bodyOf(picture, { rsp_media_type: 'url' }));
  const answer = await fetch(`${one.url}/v1/aiquality?${query}`, { method: 'POST', body });
  return ((await answer.json()) as { media_info_list: { media_data: string }[] }).media_info_list[0]?.media_data ?? '';
}

/** Stored objects, each with its description. */
function storedIn(data: string): number {
  return readdirSync(join(data, 'objects'), { recursive: true }).filter((name) => String(name).endsWith('.json')).length;
}
