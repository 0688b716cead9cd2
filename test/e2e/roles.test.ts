import { expect, test } from 'vitest';
import { MingxiClient } from '../../src/client/index.ts';
import { openDatabase } from '../../src/db/database.ts';
import { createKeyStore } from '../../src/db/keys.ts';
import { loadServerKey } from '../../src/db/server-key.ts';
import { jpeg } from '../support/pictures.ts';
import { temporaryFolder } from '../support/temporary.ts';
import { pause } from '../support/until.ts';
import { serve } from './server-process.ts';

test('one process accepts, another works; when the worker is killed the next one takes over', async () => {
  const data = temporaryFolder();
  const db = await openDatabase(data);
  const { key, secret } = await createKeyStore(db, loadServerKey('', data)).create({ name: 'test' });
  const api = await serve(data, { MINGXI_ROLE: 'api' });
  const client = new MingxiClient({ baseUrl: api.url, apiKey: key.id, apiSecret: secret });
  const large = await jpeg(900, 900);
  const ids = await Promise.all([large, large, large].map((picture) => client.submit(picture)));
  // Nobody works yet.
  expect(await client.query(ids[0] as string)).toEqual({ done: false, progress: 0 });
  const first = await serve(data, { MINGXI_ROLE: 'worker', MINGXI_WORKERS: '1' });
  while ((await db.selectFrom('jobs').select('id').where('state', '=', 'running').execute()).length === 0) await pause();
  await first.kill('SIGKILL');
  const second = await serve(data, { MINGXI_ROLE: 'worker', MINGXI_WORKERS: '1' });
  for (const id of ids) expect(await client.wait(id, { interval: 50 })).toHaveLength(1);
  const usage = await db.selectFrom('usage').select('pictures').executeTakeFirstOrThrow();
  expect(usage.pictures).toBe(3);
  await Promise.all([api.kill('SIGTERM'), second.kill('SIGTERM')]);
  await db.destroy();
}, 180_000);
