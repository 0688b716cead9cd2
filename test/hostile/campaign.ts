import { appendFileSync, existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Agent } from 'undici';
import { until } from '../support/until.ts';
import type { Arsenal, Attack } from './attack.ts';
import { attacks } from './attacks.ts';
import { Client } from './client.ts';
import { seedFiles } from './files.ts';
import { startCanaries, startSource } from './hostile-hosts.ts';
import { type Slowness, slowClients } from './slow-clients.ts';
import { startVictim } from './victim.ts';
import { type Sightings, watch } from './watch.ts';

export interface CampaignOptions {
  readonly cases: number;
  readonly seed: number;
  /** First case; the others follow. */
  readonly from?: number;
  /** Attacks at once: below the queue's limit, so that no answer may speak of overload. */
  readonly atOnce?: number;
  readonly slowClients?: number;
  /** File of the command, built. */
  readonly main?: string;
  /** Folder for the requests that broke a promise. */
  readonly keep?: string;
  readonly onProgress?: (done: number) => void;
}

export interface CampaignResult {
  readonly cases: number;
  readonly seconds: number;
  /** Outcomes by family: `ok`, names of errors, statuses. */
  readonly outcomes: Readonly<Record<string, Readonly<Record<string, number>>>>;
  /** Promises broken, in words; empty is the aim. */
  readonly wrong: readonly string[];
  readonly seen: Sightings;
  readonly slow: Slowness;
  /** Children that ended by themselves, in the log's words. */
  readonly crashes: readonly string[];
  /** Files left after results expired, by path. */
  readonly left: readonly string[];
  readonly canaries: readonly string[];
  readonly contacts: readonly string[];
  readonly exit: number | string;
}

const MB = 2 ** 20;
/** Base of links to results: whatever a request says of its host, no other may appear. */
export const PUBLIC_URL = 'https://img.example.org';
/** Least side of a picture that is taken here, px. */
export const SMALLEST_SIDE = 8;
/** A result lives so long here, in seconds. */
const LIFE = 36;

const ENVIRONMENT = {
  // Many odd files are 32 px wide: they are to reach the decoders.
  ...{ MINGXI_MIN_SIDE: String(SMALLEST_SIDE) },
  ...{ MINGXI_WORKERS: '2', MINGXI_THREADS: '1', MINGXI_PUBLIC_URL: PUBLIC_URL, MINGXI_SYNC_TIMEOUT: '120' },
  ...{ MINGXI_FETCH_TIMEOUT: '1', MINGXI_CALLBACK_ATTEMPTS: '1', MINGXI_SWEEP_SECONDS: '5' },
  ...{ MINGXI_RESULT_HOURS: String(LIFE / 3600), MINGXI_WORKER_MEMORY_LIMIT: String(2500 * MB) },
};

/** Attacks a service of its own with seeded cases, watches it, and tells what happened. */
export async function campaign(options: CampaignOptions): Promise<CampaignResult> {
  const data = mkdtempSync(join(existsSync('/dev/shm') ? '/dev/shm' : tmpdir(), 'mingxi-hostile-'));
  const [canaries, source] = await Promise.all([startCanaries(), startSource()]);
  const environment = {
    ...ENVIRONMENT,
    MINGXI_FETCH_ALLOW: `${new URL(source.base).hostname}/32`,
    MINGXI_FETCH_PORTS: `80,443,${canaries.port}`,
  };
  const victim = await startVictim(data, environment, options.main);
  const health = watch(victim.pid, victim.url);
  const slow = slowClients(options.slowClients ?? 24, victim.url, victim.query);
  const arsenal: Arsenal = { query: victim.query, source, canaryPort: canaries.port, canaries: canaries.addresses };
  const client = new Client(victim.url, victim.query, new Agent({ connections: 16, headersTimeout: 300_000, bodyTimeout: 300_000 }));
  const began = performance.now();
  const record = new Tally(options.keep);
  try {
    const make = attacks(await seedFiles(), options.seed, arsenal);
    let next = options.from ?? 0;
    const end = next + options.cases;
    const work = async () => {
      while (next < end && victim.ended() === undefined) {
        const index = next++;
        const attack = await make(index);
        record.add(index, attack, await client.send(attack));
        if ((index + 1) % 500 === 0) options.onProgress?.(index + 1);
      }
    };
    await Promise.all(Array.from({ length: options.atOnce ?? 8 }, work));
    const seconds = (performance.now() - began) / 1000;
    slow.stop();
    if (victim.ended() !== undefined) record.wrong.push(`the server ended: ${victim.ended()}`);
    const left = await leftovers(data);
    health.stop();
    const exit = await victim.stop();
    return {
      ...{ cases: options.cases, seconds, left, exit, outcomes: record.outcomes, wrong: record.wrong },
      ...{ seen: health.seen, slow: slow.seen, canaries: canaries.addresses, contacts: canaries.contacts },
      crashes: readFileSync(victim.log, 'utf8')
        .split('\n')
        .filter((line) => /"reason":"(crashed|silent|not-started)"/.test(line)),
    };
  } finally {
    slow.stop();
    health.stop();
    if (victim.ended() === undefined) await victim.stop();
    await Promise.all([client.close(), source.close(), canaries.close()]);
    rmSync(data, { recursive: true, force: true });
  }
}

/** What is still there when nothing runs and every result has expired. */
async function leftovers(data: string): Promise<string[]> {
  const files = (folder: string) =>
    existsSync(join(data, folder))
      ? readdirSync(join(data, folder), { recursive: true, withFileTypes: true }).flatMap((entry) =>
          entry.isFile() ? [join(entry.parentPath, entry.name).slice(data.length)] : [],
        )
      : [];
  const deadline = performance.now() + 3 * LIFE * 1000;
  await until(() => files('spool').length + files('objects').length === 0 || performance.now() > deadline);
  return [...files('spool'), ...files('objects')];
}

/** Counts outcomes, keeps what broke a promise. */
class Tally {
  readonly outcomes: Record<string, Record<string, number>> = {};
  readonly wrong: string[] = [];
  readonly #keep: string | undefined;

  constructor(keep: string | undefined) {
    this.#keep = keep;
    if (keep) mkdirSync(keep, { recursive: true });
  }

  add(index: number, attack: Attack, { outcome, wrong }: { outcome: string; wrong?: string }): void {
    const family = this.outcomes[attack.family] ?? {};
    this.outcomes[attack.family] = { ...family, [outcome]: (family[outcome] ?? 0) + 1 };
    if (wrong === undefined) return;
    this.wrong.push(`case ${index}, ${attack.family}, ${attack.name}: ${wrong}`);
    if (!this.#keep || this.wrong.length > 200) return;
    appendFileSync(join(this.#keep, 'wrong.txt'), `${this.wrong.at(-1)}\n`);
    writeFileSync(join(this.#keep, String(index)), attack.kind === 'http' ? attack.body : Buffer.concat(attack.parts));
  }
}
