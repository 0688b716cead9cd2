import { afterAll, beforeAll, expect, test } from 'vitest';
import { seededRandom } from '../support/pictures.ts';
import { pause } from '../support/until.ts';
import { type Cluster, QUEUE, STORES, startCluster } from './cluster.ts';
import * as faults from './faults.ts';
import { inWords } from './verdict.ts';

/** `MINGXI_TEST_CLUSTER=1 MINGXI_TEST_FAULTS=200 npx vitest run test/cluster/random-faults.test.ts` is the long run. */
const FAULTS = Number(process.env.MINGXI_TEST_FAULTS ?? 10);
const SEED = Number(process.env.MINGXI_TEST_FAULTS_SEED ?? 1);

let cluster: Cluster;
beforeAll(async () => {
  cluster = await startCluster();
}, 400_000);
afterAll(() => cluster?.close(), 60_000);

type Random = () => number;
interface Kind {
  readonly name: string;
  /** How often it is drawn in comparison with the others. */
  readonly weight: number;
  /** Does harm for a while; everything is as before when it resolves. */
  readonly run: (random: Random) => Promise<unknown>;
}

const pick = <T>(list: readonly T[], random: Random): T => list[Math.floor(random() * list.length)] as T;
const anyone = (random: Random) => pick(cluster.members, random);
const someWorker = (random: Random) => pick(cluster.workers, random);
const store = (random: Random) => pick(STORES, random);
/** Mostly hiccups; one in ten lasts longer than a worker's lease. */
const time = (random: Random) => (random() < 0.1 ? 16_000 + random() * 4_000 : 200 + random() * 4_000);

function kinds(): readonly Kind[] {
  const onlyHere: Kind[] = [
    { name: 'cable', weight: 2, run: (random) => faults.unplugged(anyone(random), time(random)) },
    { name: 'disk full', weight: 1, run: (random) => faults.full(someWorker(random), time(random)) },
  ];
  const { redis } = cluster;
  const onlyRedis: Kind[] = redis
    ? [{ name: 'Redis restart', weight: 2, run: (random) => faults.restarted(redis, 'SIGKILL', random() * 2_000) }]
    : [];
  return [
    { name: 'kill -9', weight: 4, run: (random) => faults.killed(anyone(random), random() * 2_000) },
    { name: 'kill -9 of a child', weight: 2, run: async (random) => faults.childKilled(someWorker(random)) },
    { name: 'stop', weight: 3, run: (random) => faults.frozen(anyone(random), time(random)) },
    { name: 'way reset', weight: 3, run: async (random) => anyone(random).ways[store(random)].reset() },
    { name: 'way refused', weight: 2, run: (random) => faults.refused(anyone(random), store(random), time(random)) },
    { name: 'way held', weight: 2, run: (random) => faults.held(anyone(random), store(random), time(random)) },
    { name: 'way lost', weight: 2, run: async (random) => anyone(random).ways[store(random)].lose() },
    { name: 'way slow', weight: 1, run: (random) => faults.slowed(anyone(random), store(random), time(random)) },
    { name: 'PostgreSQL restart', weight: 2, run: (random) => faults.restarted(cluster.postgres, 'SIGINT', random() * 1_000) },
    { name: 'PostgreSQL crash', weight: 2, run: (random) => faults.restarted(cluster.postgres, 'SIGQUIT', random() * 1_000) },
    { name: 'store error', weight: 1, run: (random) => faults.misbehaving(cluster, 'error', time(random)) },
    { name: 'store late', weight: 1, run: (random) => faults.misbehaving(cluster, 'late', time(random)) },
    { name: 'store cut', weight: 1, run: (random) => faults.misbehaving(cluster, 'cut', time(random)) },
    { name: 'store hang', weight: 1, run: (random) => faults.misbehaving(cluster, 'hang', time(random)) },
    ...onlyRedis,
    ...(cluster.members.every(({ cable }) => cable) ? onlyHere : []),
  ];
}

/**
 * One fault after the other; one in three begins before the last one is over, unless both are about
 * the same process or server.
 */
test.skipIf(process.env.MINGXI_TEST_CLUSTER === 'short')(
  `${FAULTS} random faults under load, queue on ${QUEUE}, seed ${SEED}: nothing lost, nothing done or charged twice`,
  async () => {
    const random = seededRandom(SEED);
    const urn = kinds().flatMap((kind) => Array.from({ length: kind.weight }, () => kind));
    const counts = new Map<string, number>();
    const load = await cluster.load(SEED);
    await load.accepted(6);
    const running = new Map<string, Promise<unknown>>();
    for (let i = 0; i < FAULTS; i++) {
      const kind = pick(urn, random);
      counts.set(kind.name, (counts.get(kind.name) ?? 0) + 1);
      const overlaps = random() < 1 / 3;
      // Two of a kind would undo each other, and so would a restart and a stop of one process.
      if (!overlaps || running.has(kind.name) || running.has('kill -9') || running.has('stop')) await Promise.all(running.values());
      const fault = kind.run(random).finally(() => running.delete(kind.name));
      running.set(kind.name, fault);
      if (!overlaps) await fault;
      await pause(200 + random() * 800);
      if (process.env.MINGXI_TEST_FAULTS)
        console.log(`${i + 1} ${kind.name}; ${load.ledger.jobs.size} jobs, ${load.ledger.open().length} open`);
    }
    await Promise.all(running.values());
    await cluster.heal();
    await load.ended(6);
    const verdict = await load.judge();
    console.log(`faults: ${[...counts].map(([name, count]) => `${name} ${count}`).join(', ')}\n${inWords(verdict)}`);
    expect(verdict).toMatchObject({ wrongs: [], lost: 0, doneTwice: 0, chargedWrong: 0, reasons: [] });
    expect(verdict.refusals.GATEWAY_UNKNOWN_ERROR).toBeUndefined();
  },
  240_000 + FAULTS * 30_000,
);
