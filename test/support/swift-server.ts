import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir, userInfo } from 'node:os';
import { join } from 'node:path';
import { CreateBucketCommand, S3Client } from '@aws-sdk/client-s3';
import { describeWith, findProgram, type PrivateServer, privateServer } from './private-server.ts';
import type { S3Keys } from './s3-signature.ts';

/** A production S3 surface: OpenStack Swift with its `s3api` filter, which checks every signature. */
export interface SwiftServer {
  readonly endpoint: string;
  readonly bucket: string;
  readonly keys: S3Keys;
  /** The program that speaks S3. */
  readonly proxy: PrivateServer;
  /** The programs behind it: accounts, containers, objects, cache. */
  readonly stores: readonly PrivateServer[];
  close(): Promise<void>;
}

const BUCKET = 'pictures';
const KEYS: S3Keys = { accessKeyId: 'mingxi:tester', secretAccessKey: 'a-secret/with+signs' };
const STORES = ['account', 'container', 'object'] as const;
/** Filters that Debian's own configuration has too and that s3api needs around it. */
const FILTERS = ['catch_errors', 'gatekeeper', 'healthcheck', 'listing_formats', 'bulk', 'slo', 'dlo'];

const memcached = findProgram('memcached');
const programOf = (name: string) => `/usr/bin/swift-${name}-server`;
const isInstalled = memcached !== undefined && ['proxy', ...STORES].every((name) => existsSync(programOf(name)));

/** Why tests on Swift cannot run here; undefined: they can. */
export const swiftMissing: string | undefined = isInstalled
  ? undefined
  : 'Swift is not installed (apt-get install swift-proxy swift-account swift-container swift-object memcached)';

/** `describe` of tests that need Swift; skipped with a line where it is not installed. */
export function describeOnSwift(name: string, body: () => void): void {
  describeWith(swiftMissing, name, body);
}

/**
 * Starts Swift with one device in a temporary folder and makes a bucket (5 to 20 s: five Python
 * programs); close it after use.
 * @param host address the S3 surface listens on; what is behind it is on loopback
 */
export async function swiftServer(host = '127.0.0.1'): Promise<SwiftServer> {
  if (!memcached) throw new Error(swiftMissing);
  const shared = mkdtempSync(join(tmpdir(), 'mingxi-swift-'));
  const running: PrivateServer[] = [];
  const start = async (name: string, on: string, command: (folder: string, port: number) => readonly [string, ...string[]]) => {
    const server = await privateServer({ name: `swift-${name}`, host: on, user: undefined, command, answers: (port) => accepts(on, port) });
    running.push(server);
    return server;
  };
  const close = async () => {
    for (const server of running) await server.close();
    rmSync(shared, { recursive: true, force: true });
  };
  try {
    const [cache, ...stores] = await settled([
      start('cache', '127.0.0.1', (_, port) => [memcached, '-l', '127.0.0.1', '-p', String(port), '-m', '16', '-u', userInfo().username]),
      ...STORES.map((name) => start(name, '127.0.0.1', (folder, port) => configured(name, folder, storeConfiguration(name, folder, port)))),
    ]);
    buildRings(
      shared,
      stores.map((store) => store.port),
    );
    const proxy = await start('proxy', host, (folder, port) =>
      configured('proxy', folder, proxyConfiguration(folder, shared, host, port, cache?.port ?? 0)),
    );
    const endpoint = `http://${host}:${proxy.port}`;
    await makeBucket(endpoint);
    return { endpoint, bucket: BUCKET, keys: KEYS, proxy, stores: running.filter((server) => server !== proxy), close };
  } catch (error) {
    await close();
    throw error;
  }
}

/** All results, or the first failure once nothing is under way any more. */
async function settled<T>(all: readonly Promise<T>[]): Promise<T[]> {
  await Promise.allSettled(all);
  return Promise.all(all);
}

/** Where each kind of store is: one device, one copy. One Python process for the three, because its start is what takes time. */
function buildRings(folder: string, ports: readonly number[]): void {
  const places = JSON.stringify(Object.fromEntries(STORES.map((name, i) => [name, ports[i]])));
  const program = `
import json, os, sys
from swift.common.ring import RingBuilder
for name, port in json.loads(sys.argv[1]).items():
    builder = RingBuilder(4, 1, 0)
    place = {'ip': '127.0.0.1', 'port': port, 'replication_ip': '127.0.0.1', 'replication_port': port}
    builder.add_dev({'region': 1, 'zone': 1, 'device': 'one', 'weight': 1.0, 'meta': '', **place})
    builder.rebalance()
    builder.get_ring().save(os.path.join(sys.argv[2], name + '.ring.gz'))
`;
  execFileSync('/usr/bin/python3', ['-c', program, places, folder], { stdio: 'pipe' });
}

function configured(name: string, folder: string, configuration: string): readonly [string, ...string[]] {
  const file = join(folder, `${name}.conf`);
  writeFileSync(file, configuration);
  return [programOf(name), file];
}

const common = (folder: string, host: string, port: number) => `[DEFAULT]
bind_ip = ${host}
bind_port = ${port}
workers = 0
user = ${userInfo().username}
log_address = ${join(folder, 'no-log')}
client_timeout = 60
`;

/** Time limits are long: a machine with other work to do answers late, and a listing must not lag behind. */
const PATIENT = `node_timeout = 60
conn_timeout = 10
container_update_timeout = 60
`;

function storeConfiguration(name: (typeof STORES)[number], folder: string, port: number): string {
  mkdirSync(join(folder, 'devices', 'one'), { recursive: true });
  return `${common(folder, '127.0.0.1', port)}devices = ${join(folder, 'devices')}
mount_check = false
fallocate_reserve = 0
recon_cache_path = ${folder}
${PATIENT}
[pipeline:main]
pipeline = ${name}-server
[app:${name}-server]
use = egg:swift#${name}
${PATIENT}`;
}

function proxyConfiguration(folder: string, rings: string, host: string, port: number, cache: number): string {
  return `${common(folder, host, port)}swift_dir = ${rings}
[pipeline:main]
pipeline = catch_errors gatekeeper healthcheck cache listing_formats bulk s3api tempauth slo dlo proxy-server
[app:proxy-server]
use = egg:swift#proxy
account_autocreate = true
${PATIENT}
[filter:s3api]
use = egg:swift#s3api
location = us-east-1
[filter:tempauth]
use = egg:swift#tempauth
user_${KEYS.accessKeyId.replace(':', '_')} = ${KEYS.secretAccessKey} .admin
[filter:cache]
use = egg:swift#memcache
memcache_servers = 127.0.0.1:${cache}
${FILTERS.map((name) => `[filter:${name}]\nuse = egg:swift#${name}\n`).join('')}`;
}

async function makeBucket(endpoint: string): Promise<void> {
  const client = new S3Client({ endpoint, region: 'us-east-1', forcePathStyle: true, credentials: KEYS, maxAttempts: 10 });
  await client.send(new CreateBucketCommand({ Bucket: BUCKET }));
  client.destroy();
}

function accepts(host: string, port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, host);
    socket.once('connect', () => {
      resolve(true);
      socket.destroy();
    });
    socket.once('error', () => resolve(false));
  });
}
