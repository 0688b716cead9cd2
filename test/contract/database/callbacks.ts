import { Agent } from 'undici';
import { expect, onTestFinished, test } from 'vitest';
import { Callbacks } from '../../../src/jobs/callbacks.ts';
import { httpServer } from '../../support/http-server.ts';
import { until } from '../../support/until.ts';
import { type DatabaseUnderTest, draftOf, openBeside, openStores } from './under-test.ts';

/** What the delivery of callbacks promises. */
export function callbacksContract({ make }: DatabaseUnderTest): void {
  test('two processes that look at once deliver each callback once', async () => {
    const t = await openStores(await make(), Date.now());
    const key = await t.newKey();
    const received: string[] = [];
    const receiver = await httpServer((request, response) => {
      received.push(String(request.headers['x-mingxi-delivery']));
      request.resume().once('end', () => response.writeHead(204).end());
    });
    const dispatcher = new Agent();
    onTestFinished(async () => {
      await receiver.close();
      await dispatcher.close();
    });
    for (let i = 0; i < 24; i++) {
      const { job } = await t.store.accept(draftOf(key, { callbackUrl: receiver.base, expiresAt: Date.now() + 3_600_000 }));
      await t.store.fail(job.id, { kind: 'PROCESS_ERROR', message: '' });
    }
    const ids = (await t.db.selectFrom('callbacks').select('id').execute()).map(({ id }) => id);
    t.later(3_600_000);
    const errors: unknown[] = [];
    const both = [t.db, await openBeside(t.db, t.place)].map(
      (db) =>
        new Callbacks(
          { db, dispatcher, secretOf: async () => 'secret', answer: async () => ({}) },
          { attempts: 3, backoff: 5, timeout: 120_000, pollMs: 20, onError: (error) => errors.push(error) },
        ),
    );
    for (const callbacks of both) callbacks.start();
    await until(async () => (await t.db.selectFrom('callbacks').select('id').execute()).length === 0);
    await Promise.all(both.map((callbacks) => callbacks.stop()));
    expect(received.sort()).toEqual(ids.sort());
    expect(errors).toEqual([]);
  });
}
