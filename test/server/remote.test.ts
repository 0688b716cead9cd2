import { copyFileSync, existsSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, test } from 'vitest';
import { AppError } from '../../src/errors.ts';
import type { RestoreTask } from '../../src/pipeline/options.ts';
import type { RunOptions } from '../../src/workers/contract.ts';
import { bodyOf, type TestApp, testApp } from '../support/app.ts';
import { outcomeOf } from '../support/outcome.ts';
import { jpeg } from '../support/pictures.ts';
import { stubRestorer } from '../support/stub-restorer.ts';
import { until } from '../support/until.ts';

/**
 * A server without children and a worker, as two apps over one data folder. What the worker's children
 * would do is the test's to say, so that loads and ends come when they are wanted.
 */
const folders: string[] = [];
const open: TestApp[] = [];
afterEach(async () => {
  await Promise.all(open.splice(0).map((one) => one.app.close()));
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true, force: true });
});

/** A picture in the worker's hands. */
interface Work {
  readonly task: RestoreTask;
  readonly options: RunOptions;
  /** Gives the source back as the result. */
  finish(): void;
  fail(error: unknown): void;
}

async function cluster(overrides: Record<string, unknown> = {}, workers = 1) {
  const data = mkdtempSync(join(tmpdir(), 'mingxi-remote-'));
  folders.push(data);
  const works: Work[] = [];
  const restorer = stubRestorer(
    (task, options = {}) =>
      new Promise((resolve, reject) => {
        options.signal?.addEventListener('abort', () => reject(options.signal?.reason));
        const finish = () => {
          copyFileSync(task.source, task.result);
          resolve(outcomeOf(64, 64, 'jpg'));
        };
        works.push({ task, options, finish, fail: reject });
      }),
  );
  const server = await testApp(data, { role: 'api', ...overrides });
  const worker = await testApp(data, { role: 'worker', drainTimeout: 0, workers, ...overrides }, { restorer });
  open.push(server, worker);
  await server.app.start();
  await worker.app.start();
  const rows = () => server.app.db.selectFrom('jobs').select(['id', 'state', 'kind']).execute();
  const objects = () => {
    const root = join(data, 'objects');
    return existsSync(root) ? readdirSync(root, { recursive: true }).filter((name) => String(name).endsWith('.json')).length : 0;
  };
  return { server, worker, works, rows, objects, data };
}

/** Posts and leaves at will. */
function leavable(url: string, query: string, body: unknown) {
  const controller = new AbortController();
  const answer = fetch(`${url}/v1/aiquality?${query}`, { method: 'POST', body: JSON.stringify(body), signal: controller.signal });
  answer.catch(() => undefined);
  return { answer, leave: () => controller.abort() };
}

const urlOf = ({ app }: TestApp) => {
  const address = app.server.server.address();
  return typeof address === 'object' && address ? `http://127.0.0.1:${address.port}` : '';
};

describe('a synchronous call at a server without children', () => {
  test('is restored by a worker, charged once by the server, and leaves nothing', async () => {
    const t = await cluster();
    const picture = await jpeg(64, 64);
    const call = t.server.post(bodyOf(picture, { report: true }));
    await until(() => t.works.length === 1);
    t.works[0]?.finish();
    const answer = await call;
    expect(answer.statusCode).toBe(200);
    expect(answer.json().media_info_list[0].media_data).toBe(picture.toString('base64'));
    expect(answer.json().media_info_list[0].media_extra.report).toBeDefined();
    await until(async () => (await t.rows()).length === 0 && t.objects() === 0);
    expect(await t.server.app.db.selectFrom('usage').select('pictures').execute()).toEqual([{ pictures: 1 }]);
    expect(await t.server.app.db.selectFrom('reservations').selectAll().execute()).toEqual([]);
  });

  test('with several entries has them restored side by side, answered in order', async () => {
    const t = await cluster({}, 2);
    const pictures = [await jpeg(64, 64), await jpeg(65, 65)];
    const call = t.server.post({
      ...bodyOf(pictures[0] as Buffer),
      media_info_list: pictures.flatMap((one) => bodyOf(one).media_info_list),
    });
    await until(() => t.works.length === 2);
    for (const work of [...t.works].reverse()) work.finish();
    const list = (await call).json().media_info_list as { media_data: string }[];
    expect(list.map((entry) => entry.media_data)).toEqual(pictures.map((picture) => picture.toString('base64')));
  });

  test('fails as the worker says, and is not charged', async () => {
    const t = await cluster();
    const call = t.server.post(bodyOf(await jpeg(64, 64)));
    await until(() => t.works.length === 1);
    t.works[0]?.fail(new AppError('IMAGE_DECODE_ERROR', 'The picture is damaged.'));
    const answer = await call;
    expect([answer.statusCode, answer.json().ErrorMsg, answer.json().message]).toEqual([
      400,
      'IMAGE_DECODE_ERROR',
      'The picture is damaged.',
    ]);
    await until(async () => (await t.rows()).length === 0 && t.objects() === 0);
    expect(await t.server.app.db.selectFrom('usage').select('pictures').execute()).toEqual([]);
  });

  test('that takes too long is answered with 504, and its computing stops', async () => {
    const t = await cluster({ syncTimeout: 1.5 });
    const call = t.server.post(bodyOf(await jpeg(64, 64)));
    await until(() => t.works.length === 1);
    const answer = await call;
    expect([answer.statusCode, answer.json().ErrorMsg]).toEqual([504, 'GATEWAY_TIMEOUT']);
    await until(() => t.works[0]?.options.signal?.aborted === true);
    await until(async () => (await t.rows()).length === 0 && t.objects() === 0);
  });

  test('whose client leaves is stopped when it has begun', async () => {
    const t = await cluster();
    const { leave } = leavable(urlOf(t.server), t.server.query, bodyOf(await jpeg(64, 64)));
    await until(() => t.works.length === 1);
    leave();
    await until(() => t.works[0]?.options.signal?.aborted === true);
    await until(async () => (await t.rows()).length === 0 && t.objects() === 0);
  });

  test('whose client leaves is withdrawn when it has not', async () => {
    const t = await cluster();
    const first = t.server.post(bodyOf(await jpeg(64, 64)));
    await until(() => t.works.length === 1);
    const { leave } = leavable(urlOf(t.server), t.server.query, bodyOf(await jpeg(80, 80)));
    await until(async () => (await t.rows()).some((row) => row.state === 'queued'));
    leave();
    await until(async () => (await t.rows()).length === 1);
    t.works[0]?.finish();
    expect((await first).statusCode).toBe(200);
    // Another call comes through, so the worker is free and has not taken the withdrawn one.
    const next = t.server.post(bodyOf(await jpeg(64, 64)));
    await until(() => t.works.length === 2);
    t.works[1]?.finish();
    expect((await next).statusCode).toBe(200);
    expect(t.works).toHaveLength(2);
  });

  test('is refused at once when it would wait for too long, with Retry-After', async () => {
    // A worker that has measured nothing yet is taken for one that does 1.5 megapixels a second.
    const t = await cluster({ syncTimeout: 10 });
    const call = t.server.post(bodyOf(await jpeg(3980, 3980)));
    await until(() => t.works.length === 1);
    const answer = await t.server.post(bodyOf(await jpeg(64, 64)));
    expect([answer.statusCode, answer.json().ErrorMsg]).toEqual([503, 'ALGORITHM_OVER_CONCURRENT']);
    expect(answer.json().message).toMatch(/would take about 10\.\d s/);
    expect(answer.headers['retry-after']).toBe('11');
    expect(await t.rows()).toHaveLength(1);
    t.works[0]?.finish();
    expect((await call).statusCode).toBe(200);
    // Free again: the next one is let in, whatever it is thought to cost.
    const next = t.server.post(bodyOf(await jpeg(64, 64)));
    await until(() => t.works.length === 2);
    t.works[1]?.finish();
    expect((await next).statusCode).toBe(200);
  });

  test('is refused at once when the queue is full', async () => {
    const t = await cluster({ syncTimeout: 60, queueLimit: 1 });
    const calls = [t.server.post(bodyOf(await jpeg(64, 64)))];
    await until(() => t.works.length === 1);
    calls.push(t.server.post(bodyOf(await jpeg(64, 64))));
    await until(async () => (await t.rows()).length === 2);
    const answer = await t.server.post(bodyOf(await jpeg(64, 64)));
    expect([answer.statusCode, answer.json().ErrorMsg]).toEqual([503, 'ALGORITHM_OVER_CONCURRENT']);
    t.works[0]?.finish();
    await until(() => t.works.length === 2);
    t.works[1]?.finish();
    expect((await Promise.all(calls)).map((one) => one.statusCode)).toEqual([200, 200]);
  });

  test('comes before jobs that wait, and keeps none of them from ever running', async () => {
    const t = await cluster({ syncTimeout: 60 });
    const first = t.server.post(bodyOf(await jpeg(64, 64)));
    await until(() => t.works.length === 1);
    const job = await t.server.app.server.inject({
      method: 'POST',
      url: `/v1/aiquality_async?${t.server.query}`,
      payload: JSON.stringify(bodyOf(await jpeg(90, 90))),
    });
    expect(job.statusCode).toBe(200);
    const calls = await Promise.all(
      [1, 2, 3, 4, 5].map(async () => t.server.post(bodyOf(await jpeg(64, 64)))).map(async (one) => ({ one })),
    );
    await until(async () => (await t.rows()).length === 7);
    const kinds: string[] = [];
    for (let i = 0; i < 7; i++) {
      await until(() => t.works.length === i + 1);
      const running = (await t.rows()).find((row) => row.state === 'running');
      kinds.push(running?.kind ?? '');
      t.works[i]?.finish();
    }
    await first;
    expect((await Promise.all(calls.map(({ one }) => one))).map((answer) => answer.statusCode)).toEqual([200, 200, 200, 200, 200]);
    expect(kinds).toEqual(['call', 'call', 'call', 'job', 'call', 'call', 'call']);
  });
});
