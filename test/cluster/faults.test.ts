import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { pause } from '../support/until.ts';
import { type Cluster, type ClusterLoad, QUEUE, type StoreName, startCluster } from './cluster.ts';
import * as faults from './faults.ts';
import { namespacesMissing } from './namespaces.ts';
import { inWords } from './verdict.ts';

/** Seconds of a lease; shorter than the default, so that the tests need not wait for it. */
const LEASE = 6;
/** Longer than a worker's lease of a job, so that others take the job over, ms. */
const BEYOND_LEASE = 10_000;
/** Longer than most hiccups, shorter than a lease, ms. */
const WHILE = 4_000;

let cluster: Cluster;
let seed = 0;
beforeAll(async () => {
  cluster = await startCluster({ environment: { MINGXI_JOB_LEASE: String(LEASE) } });
}, 400_000);
afterAll(() => cluster?.close(), 60_000);
afterEach(() => cluster?.heal(), 60_000);

const worker = () => cluster.workers[0] as Cluster['workers'][number];
const redis = () => cluster.redis as NonNullable<Cluster['redis']>;
const api = () => cluster.apis[0] as Cluster['apis'][number];

/**
 * Under load, the fault; afterwards jobs are still accepted and done. Then: nothing that was accepted
 * is lost, nothing is done or charged twice, each client got a result or a documented refusal.
 */
async function survives(fault: (load: ClusterLoad) => unknown): Promise<void> {
  seed++;
  const load = await cluster.load(seed);
  await load.accepted(6);
  await fault(load);
  await load.accepted(3);
  await load.ended(6);
  const verdict = await load.judge();
  console.log(`${expect.getState().currentTestName}\n  ${inWords(verdict)}`);
  expect(verdict).toMatchObject({ wrongs: [], lost: 0, doneTwice: 0, chargedWrong: 0, reasons: [] });
  expect(verdict.succeeded).toBeGreaterThan(0);
  expect(verdict.refusals.GATEWAY_UNKNOWN_ERROR).toBeUndefined();
}

const LIMIT = 400_000;
/** `MINGXI_TEST_CLUSTER=short`: only what stands for its kind, which is as much as every change can wait for. */
const SHORT = process.env.MINGXI_TEST_CLUSTER === 'short';
const typical = (name: string, run: (load: ClusterLoad) => unknown) => test(name, () => survives(run), LIMIT);
const fault = SHORT ? (name: string, _: unknown) => test.skip(name) : typical;

describe('processes', () => {
  typical('a worker is killed (-9) and comes back', () => faults.killed(worker(), 1_000));
  fault('both workers are killed (-9) and come back', () => Promise.all(cluster.workers.map((member) => faults.killed(member, 2_000))));
  fault('children of the workers are killed (-9), again and again', async (load) => {
    for (let i = 0; i < 8; i++) {
      faults.childKilled(cluster.workers[i % 2] as (typeof cluster.workers)[0]);
      await load.ended(1);
    }
  });
  typical('a server is killed (-9) and comes back', () => faults.killed(api(), 1_000));
  typical('a worker stands still for longer than its lease, then goes on', () => faults.frozen(worker(), BEYOND_LEASE));
  fault('a server stands still, then goes on', () => faults.frozen(api(), WHILE));
  typical('a worker and a server are stopped in good order and come back', async () => {
    for (const member of [worker(), api()]) {
      await member.kill('SIGTERM');
      await member.start();
    }
  });
});

describe.each<StoreName>(['database', 'queue', 'storage'])('the way to the %s', (store) => {
  typical('is broken off for all', async (load) => {
    for (let i = 0; i < 3; i++) {
      for (const { ways } of cluster.members) ways[store].reset();
      await load.ended(1);
    }
  });
  fault('is refused to a worker and a server', () => Promise.all([worker(), api()].map((member) => faults.refused(member, store, WHILE))));
  fault('is held up for a worker and a server', () => Promise.all([worker(), api()].map((member) => faults.held(member, store, WHILE))));
  fault('is lost without a word, for all', async () => {
    for (const { ways } of cluster.members) ways[store].lose();
  });
  fault('is slow for all', () => Promise.all(cluster.members.map((member) => faults.slowed(member, store, WHILE))));
});

describe.skipIf(namespacesMissing() !== undefined)('cables', () => {
  typical("a worker's cable is pulled for longer than its lease", () => faults.unplugged(worker(), BEYOND_LEASE));
  fault("a server's cable is pulled", () => faults.unplugged(api(), WHILE));
  fault("a worker's disk is full", () => faults.full(worker(), WHILE));
});

describe('servers', () => {
  if (QUEUE === 'redis') {
    typical('Redis is killed (-9) and comes back', () => faults.restarted(redis(), 'SIGKILL', 1_000));
    fault('Redis stands still', () => faults.stalled(redis(), WHILE));
  }
  fault('PostgreSQL is restarted', () => faults.restarted(cluster.postgres, 'SIGINT', 500));
  typical('PostgreSQL crashes and recovers', () => faults.restarted(cluster.postgres, 'SIGQUIT', 500));
  typical('Swift is killed (-9) and comes back', () => faults.restarted(cluster.swift.proxy, 'SIGKILL', 500));
});

describe('the picture store', () => {
  for (const kind of ['error', 'throttle', 'late', 'hang', 'cut', 'stall', 'corrupt'] as const) {
    fault(kind, () => faults.misbehaving(cluster, kind, WHILE));
  }
});

describe.skipIf(!faults.faketime)('clocks', () => {
  for (const [name, seconds] of [
    ['forward', 600],
    ['back', -600],
  ] as const) {
    fault(`a worker's clock jumps ten minutes ${name}`, async (load) => {
      const clock = faults.withClock(worker());
      await worker().kill('SIGTERM');
      await worker().start();
      await load.ended(2);
      clock.jump(seconds);
      await pause(WHILE);
      await load.ended(4);
      clock.jump(0);
      clock.remove();
      await worker().kill('SIGTERM');
      await worker().start();
    });
  }
});
