import { execFileSync } from 'node:child_process';
import { chownSync, existsSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Client } from 'pg';
import { afterAll, beforeAll, beforeEach } from 'vitest';
import { asUser, describeWith, findProgram, otherThanRoot, type PrivateServer, privateServer } from './private-server.ts';

/** A private PostgreSQL. `stop('SIGINT')` is its fast shutdown, `'SIGQUIT'` its crash; SIGTERM waits for clients. */
export interface PostgresServer extends PrivateServer {
  /** `postgres://…` of the administrator's database. */
  readonly url: string;
  /** Makes an empty database and answers its URL. */
  createDatabase(): Promise<string>;
  /** Runs SQL as administrator, by default in the administrator's database. */
  query(sql: string, url?: string): Promise<Record<string, unknown>[]>;
}

export interface PostgresOptions {
  /** Default 127.0.0.1. */
  readonly host?: string;
  /** Of postgresql.conf, over ours. */
  readonly settings?: Readonly<Record<string, string>>;
}

const USER = 'mingxi';
/** Signs that a URL must escape, so that every user of the helper tests that it does. */
const PASSWORD = 'pass:w/ord@';
const SETTINGS = {
  max_connections: '200',
  // The machine is not expected to lose power in a test; a killed server loses nothing by this.
  fsync: 'off',
  shared_buffers: '32MB',
  log_min_messages: 'warning',
};

/** Debian keeps the programs outside the PATH, one folder per version; the newest first. */
function programFolders(): readonly string[] {
  const root = '/usr/lib/postgresql';
  if (!existsSync(root)) return [];
  return readdirSync(root)
    .sort((a, b) => Number(b) - Number(a))
    .map((version) => join(root, version, 'bin'));
}

const initdb = findProgram('initdb', programFolders());
const postgres = findProgram('postgres', programFolders());

/** Why tests on PostgreSQL cannot run here; undefined: they can. */
export const postgresMissing: string | undefined =
  initdb && postgres ? undefined : 'PostgreSQL is not installed (apt-get install postgresql)';

/** `describe` of tests that need PostgreSQL; skipped with a line where it is not installed. */
export function describeOnPostgres(name: string, body: () => void): void {
  describeWith(postgresMissing, name, body);
}

/** A PostgreSQL that some tests share, with an empty database for the one that runs. */
export interface FreshDatabase {
  readonly server: PostgresServer;
  readonly url: string;
}

/** `describe` of tests that share a PostgreSQL and have an empty database each; its parts are there once a test runs. */
export function describeOnFreshDatabase(name: string, body: (fresh: FreshDatabase) => void): void {
  describeOnPostgres(name, () => {
    const fresh = {} as { server: PostgresServer; url: string };
    beforeAll(async () => {
      fresh.server = await postgresServer();
    });
    afterAll(() => fresh.server?.close());
    beforeEach(async () => {
      fresh.url = await fresh.server.createDatabase();
    });
    body(fresh);
  });
}

/** Starts a PostgreSQL of its own (about 2 s); close it after use. */
export async function postgresServer({ host = '127.0.0.1', settings = {} }: PostgresOptions = {}): Promise<PostgresServer> {
  if (!initdb || !postgres) throw new Error(postgresMissing);
  const user = otherThanRoot(['postgres', 'nobody']);
  const data = (folder: string) => join(folder, 'data');
  const urlOf = (port: number, database: string) => `postgres://${USER}:${encodeURIComponent(PASSWORD)}@${host}:${port}/${database}`;
  const query = async (url: string, sql: string) => {
    const client = new Client({ connectionString: url, connectionTimeoutMillis: 2000 });
    // A server that is killed later must not end the test's process.
    client.on('error', () => {});
    try {
      await client.connect();
      return (await client.query(sql)).rows as Record<string, unknown>[];
    } finally {
      await client.end().catch(() => {});
    }
  };
  const server = await privateServer({
    name: 'postgres',
    host,
    user,
    prepare(folder) {
      const passwordFile = join(folder, 'password');
      writeFileSync(passwordFile, PASSWORD, { mode: 0o600 });
      if (user) chownSync(passwordFile, user.uid, user.gid);
      const [program, ...parameters] = asUser(
        [initdb, '-D', data(folder), '-U', USER, '-A', 'scram-sha-256', `--pwfile=${passwordFile}`, '-E', 'UTF8', '--locale=C', '-N'],
        user,
      );
      execFileSync(program, parameters, { cwd: folder, stdio: 'pipe' });
    },
    command(folder, port) {
      const all = { ...SETTINGS, port: String(port), listen_addresses: host, unix_socket_directories: folder, ...settings };
      return [postgres, '-D', data(folder), ...Object.entries(all).flatMap(([name, value]) => ['-c', `${name}=${value}`])];
    },
    quit: 'SIGQUIT',
    answers: (port) =>
      query(urlOf(port, 'postgres'), 'select 1').then(
        () => true,
        () => false,
      ),
  });
  let made = 0;
  const url = urlOf(server.port, 'postgres');
  return Object.assign(server, {
    url,
    async createDatabase() {
      const name = `test_${process.pid}_${++made}`;
      await query(url, `create database ${name}`);
      return urlOf(server.port, name);
    },
    query: (sql: string, at = url) => query(at, sql),
  });
}
