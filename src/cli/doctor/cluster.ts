import { type Config, loadConfig } from '../../config.ts';
import { packageVersion } from '../../version.ts';
import type { DoctorFlags } from '../doctor.ts';
import { EXIT } from '../exit.ts';
import { printJson } from '../print.ts';
import { describeProbe, type Probe } from './probe.ts';
import { probeDatabase, probePostgres } from './probe-database.ts';
import { probeRedis } from './probe-redis.ts';
import { probeStorage } from './probe-storage.ts';

/** Everything `doctor --cluster` found; its JSON form. Times in milliseconds. */
interface ClusterFindings {
  readonly mingxi: string;
  readonly node: string;
  readonly role: string;
  readonly probes: readonly Probe[];
  readonly clocks: { readonly spread: number };
  readonly notes: readonly string[];
  readonly problems: readonly string[];
}

/** Clocks may differ by this much, ms: expiry, quotas of a day and signatures go by them (leases do not). */
const MOST_SKEW = 60_000;

/** The whole command; returns the exit status. */
export async function runClusterDoctor(flags: DoctorFlags): Promise<number> {
  const config = loadConfig(process.env, { data: flags.data });
  const findings = await examine(config);
  if (flags.json) printJson(findings);
  else print(findings);
  return findings.problems.length > 0 ? EXIT.failed : EXIT.ok;
}

async function examine(config: Config): Promise<ClusterFindings> {
  const probes = await Promise.all([probeDatabase(config), probeQueue(config), probeStorage(config), probeRateLimits(config)]);
  // This machine's own clock is the measure.
  const clocks = [0, ...probes.flatMap(({ skew }) => (skew === undefined ? [] : [skew]))];
  const spread = Math.max(...clocks) - Math.min(...clocks);
  const late =
    spread > MOST_SKEW
      ? [`the clocks differ by ${(spread / 1000).toFixed(1)} s; expiry, quotas of a day and signatures go by them: run a time service`]
      : [];
  return {
    mingxi: packageVersion(),
    node: process.version,
    role: config.role,
    probes,
    clocks: { spread },
    notes: [...probes.flatMap(({ notes }) => notes), ...togetherness(probes)],
    problems: [...probes.flatMap(({ problems }) => problems), ...late],
  };
}

async function probeQueue(config: Config): Promise<Probe> {
  if (/^rediss?:/.test(config.queueUrl)) return probeRedis('queue', config.queueUrl, 'MINGXI_QUEUE_URL', true);
  if (config.queueUrl === '') return local('queue', 'none', 'workers look into the database once a second');
  return probePostgres('queue', { ...config, databaseUrl: config.queueUrl }, async () => ({ details: ['BullMQ'], problems: [] }));
}

async function probeRateLimits(config: Config): Promise<Probe> {
  if (config.redisUrl !== '') return probeRedis('rate limits', config.redisUrl, 'MINGXI_REDIS_URL', false);
  return local('rate limits', 'memory', "each server counts a key's calls per second by itself");
}

function local(part: Probe['part'], kind: string, detail: string): Probe {
  return { part, kind, place: 'this process', shared: false, reachable: true, details: [detail], notes: [], problems: [] };
}

/** Parts that do not fit together when there are several machines. */
function togetherness(probes: readonly Probe[]): readonly string[] {
  const isShared = (part: Probe['part']) => probes.some((probe) => probe.part === part && probe.shared);
  if (!isShared('database')) {
    return isShared('queue') || isShared('storage')
      ? ['the database is a file: all processes must be on this machine (MINGXI_DATABASE_URL)']
      : ['nothing is shared: this configuration is for one machine'];
  }
  return isShared('storage') ? [] : ['pictures are on the disk: every machine needs the same folder there, or MINGXI_STORAGE=s3'];
}

function print(found: ClusterFindings): void {
  const rows: [string, string][] = [
    ['mingxi', `${found.mingxi}, node ${found.node}, role ${found.role}`],
    ...found.probes.map((probe): [string, string] => [probe.part, describeProbe(probe)]),
    ['clocks', `at most ${found.clocks.spread} ms apart`],
    ...found.notes.map((note): [string, string] => ['note', note]),
    ...found.problems.map((problem): [string, string] => ['PROBLEM', problem]),
  ];
  for (const [name, value] of rows) console.log(`${name.padEnd(12)} ${value}`);
}
