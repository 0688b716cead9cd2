import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import type { JobQueue } from '../../src/queue/contract.ts';
import { pause, until } from '../support/until.ts';
import { announced, Ledger, listening, type States, settled, tell } from './queue-parties.ts';

/** An adapter under test: one service whose processes are as many handles as are opened. */
export interface QueueUnderTest {
  /** A handle as one more process of the same service would have it. */
  open(): Promise<JobQueue>;
  /** The queue's server, where there is one. */
  readonly server?: {
    stop(): Promise<void>;
    start(): Promise<void>;
    /** Stops it answering without closing a connection, and the contrary. */
    freeze(): void;
    thaw(): void;
    /** Forgets everything, as a server without a disk does in a restart. */
    forget(): Promise<void>;
    /** The connections that are open never say anything again; new ones are as before. */
    lose(): void;
  };
  close(): Promise<void>;
}

/** What every queue adapter promises. `make` is called once; every test gets a service name of its own. */
export function queueContract(name: string, make: () => Promise<(service: string) => QueueUnderTest>): void {
  describe(`queue contract: ${name}`, () => {
    let service: (name: string) => QueueUnderTest;
    let count = 0;
    beforeAll(async () => {
      service = await make();
    });
    let last: QueueUnderTest | undefined;
    afterAll(() => last?.close());

    /** A fresh service; its handles are closed with the test. */
    const fresh = () => {
      const under = service(`test-${process.pid}-${++count}`);
      last = under;
      const open = async () => {
        const queue = await under.open();
        onTestFinished(() => queue.close());
        return queue;
      };
      return { ...under, open };
    };

    test('each announced job is begun once, by one of the processes that work', async () => {
      const { open } = fresh();
      const [api, first, second] = [await open(), await open(), await open()];
      const jobs = new Ledger();
      first.work(jobs.take('first', 2), 1);
      second.work(jobs.take('second', 2), 1);
      for (let i = 0; i < 40; i++) {
        jobs.add(`job ${i}`);
        await api.announce(`job ${i}`);
      }
      await until(() => jobs.ended.length === 40);
      expect(new Set(jobs.ended).size).toBe(40);
      expect(new Set(jobs.by.values())).toEqual(new Set(['first', 'second']));
    });

    test('an announcement reaches a worker that starts later', async () => {
      const { open } = fresh();
      const [api, worker] = [await open(), await open()];
      const jobs = new Ledger();
      jobs.add('early');
      await api.announce('early');
      await pause(50);
      worker.work(jobs.take('worker'), 1);
      await until(() => jobs.ended.length === 1);
    });

    test('no worker runs more than its slots, and all slots are used', async () => {
      const { open } = fresh();
      const [api, worker] = [await open(), await open()];
      const jobs = new Ledger();
      worker.work(jobs.take('worker', 60), 3);
      for (let i = 0; i < 12; i++) {
        jobs.add(`job ${i}`);
        await api.announce(`job ${i}`);
      }
      await until(() => jobs.ended.length === 12);
      expect(jobs.most).toBe(3);
    });

    test('a worker may announce and work at once', async () => {
      const { open } = fresh();
      const both = await open();
      const jobs = new Ledger();
      both.work(jobs.take('both'), 2);
      jobs.add('own');
      await both.announce('own');
      await until(() => jobs.ended.length === 1);
    });

    test('a delayed announcement comes, and not before its time', async () => {
      const { open } = fresh();
      const [api, worker] = [await open(), await open()];
      const jobs = new Ledger();
      let due = 0;
      worker.work(jobs.take('worker'), 1);
      const before = performance.now();
      jobs.add('later', () => performance.now() - before >= 400);
      await api.announce('later', 400);
      await until(() => {
        due = performance.now() - before;
        return jobs.ended.length === 1;
      });
      expect(due).toBeGreaterThanOrEqual(400);
    });

    test('announcements of jobs that are gone do no harm', async () => {
      const { open } = fresh();
      const [api, worker] = [await open(), await open()];
      const jobs = new Ledger();
      worker.work(jobs.take('worker'), 1);
      for (let i = 0; i < 10; i++) await api.announce(`gone ${i}`);
      jobs.add('there');
      await api.announce('there');
      await until(() => jobs.ended.length === 1);
    });

    test('who rests takes no more, but ends what he has begun; another takes the rest', async () => {
      const { open } = fresh();
      const [api, tired, fresher] = [await open(), await open(), await open()];
      const jobs = new Ledger();
      tired.work(jobs.take('tired', 300), 1);
      for (const id of ['a', 'b', 'c']) {
        jobs.add(id);
        await api.announce(id);
      }
      await until(() => jobs.by.size === 1);
      await tired.rest();
      expect(jobs.ended).toEqual([]);
      fresher.work(jobs.take('fresher'), 1);
      await until(() => jobs.ended.length === 3);
      expect([...jobs.by].filter(([, by]) => by === 'tired')).toHaveLength(1);
      await tired.close();
    });

    test('a process that ends in the middle keeps nobody else from working', async () => {
      const { open } = fresh();
      const [api, doomed, heir] = [await open(), await open(), await open()];
      const jobs = new Ledger();
      doomed.work(jobs.take('doomed', Number.POSITIVE_INFINITY), 1);
      jobs.add('lost');
      await api.announce('lost');
      await until(() => jobs.by.size === 1);
      heir.work(jobs.take('heir'), 1);
      // What the sweep does once the lease has run out.
      jobs.add('lost again');
      await api.announce('lost again');
      await until(() => jobs.ended.length === 1);
      expect(jobs.ended).toEqual(['lost again']);
      jobs.release();
    });

    test('what waits is counted, where announcements are kept', async () => {
      const { open } = fresh();
      const [api, worker] = [await open(), await open()];
      if ((await api.announced()) === undefined) return;
      expect(await api.announced()).toBe(0);
      for (let i = 0; i < 5; i++) await api.announce(`job ${i}`, i < 2 ? 60_000 : 0);
      expect(await api.announced()).toBe(5);
      worker.work(async () => undefined, 1);
      await until(async () => (await api.announced()) === 2);
    });

    test('news reach every process, each its own included', async () => {
      const { open } = fresh();
      const [one, two, mute] = [await open(), await open(), await open()];
      const states: States = new Map();
      const heard = [one, two].map((queue) => listening(queue, states));
      await settled(mute, states, heard);
      await tell(mute, states, 'a', 'succeeded');
      await tell(one, states, 'b', 'failed');
      await until(() => heard.every((ears) => ears.knows('a', 'succeeded') && ears.knows('b', 'failed')));
    });

    test('services with other names do not meet', async () => {
      const [here, there] = [fresh(), fresh()];
      const [mine, other] = [await here.open(), await there.open()];
      const [jobs, none] = [new Ledger(), new Ledger()];
      mine.work(jobs.take('mine'), 1);
      other.work(none.take('other'), 1);
      const states: States = new Map();
      const [ears, others] = [listening(mine, states), listening(other, new Map())];
      await settled(mine, states, [ears]);
      jobs.add('x');
      await mine.announce('x');
      await tell(mine, states, 'x', 'running');
      await until(() => jobs.ended.length === 1 && ears.knows('x', 'running'));
      expect(others.news).toEqual([]);
    });

    test('closing is possible twice, and ends every call', async () => {
      const { open } = fresh();
      const queue = await open();
      queue.work(async () => undefined, 1);
      queue.listen({ news: () => {}, look: () => {} });
      await queue.close();
      await queue.close();
    });

    describe('the server', () => {
      test('restarts: announcements and news go on by themselves, who listens is told to look', async ({ skip }) => {
        const { open, server } = fresh();
        if (!server) return skip('this adapter has none');
        const [api, worker] = [await open(), await open()];
        const jobs = new Ledger();
        worker.work(jobs.take('worker'), 1);
        const states: States = new Map();
        const ears = listening(api, states);
        await settled(worker, states, [ears]);
        await server.stop();
        await expect(api.announce('unheard')).rejects.toThrow();
        await expect(worker.tell({ id: 'unheard', state: 'failed' })).rejects.toThrow();
        await expect(api.announced()).rejects.toThrow();
        const looks = ears.looks;
        await server.start();
        await until(() => ears.looks > looks);
        jobs.add('after');
        await announced(api, 'after');
        await until(() => jobs.ended.length >= 1);
        await until(async () => {
          await tell(worker, states, 'after', 'succeeded').catch(() => undefined);
          return ears.knows('after', 'succeeded');
        });
      });

      test('is lost without a word: announcements and news go on over new connections', { timeout: 240_000 }, async ({ skip }) => {
        const { open, server } = fresh();
        if (!server) return skip('this adapter has none');
        const [api, worker] = [await open(), await open()];
        const jobs = new Ledger();
        worker.work(jobs.take('worker'), 1);
        const states: States = new Map();
        const ears = listening(api, states);
        await settled(worker, states, [ears]);
        jobs.add('before');
        await api.announce('before');
        await until(() => jobs.ended.length === 1);
        server.lose();
        jobs.add('after');
        await announced(api, 'after');
        await until(() => jobs.ended.length === 2);
        await until(async () => {
          await worker.tell({ id: 'after', state: 'succeeded' }).catch(() => undefined);
          return ears.knows('after', 'succeeded');
        });
      });

      test('is lost without a word while workers begin: each works over new connections', { timeout: 240_000 }, async ({ skip }) => {
        const services = Array.from({ length: 16 }, fresh);
        const { server } = services[0] as (typeof services)[number];
        if (!server) return skip('this adapter has none');
        const sides = await Promise.all(
          services.map(async ({ open }) => ({ api: await open(), worker: await open(), jobs: new Ledger() })),
        );
        // Each is at another statement of its beginning when that happens.
        for (const { worker, jobs } of sides) {
          worker.work(jobs.take('worker'), 1);
          await pause(10);
        }
        server.lose();
        await Promise.all(
          sides.map(async ({ api, jobs }) => {
            jobs.add('job');
            await announced(api, 'job');
            await until(() => jobs.ended.length === 1);
          }),
        );
      });

      test('comes back and is then lost without a word: an idle worker asks over a new connection', { timeout: 240_000 }, async ({
        skip,
      }) => {
        const { open, server } = fresh();
        if (!server) return skip('this adapter has none');
        const [api, worker] = [await open(), await open()];
        const jobs = new Ledger();
        worker.work(jobs.take('worker'), 1);
        jobs.add('before');
        await api.announce('before');
        await until(() => jobs.ended.length === 1);
        await server.stop();
        await server.start();
        // Long enough for it to find out and to wait for news again.
        await pause(4_000);
        server.lose();
        jobs.add('after');
        await announced(api, 'after');
        await until(() => jobs.ended.length === 2);
      });

      test('is away when a worker starts: the worker works once it is back', async ({ skip }) => {
        const { open, server } = fresh();
        if (!server) return skip('this adapter has none');
        const [api, worker] = [await open(), await open()];
        const jobs = new Ledger();
        await server.stop();
        worker.work(jobs.take('worker'), 1);
        await pause(300);
        await server.start();
        jobs.add('job');
        await announced(api, 'job');
        await until(() => jobs.ended.length === 1);
      });

      test('forgets everything: a new announcement of the same job is taken', async ({ skip }) => {
        const { open, server } = fresh();
        if (!server) return skip('this adapter has none');
        const [api, worker] = [await open(), await open()];
        const jobs = new Ledger();
        jobs.add('job');
        await api.announce('job');
        await server.forget();
        worker.work(jobs.take('worker'), 1);
        await announced(api, 'job');
        await until(() => jobs.ended.length === 1);
      });

      test('does not answer: a call fails within seconds, and so does an end', async ({ skip }) => {
        const { open, server } = fresh();
        if (!server) return skip('this adapter has none');
        const queue = await open();
        queue.work(async () => undefined, 1);
        await queue.announced();
        server.freeze();
        try {
          await expect(queue.announce('x')).rejects.toThrow();
          await queue.close();
        } finally {
          server.thaw();
        }
      });
    });
  });
}
