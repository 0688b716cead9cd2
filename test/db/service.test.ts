import { copyFile } from 'node:fs/promises';
import { expect, onTestFinished, test } from 'vitest';
import { mingxi } from '../cli/cli.ts';
import { bodyOf, type TestApp, testApp } from '../support/app.ts';
import { outcomeOf } from '../support/outcome.ts';
import { jpeg } from '../support/pictures.ts';
import { describeOnFreshDatabase } from '../support/postgres-server.ts';
import { stubRestorer } from '../support/stub-restorer.ts';
import { temporaryFolder } from '../support/temporary.ts';
import { until } from '../support/until.ts';

describeOnFreshDatabase('the service on PostgreSQL', (fresh) => {
  /** The real service; only the children are spared: a picture comes back as it was. */
  const open = async (overrides: Record<string, unknown> = {}, data = temporaryFolder()): Promise<TestApp & { data: string }> => {
    const copy = stubRestorer(async ({ source, result }) => {
      await copyFile(source, result);
      return outcomeOf(64, 64, 'jpg');
    });
    const t = await testApp(data, { databaseUrl: fresh.url, databaseTimeout: 5, ...overrides }, { restorer: copy });
    onTestFinished(() => t.app.close());
    return { ...t, data };
  };
  const get = async (t: TestApp, path: string) => {
    const answer = await t.app.server.inject(path);
    return { status: answer.statusCode, body: answer.json(), retryAfter: answer.headers['retry-after'] };
  };
  const submit = async (t: TestApp, picture: Buffer) =>
    (await t.app.server.inject({ method: 'POST', url: `/v1/aiquality_async?${t.query}`, payload: JSON.stringify(bodyOf(picture)) })).json()
      .msg_id as string;

  test('calls, jobs, quotas and usage are what they are on the embedded database', async () => {
    const t = await open();
    await t.listen();
    const picture = await jpeg(64, 64);
    expect((await t.post(bodyOf(picture))).statusCode).toBe(200);
    const id = await submit(t, picture);
    await until(async () => (await get(t, `/v1/query?${t.query}&msg_id=${id}`)).status === 200);
    const poor = await t.newKey({ dailyLimit: 1 });
    const call = (query: string) =>
      t.app.server.inject({ method: 'POST', url: `/v1/aiquality?${query}`, payload: JSON.stringify(bodyOf(picture)) });
    expect((await call(poor.query)).statusCode).toBe(200);
    expect((await call(poor.query)).json()).toMatchObject({ ErrorCode: 80001 });
    await until(async () => (await get(t, `/v1/usage?${t.query}`)).body.days[0]?.pictures === 2);
    // What a stranger sends as a key is text with any sign in it.
    for (const key of ['%00', 'a%00b', "'--", '%F0%9F%96%BC']) {
      expect((await get(t, `/v1/usage?api_key=${key}&api_secret=x`)).body).toMatchObject({ ErrorCode: 90002 });
    }
    expect((await get(t, '/readyz')).body.checks.database).toBe('ok');
  });

  test('while it is away: not ready with the reason, 503 with Retry-After; then everything goes on', async () => {
    const t = await open({ databaseTimeout: 2 });
    await t.listen();
    const picture = await jpeg(64, 64);
    expect((await t.post(bodyOf(picture))).statusCode).toBe(200);
    await fresh.server.stop('SIGINT');
    try {
      const away = await get(t, '/readyz');
      expect(away).toMatchObject({ status: 503, body: { status: 'unavailable' } });
      expect(away.body.checks.database).toMatch(/^does not answer \(\w+\)$/);
      const refused = await t.post(bodyOf(picture));
      expect(refused.statusCode).toBe(503);
      expect(refused.json()).toMatchObject({ ErrorCode: 29904, message: 'The database does not answer.' });
      expect(Number(refused.headers['retry-after'])).toBeGreaterThan(0);
      expect(refused.body).not.toMatch(/127\.0\.0\.1|ECONN|pass/);
      expect((await get(t, '/livez')).status).toBe(200);
      const metrics = await t.app.server.inject('/metrics');
      expect(metrics.body).toMatch(/^mingxi_jobs\{state="queued"\} N/im);
      expect(metrics.statusCode).toBe(200);
    } finally {
      await fresh.server.start();
    }
    await until(async () => (await get(t, '/readyz')).status === 200);
    expect((await t.post(bodyOf(picture))).statusCode).toBe(200);
  });

  test('jobs that were accepted before a crash of the database are done after it, once', async () => {
    // This one accepts and leaves the work to others.
    const front = await open({ role: 'api', databaseTimeout: 20 });
    const picture = await jpeg(64, 64);
    const ids = await Promise.all(Array.from({ length: 12 }, () => submit(front, picture)));
    await fresh.server.stop('SIGKILL');
    await fresh.server.start();
    const back = await open({ databaseTimeout: 20, jobConcurrency: 2 }, front.data);
    await back.listen();
    for (const id of ids) await until(async () => (await get(front, `/v1/query?${front.query}&msg_id=${id}`)).status === 200);
    expect((await get(front, `/v1/usage?${front.query}`)).body.days[0]).toMatchObject({ pictures: 12 });
  });

  test('the commands work on it too', { timeout: 300_000 }, async () => {
    const data = temporaryFolder();
    const environment = { MINGXI_DATABASE_URL: fresh.url, MINGXI_DATA: data };
    const run = async (...args: string[]) => {
      const { status, stdout, stderr } = await mingxi(args, { environment });
      return { status, stderr, text: stdout.toString(), json: () => JSON.parse(stdout.toString()) };
    };
    const made = (await run('keys', 'create', '--name', 'phone', '--json')).json();
    expect((await run('keys', 'list', '--json')).json()).toMatchObject([{ api_key: made.api_key, name: 'phone', state: 'valid' }]);
    expect((await run('keys', 'disable', 'phone')).text).toContain('is disabled');
    expect((await run('usage', '--json')).json()).toEqual([]);
    const doctor = await run('doctor', '--no-measure');
    expect(doctor.text).toMatch(/^database +PostgreSQL 1\d.* at 127\.0\.0\.1:\d+: /m);
    for (const { text, stderr } of [doctor, await run('config')]) expect(text + stderr).not.toContain(new URL(fresh.url).password);
    // Another machine has no key file of its own.
    const elsewhere = await mingxi(['keys', 'list'], { environment: { ...environment, MINGXI_DATA: temporaryFolder() } });
    expect(elsewhere.status).not.toBe(0);
    expect(elsewhere.stderr).toContain('MINGXI_SERVER_KEY');
    const nowhere = await mingxi(['keys', 'list'], {
      environment: { ...environment, MINGXI_DATABASE_URL: 'postgres://a:hidden@127.0.0.1:1/b' },
    });
    expect(nowhere.stderr).toContain('The database does not answer.');
    expect(nowhere.stderr).not.toContain('hidden');
  });
});
