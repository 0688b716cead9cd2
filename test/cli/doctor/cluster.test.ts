import { existsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { describeOnPostgres, type PostgresServer, postgresServer } from '../../support/postgres-server.ts';
import { describeOnRedis, type RedisServer, redisServer } from '../../support/redis-server.ts';
import { type S3Server, s3Server } from '../../support/s3-server.ts';
import { temporaryFolder } from '../../support/temporary.ts';
import { mingxi } from '../cli.ts';

interface Found {
  readonly probes: readonly { part: string; kind: string; reachable: boolean; version?: string; skew?: number; details: string[] }[];
  readonly clocks: { readonly spread: number };
  readonly notes: readonly string[];
  readonly problems: readonly string[];
}

const KEY = 'ab'.repeat(32);
/** The command with JSON; its findings and exit status. */
async function examine(environment: Record<string, string>, data = temporaryFolder()): Promise<Found & { status: number | null }> {
  const { status, stdout } = await mingxi(['doctor', '--cluster', '--json', '--data', data], { environment });
  return { status, ...(JSON.parse(stdout.toString()) as Found) };
}

describe('one machine', () => {
  test('says that nothing is shared, makes no database, and is well', async () => {
    const data = temporaryFolder();
    const found = await examine({}, data);
    expect(found).toMatchObject({ status: 0, problems: [], notes: ['nothing is shared: this configuration is for one machine'] });
    expect(found.probes.map(({ part, kind }) => [part, kind])).toEqual([
      ['database', 'SQLite'],
      ['queue', 'none'],
      ['storage', 'disk'],
      ['rate limits', 'memory'],
    ]);
    expect(existsSync(join(data, 'mingxi.sqlite'))).toBe(false);
  });

  test('an existing database: its version and that all migrations are there', async () => {
    const data = temporaryFolder();
    await mingxi(['keys', 'create', '--name', 'one', '--data', data]);
    const database = (await examine({}, data)).probes.find(({ part }) => part === 'database');
    expect(database?.version).toMatch(/^3\.\d+/);
    expect(database?.details[0]).toMatch(/^(\d+) of \1 migrations$/);
  });

  test('a folder that cannot be written is exit 1 and a line', async () => {
    const data = join(temporaryFolder(), 'file');
    writeFileSync(data, '');
    const { status, stdout } = await mingxi(['doctor', '--cluster', '--data', data]);
    expect(status).toBe(1);
    expect(stdout.toString()).toMatch(/^storage +disk at .*: NOT USABLE$/m);
    expect(stdout.toString()).toMatch(/^PROBLEM +the picture store cannot be used: (ENOTDIR|EEXIST)$/m);
  });
});

describe('servers that are not there', () => {
  const gone = { MINGXI_DATABASE_URL: 'postgres://u:hunter2@127.0.0.1:9/x', MINGXI_QUEUE_URL: 'redis://:hunter2@127.0.0.1:9/0' };

  test('each is named with its place and reason, in one run, without secrets; exit 1', async () => {
    const { status, stdout } = await mingxi(['doctor', '--cluster', '--data', temporaryFolder()], {
      environment: { ...gone, MINGXI_REDIS_URL: gone.MINGXI_QUEUE_URL, MINGXI_SERVER_KEY: KEY },
    });
    const text = stdout.toString();
    expect(status).toBe(1);
    expect(text).toMatch(/^database +PostgreSQL at 127\.0\.0\.1:9: NOT USABLE$/m);
    expect(text.match(/^PROBLEM .*ECONNREFUSED$/gm)).toHaveLength(3);
    expect(text).not.toContain('hunter2');
  });

  test('a URL that is none is a wrong configuration: exit 1 with words, no value', async () => {
    const found = await examine({ MINGXI_DATABASE_URL: 'mysql://u:hunter2@host/x' });
    expect(found.status).toBe(1);
    expect(found.problems.join()).toMatch(/MINGXI_DATABASE_URL: expected postgres:/);
    expect(JSON.stringify(found)).not.toContain('hunter2');
  });
});

describeOnPostgres('PostgreSQL', () => {
  let server: PostgresServer;
  beforeAll(async () => {
    server = await postgresServer();
  });
  afterAll(() => server?.close());

  test('version, clock and migrations; it is not changed by looking', async () => {
    const url = await server.createDatabase();
    const environment = { MINGXI_DATABASE_URL: url, MINGXI_QUEUE_URL: url, MINGXI_SERVER_KEY: KEY };
    const empty = await examine(environment);
    expect(empty).toMatchObject({ status: 0, problems: [] });
    expect(empty.notes).toContain('pictures are on the disk: every machine needs the same folder there, or MINGXI_STORAGE=s3');
    expect(empty.probes[0]).toMatchObject({ kind: 'PostgreSQL', version: expect.stringMatching(/^\d+\.\d+/) });
    expect(empty.probes[0]?.details[0]).toMatch(/^empty; the first start makes the tables/);
    expect(await server.query("select 1 from pg_tables where schemaname = 'public'", url)).toEqual([]);
    await mingxi(['keys', 'create', '--name', 'one', '--data', temporaryFolder()], { environment });
    const made = await examine(environment);
    expect(made.probes[0]?.details[0]).toMatch(/^(\d+) of \1 migrations$/);
    expect(made.probes[1]).toMatchObject({ part: 'queue', kind: 'PostgreSQL', reachable: true });
    expect(Math.abs(made.probes[0]?.skew ?? Number.NaN)).toBeLessThan(1_000);
  });

  test('a migration this version does not know, and another server key, are problems', async () => {
    const url = await server.createDatabase();
    const environment = { MINGXI_DATABASE_URL: url, MINGXI_SERVER_KEY: KEY };
    await mingxi(['keys', 'create', '--name', 'one', '--data', temporaryFolder()], { environment });
    const other = await examine({ ...environment, MINGXI_SERVER_KEY: 'cd'.repeat(32) });
    expect(other.status).toBe(1);
    expect(other.problems.join()).toMatch(/^MINGXI_SERVER_KEY: the database was begun with another server key/);
    expect((await examine({ MINGXI_DATABASE_URL: url })).problems.join()).toMatch(/^this machine has no server key/);
    await server.query("insert into kysely_migration values ('9999-future', '2030-01-01')", url);
    const newer = await examine(environment);
    expect(newer.problems.join()).toMatch(/^the database was made by a newer version \(9999-future\)/);
  });
});

describeOnRedis('Redis', () => {
  let server: RedisServer;
  afterAll(() => server?.close());

  test('version and clock; one that may evict the queue is a problem, one that forgets it a note', async () => {
    server = await redisServer({ settings: { appendonly: 'no', maxmemory: '50mb', 'maxmemory-policy': 'allkeys-lru' } });
    const found = await examine({ MINGXI_QUEUE_URL: server.url, MINGXI_REDIS_URL: server.url });
    expect(found.status).toBe(1);
    expect(found.problems).toEqual([expect.stringMatching(/maxmemory-policy allkeys-lru\); set noeviction$/)]);
    expect(found.notes.join()).toMatch(/appendonly no.*the database is a file/);
    expect(found.probes[1]).toMatchObject({ part: 'queue', kind: 'Redis', version: expect.stringMatching(/^\d+\./), reachable: true });
    expect(found.probes[3]).toMatchObject({ part: 'rate limits', kind: 'Redis', details: [] });
  });
});

describe('a bucket', () => {
  let s3: S3Server;
  beforeAll(async () => {
    s3 = await s3Server();
  });
  afterAll(() => s3.close());
  const environment = (): Record<string, string> => ({
    ...{ MINGXI_STORAGE: 's3', MINGXI_S3_ENDPOINT: s3.endpoint, MINGXI_S3_BUCKET: s3.bucket, MINGXI_S3_PATH_STYLE: 'true' },
    ...{ MINGXI_S3_ACCESS_KEY: s3.keys.accessKeyId, MINGXI_S3_SECRET_KEY: s3.keys.secretAccessKey },
  });

  test('an object is written, read and deleted; nothing stays', async () => {
    s3.seen.length = 0;
    const found = await examine(environment());
    expect(found).toMatchObject({ status: 0, problems: [] });
    expect(found.probes[2]).toMatchObject({ kind: 'S3', reachable: true, details: ['an object was written, read and deleted'] });
    expect(Math.abs(found.probes[2]?.skew ?? Number.NaN)).toBeLessThan(2_000);
    const methods = s3.seen.map(({ method }) => method);
    expect(methods.filter((method) => method === 'PUT')).toHaveLength(methods.filter((method) => method === 'DELETE').length);
  });

  test('wrong keys are a problem in words', async () => {
    const found = await examine({ ...environment(), MINGXI_S3_SECRET_KEY: 'another' });
    expect(found.status).toBe(1);
    expect(found.problems.join()).toMatch(/MINGXI_S3_BUCKET: the service refuses the keys/);
  });
});
