import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, describe, expect, test } from 'vitest';
import type { PoolEvent } from '../../src/workers/events.ts';
import type { Pool, PoolOptions } from '../../src/workers/pool.ts';
import { until } from '../support/until.ts';
import { entry, isAlive, obedientPool, task } from './task.ts';

const folder = mkdtempSync(join(tmpdir(), 'mingxi-pool-'));
afterAll(() => rmSync(folder, { recursive: true }));

const open: Pool[] = [];
afterEach(async () => {
  await Promise.all(open.splice(0).map((pool) => pool.close(0)));
});

function pool(options: Partial<PoolOptions> = {}): Pool {
  const made = obedientPool(options);
  open.push(made);
  return made;
}

describe('one picture', () => {
  test('is restored in a process of its own, whose id is not ours', async () => {
    const result = join(folder, 'look.json');
    await pool({ threads: 3, provider: 'cpu', defaultModel: 'general-fast' }).run(task('look', result));
    const seen = JSON.parse(readFileSync(result, 'utf8'));
    expect(seen.pid).not.toBe(process.pid);
    expect(seen.settings).toEqual({ threads: 3, provider: 'cpu', modelsDir: '/nowhere/models', defaultModel: 'general-fast' });
  });

  test('the child sees no secret of the environment', async () => {
    process.env.MINGXI_SERVER_KEY = 'ab'.repeat(32);
    process.env.AWS_SECRET_ACCESS_KEY = 'hidden';
    try {
      const result = join(folder, 'environment.json');
      await pool().run(task('look', result));
      const { environment } = JSON.parse(readFileSync(result, 'utf8'));
      expect(environment.PATH).toBe(process.env.PATH);
      expect(Object.keys(environment).filter((name) => /MINGXI|AWS|KEY|SECRET/.test(name))).toEqual([]);
    } finally {
      delete process.env.MINGXI_SERVER_KEY;
      delete process.env.AWS_SECRET_ACCESS_KEY;
    }
  });

  test('progress arrives in order and ends at 1', async () => {
    const seen: number[] = [];
    await pool().run(task('progress:5'), { onProgress: (value) => seen.push(value) });
    expect(seen.length).toBeGreaterThan(2);
    expect(seen).toEqual([...seen].sort((a, b) => a - b));
    expect(seen.at(-1)).toBe(1);
  });

  test("the pipeline's own refusal keeps its code and sentence", async () => {
    await expect(pool().run(task('refuse'))).rejects.toMatchObject({
      name: 'AppError',
      kind: 'IMAGE_DECODE_SIZE_ERROR',
      message: 'The picture is 10×10 pixels, at least 48 are needed.',
    });
  });

  test('an unknown error says nothing to the client and everything to the log', async () => {
    const events: PoolEvent[] = [];
    const failure = await pool({ onEvent: (event) => events.push(event) })
      .run(task('throw'))
      .catch((error) => error);
    expect(failure).toMatchObject({ kind: 'PROCESS_ERROR' });
    expect(failure.message).not.toMatch(/somebody|secret/);
    const logged = events.find((event) => event.type === 'task');
    expect(logged).toMatchObject({ ok: false, detail: expect.stringContaining('/home/somebody/picture.png') });
  });
});

describe('a child that dies fails one picture only', () => {
  for (const [order, detail] of [
    ['segfault', /SIGSEGV/],
    ['exit:7', /exit status 7.*last words before the exit/s],
    ['uncaught', /thrown outside of every promise/],
  ] as const) {
    test(order, async () => {
      const events: PoolEvent[] = [];
      const workers = pool({ onEvent: (event) => events.push(event) });
      const bad = workers.run(task(order));
      const after = workers.run(task('sleep:1'));
      await expect(bad).rejects.toMatchObject({ kind: 'PROCESS_ERROR', message: 'The restoration of this picture failed.' });
      await expect(after).resolves.toMatchObject({ format: 'png' });
      expect(events.find((event) => event.type === 'child-gone')).toMatchObject({
        reason: 'crashed',
        detail: expect.stringMatching(detail),
      });
      expect(workers.stats()).toMatchObject({ finished: 1, failed: 1, restarts: 1, running: 0, waiting: 0 });
    });
  }

  test('while another child goes on with its own', async () => {
    const workers = pool({ workers: 2 });
    await workers.ready();
    const long = workers.run(task('sleep:400'));
    await expect(workers.run(task('segfault'))).rejects.toMatchObject({ kind: 'PROCESS_ERROR' });
    await expect(long).resolves.toBeDefined();
  });
});

describe('time', () => {
  test('the deadline kills a child that computes without end, and the next picture is served', async () => {
    const workers = pool();
    const first = await workers.run(task('sleep:1'));
    await expect(workers.run(task('hang'), { timeout: 300 })).rejects.toMatchObject({ kind: 'GATEWAY_TIMEOUT', message: /0\.3 s/ });
    const next = await workers.run(task('sleep:1'));
    expect(next.width).not.toBe(first.width);
    expect(isAlive(first.width)).toBe(false);
  });

  test('a picture that still waits when it is too late to begin is refused, not timed out', async () => {
    const workers = pool();
    await workers.ready();
    const control = new AbortController();
    // By its size a moment's work, so that the next one is let in.
    const stuck = workers.run(task('hang'), { pixels: 1, signal: control.signal });
    const began = performance.now();
    await expect(workers.run(task('sleep:1'), { timeout: 1500, pixels: 1 })).rejects.toMatchObject({
      kind: 'ALGORITHM_OVER_CONCURRENT',
      retryAfter: expect.any(Number),
    });
    expect(performance.now() - began).toBeLessThan(1500);
    expect(workers.stats()).toMatchObject({ waiting: 0, running: 1, restarts: 0 });
    control.abort(new Error('enough'));
    await expect(stuck).rejects.toThrow('enough');
  });

  test('what cannot be done in time any more is given up at the next look; those with more patience stay', async () => {
    const workers = pool();
    await workers.ready();
    const control = new AbortController();
    const small = { pixels: 250_000 };
    const stuck = workers.run(task('sleep:60000'), { ...small, signal: control.signal });
    const began = performance.now();
    const impatient = workers.run(task('sleep:1'), { ...small, timeout: 6000 }).then(undefined, (error) => error);
    const patient = workers.run(task('sleep:1'), { ...small, timeout: 600_000 });
    await until(() => {
      workers.checkRoom();
      return workers.stats().waiting === 1;
    });
    // The longer what runs is overdue, the longer the next is expected to take: seen halfway.
    expect(performance.now() - began).toBeLessThan(5000);
    expect(await impatient).toMatchObject({ kind: 'ALGORITHM_OVER_CONCURRENT', retryAfter: expect.any(Number) });
    control.abort(new Error('enough'));
    await expect(stuck).rejects.toThrow('enough');
    await expect(patient).resolves.toBeDefined();
  });

  test('an abort ends the computing child with the reason given', async () => {
    const workers = pool();
    const first = await workers.run(task('sleep:1'));
    const control = new AbortController();
    const run = workers.run(task('hang'), { signal: control.signal });
    setTimeout(() => control.abort(new Error('client went away')), 100);
    await expect(run).rejects.toThrow('client went away');
    await until(() => !isAlive(first.width));
    await expect(workers.run(task('sleep:1'))).resolves.toBeDefined();
  });

  test('an abort frees a place in the queue without touching the child', async () => {
    const workers = pool();
    await workers.ready();
    const running = workers.run(task('sleep:500'));
    const control = new AbortController();
    const queued = workers.run(task('sleep:1'), { signal: control.signal });
    expect(workers.stats()).toMatchObject({ running: 1, waiting: 1 });
    control.abort(new Error('not wanted any more'));
    await expect(queued).rejects.toThrow('not wanted any more');
    expect(workers.stats()).toMatchObject({ running: 1, waiting: 0, restarts: 0 });
    await expect(running).resolves.toBeDefined();
  });

  test('a signal that has fired already submits nothing', async () => {
    const workers = pool();
    await expect(workers.run(task('sleep:1'), { signal: AbortSignal.abort(new Error('too late')) })).rejects.toThrow('too late');
    expect(workers.stats()).toMatchObject({ running: 0, waiting: 0, failed: 0 });
  });
});

describe('queue', () => {
  test('is first come, first served', async () => {
    const result = join(folder, 'order.txt');
    const workers = pool();
    await Promise.all(Array.from({ length: 12 }, (_, i) => workers.run(task(`log:${i}`, result))));
    expect(readFileSync(result, 'utf8').trim().split('\n')).toEqual(Array.from({ length: 12 }, (_, i) => String(i)));
  });

  test('is bounded: one more than fits is refused at once', async () => {
    const workers = pool({ queueLimit: 2 });
    const accepted = [1, 2, 3].map(() => workers.run(task('sleep:50')));
    await expect(workers.run(task('sleep:1'))).rejects.toMatchObject({
      kind: 'ALGORITHM_OVER_CONCURRENT',
      message: 'The queue is full: 2 of at most 2 pictures wait.',
      retryAfter: expect.any(Number),
    });
    await expect(Promise.all(accepted)).resolves.toHaveLength(3);
  });

  test('a picture that cannot be served in time is refused before it waits', async () => {
    const workers = pool();
    await workers.ready();
    const running = workers.run(task('sleep:200'), { pixels: 50_000_000 });
    const refused = workers.run(task('sleep:1'), { timeout: 5000 });
    await expect(refused).rejects.toMatchObject({ kind: 'ALGORITHM_OVER_CONCURRENT', retryAfter: expect.any(Number) });
    expect(workers.stats().expectedWait).toBeGreaterThan(20);
    await running;
    expect(workers.stats().expectedWait).toBe(0);
  });

  test('a look says beforehand what would be refused, and lets in whoever need not wait', async () => {
    const workers = pool({ queueLimit: 1 });
    await workers.ready();
    expect(() => workers.checkRoom(1)).not.toThrow();
    const control = new AbortController();
    const running = workers.run(task('sleep:60000'), { signal: control.signal });
    expect(() => workers.checkRoom(60_000)).not.toThrow();
    expect(() => workers.checkRoom(100)).toThrow(/too close to the limit of 0\.1 s/);
    const waiting = workers.run(task('sleep:1'));
    expect(() => workers.checkRoom(60_000)).toThrow(/queue is full/);
    control.abort(new Error('enough'));
    await expect(running).rejects.toThrow('enough');
    await waiting;
    expect(() => workers.checkRoom(1)).not.toThrow();
    await workers.close();
    expect(() => workers.checkRoom()).toThrow(/shutting down/);
  });

  test('a place that is kept counts like a picture, until it is given up or was kept for long enough', async () => {
    const workers = pool({ queueLimit: 1 });
    await workers.ready();
    // The child is free for the first; the second would wait; there is no room for a third.
    const places = [workers.keepPlace(60_000), workers.keepPlace(60_000)];
    expect(() => workers.keepPlace(60_000)).toThrow(/queue is full/);
    expect(() => workers.keepPlace(100)).toThrow(/queue is full/);
    places[0]?.giveUp();
    places[0]?.giveUp();
    expect(() => workers.keepPlace(100)).toThrow(/too close to the limit/);
    const third = workers.keepPlace(60_000);
    expect([...places, third].map((place) => place.isKept)).toEqual([false, true, true]);
    // Pictures that are there do not wait for places of those that are not.
    await workers.run(task('sleep:1'), { timeout: 60_000 });
    await until(() => !third.isKept);
    expect(places[1]?.isKept).toBe(false);
    expect(() => workers.keepPlace(1)).not.toThrow();
  });

  test('one picture that takes very long does not lock out those after it', async () => {
    const workers = pool();
    for (let i = 0; i < 8; i++) await workers.run(task('sleep:1'), { pixels: 250_000 });
    await workers.run(task('sleep:3000'), { pixels: 250_000 });
    const control = new AbortController();
    const running = workers.run(task('sleep:60000'), { pixels: 250_000, signal: control.signal });
    // Three seconds each would be a wait of three; as the mean of the nine it is far less.
    expect(workers.stats().expectedWait).toBeLessThan(1);
    control.abort(new Error('enough'));
    await expect(running).rejects.toThrow('enough');
  });

  test('when what runs is long overdue, those behind it are expected to be slow too', async () => {
    const workers = pool();
    await workers.ready();
    const small = { pixels: 250_000 };
    const end = new AbortController();
    const stopped = [1, 2, 3, 4].map(() => workers.run(task('sleep:60000'), { ...small, signal: end.signal }).catch((error) => error));
    const before = workers.stats().expectedWait;
    await until(() => workers.stats().expectedWait > 5 * before);
    // By the first estimate alone it would have been let in.
    const refused = workers.run(task('sleep:1'), { ...small, timeout: before * 5000 });
    await expect(refused).rejects.toMatchObject({ kind: 'ALGORITHM_OVER_CONCURRENT' });
    end.abort(new Error('enough'));
    expect(await Promise.all(stopped)).toHaveLength(4);
  });
});

describe('replacement', () => {
  test('after so many pictures, without dropping one', async () => {
    const workers = pool({ maxTasks: 2 });
    const outcomes = await Promise.all(Array.from({ length: 7 }, () => workers.run(task('sleep:5'))));
    const children = outcomes.map((outcome) => outcome.width);
    expect(new Set(children).size).toBe(4);
    expect(Math.max(...children.map((pid) => children.filter((other) => other === pid).length))).toBe(2);
    expect(workers.stats()).toMatchObject({ finished: 7, failed: 0, restarts: 3 });
  });

  test('after a picture that left it too large', async () => {
    const events: PoolEvent[] = [];
    const workers = pool({ maxMemory: 350 * 2 ** 20, onEvent: (event) => events.push(event) });
    const small = await workers.run(task('sleep:1'));
    const same = await workers.run(task('allocate:400'));
    expect(same.width).toBe(small.width);
    const next = await workers.run(task('sleep:1'));
    expect(next.width).not.toBe(small.width);
    expect(events.find((event) => event.type === 'child-gone')).toMatchObject({ reason: 'recycled' });
    const peaks = events.flatMap((event) => (event.type === 'task' ? [event.peak] : []));
    expect(peaks[1]).toBeGreaterThan(400 * 2 ** 20);
  });

  test('of an idle child that answers no more', async () => {
    const events: PoolEvent[] = [];
    const workers = pool({ heartbeat: 150, onEvent: (event) => events.push(event) });
    const first = await workers.run(task('deaf'));
    await until(() => events.some((event) => event.type === 'child-gone' && event.reason === 'silent'));
    const next = await workers.run(task('sleep:1'));
    expect(next.width).not.toBe(first.width);
  });

  test('a busy child is not mistaken for a silent one', async () => {
    const workers = pool({ heartbeat: 30 });
    await expect(workers.run(task('sleep:400'))).resolves.toBeDefined();
    expect(workers.stats().restarts).toBe(0);
  });

  test('a pipeline that cannot be built says why instead of waiting for ever', async () => {
    const workers = pool({ entry: entry('stillborn') });
    const waiting = workers.run(task('sleep:1'));
    await expect(workers.ready()).rejects.toMatchObject({ kind: 'PROCESS_ERROR', message: 'The network general is not installed.' });
    await expect(waiting).rejects.toMatchObject({ message: 'The network general is not installed.' });
  });
});

describe('close', () => {
  test('finishes what was accepted, refuses what comes after, leaves no process', async () => {
    const workers = pool();
    const accepted = [workers.run(task('sleep:150')), workers.run(task('sleep:150'))];
    const closed = workers.close(10_000);
    await expect(workers.run(task('sleep:1'))).rejects.toMatchObject({ kind: 'ALGORITHM_OVER_CONCURRENT', message: /shutting down/ });
    const outcomes = await Promise.all(accepted);
    await closed;
    expect(outcomes.map((outcome) => isAlive(outcome.width))).toEqual([false, false]);
    expect(workers.stats()).toMatchObject({ children: 0, finished: 2 });
  });

  test('kills what outlasts the grace period', async () => {
    const workers = pool();
    await workers.ready();
    const stuck = workers.run(task('hang'));
    const failed = expect(stuck).rejects.toMatchObject({ kind: 'ALGORITHM_OVER_CONCURRENT' });
    await workers.close(100);
    await failed;
    expect(workers.stats()).toMatchObject({ children: 0, running: 0 });
  });
});
