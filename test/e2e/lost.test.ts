import { expect, onTestFinished, test } from 'vitest';
import { MingxiClient } from '../../src/client/index.ts';
import { openDatabase } from '../../src/db/database.ts';
import { createKeyStore } from '../../src/db/keys.ts';
import { loadServerKey } from '../../src/db/server-key.ts';
import { faultProxy } from '../support/fault-proxy.ts';
import { jpeg } from '../support/pictures.ts';
import { describeOnPostgres, postgresServer } from '../support/postgres-server.ts';
import { temporaryFolder } from '../support/temporary.ts';
import { until } from '../support/until.ts';
import { serve } from './server-process.ts';

/** A healthy process ends within a second; one that asks a silent server for its leave adds a few, none of them a statement's whole limit. */
const A_FEW_SECONDS = 20_000;

/** A server whose connections can be lost without a word, and a way beside it. */
async function ground() {
  const postgres = await postgresServer();
  onTestFinished(() => postgres.close());
  const way = await faultProxy(postgres);
  onTestFinished(() => way.close());
  const direct = await postgres.createDatabase();
  const url = new URL(direct);
  url.port = String(way.port);
  return { way, direct, url: url.href };
}

async function secondsOf(work: Promise<void>): Promise<number> {
  const began = performance.now();
  await work;
  return performance.now() - began;
}

describeOnPostgres('a process whose connections to PostgreSQL were lost without a word', () => {
  test('a worker with its queue there ends in good order', async () => {
    const { way, url } = await ground();
    const worker = await serve(temporaryFolder(), { MINGXI_ROLE: 'worker', MINGXI_WORKERS: '1', MINGXI_QUEUE_URL: url });
    // One for announcing, one for news, and two that wait for work.
    await until(() => way.connections >= 4);
    way.lose();
    expect(await secondsOf(worker.kill('SIGTERM'))).toBeLessThan(A_FEW_SECONDS);
  });

  test.each(['lost', 'held'] as const)('a worker with queue and database there, %s: ends within seconds', async (how) => {
    const { way, url } = await ground();
    const environment = { MINGXI_ROLE: 'worker', MINGXI_WORKERS: '1', MINGXI_QUEUE_URL: url, MINGXI_DATABASE_URL: url };
    const worker = await serve(temporaryFolder(), { ...environment, MINGXI_DATABASE_TIMEOUT: '60' });
    await until(() => way.connections >= 6);
    // Held: new connections are not answered either.
    if (how === 'lost') way.lose();
    else way.set('held');
    expect(await secondsOf(worker.kill('SIGTERM'))).toBeLessThan(A_FEW_SECONDS);
  });

  test('what it works on is finished and recorded all the same, once', async () => {
    const { way, direct, url } = await ground();
    const data = temporaryFolder();
    const serverKey = loadServerKey('', data);
    const db = await openDatabase('', { url: direct, connections: 2, timeout: 20_000, patience: 5000, startPatience: 5000, serverKey });
    onTestFinished(() => db.destroy());
    const { key, secret } = await createKeyStore(db, serverKey).create({ name: 'test' });
    const environment = { MINGXI_WORKERS: '1', MINGXI_DRAIN_TIMEOUT: '120', MINGXI_QUEUE_URL: url, MINGXI_DATABASE_URL: url };
    const server = await serve(data, { ...environment, MINGXI_DATABASE_TIMEOUT: '60' });
    const client = new MingxiClient({ baseUrl: server.url, apiKey: key.id, apiSecret: secret });
    const id = await client.submit(await jpeg(1500, 1200));
    const job = () => db.selectFrom('jobs').select(['state', 'takeovers', 'attempts']).where('id', '=', id).executeTakeFirstOrThrow();
    await until(async () => (await job()).state === 'running');
    way.lose();
    await server.kill('SIGTERM');
    expect(await job()).toMatchObject({ state: 'succeeded', takeovers: 0, attempts: 1 });
    expect(await db.selectFrom('reservations').selectAll().execute()).toEqual([]);
    expect((await db.selectFrom('usage').select('pictures').executeTakeFirstOrThrow()).pictures).toBe(1);
  });
});
