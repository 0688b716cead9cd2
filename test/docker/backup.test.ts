import { spawn } from 'node:child_process';
import { existsSync, readdirSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { describe, expect, test } from 'vitest';
import { openDatabase } from '../../src/db/database.ts';
import { createKeyStore } from '../../src/db/keys.ts';
import { loadServerKey } from '../../src/db/server-key.ts';
import { bodyOf, testApp } from '../support/app.ts';
import { jpeg } from '../support/pictures.ts';
import { stubRestorer } from '../support/stub-restorer.ts';
import { temporaryFolder } from '../support/temporary.ts';

/** Runs the script as an operator does. */
async function backup(...folders: string[]): Promise<{ status: number | null; stderr: string }> {
  const script = spawn(process.execPath, [join(import.meta.dirname, '../../docker/backup.mjs'), ...folders], {
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  const ended = new Promise<number | null>((resolve) => script.once('exit', resolve));
  return { stderr: await text(script.stderr), status: await ended };
}

describe('backup.mjs', () => {
  test('a copy taken while keys are made and jobs accepted opens as a data folder: keys work, secrets can be recovered', async () => {
    const data = temporaryFolder();
    const target = join(temporaryFolder(), 'copy');
    const { app, query, key, secret } = await testApp(data, { role: 'api' }, { restorer: stubRestorer() });
    const payload = bodyOf(await jpeg(64, 64));
    let done = false;
    let writes = 0;
    const writing = (async () => {
      for (; !done; writes++) {
        await app.keys.create({ name: `during-${writes}` });
        expect((await app.server.inject({ method: 'POST', url: `/v1/aiquality_async?${query}`, payload })).statusCode).toBe(200);
      }
    })();
    expect(await backup(data, target)).toEqual({ status: 0, stderr: '' });
    done = true;
    await writing;
    expect(writes).toBeGreaterThan(0);
    await app.close();

    expect(readdirSync(target).sort()).toEqual(['mingxi.sqlite', 'server.key']);
    for (const name of readdirSync(target)) expect(statSync(join(target, name)).mode & 0o077).toBe(0);
    const db = await openDatabase(target);
    expect(await createKeyStore(db, loadServerKey('', target)).secretOf(key)).toBe(secret);
    await db.destroy();
    const restored = await testApp(target, { role: 'api' }, { restorer: stubRestorer() });
    const unknown = { method: 'GET', url: `/v1/query?${query}&msg_id=0` } as const;
    expect((await restored.app.server.inject(unknown)).json().ErrorMsg).toBe('TASK_NOEXIST');
    await restored.app.close();
  });

  test.each([
    ['no database', () => [temporaryFolder(), join(temporaryFolder(), 'copy')], /there is no database/],
    ['no arguments', () => [], /usage/],
  ] as const)('%s: exit 1 with a reason and no folder', async (_name, folders, reason) => {
    const given = folders();
    const { status, stderr } = await backup(...given);
    expect([status, reason.test(stderr)]).toEqual([1, true]);
    expect(existsSync(given[1] ?? '')).toBe(false);
  });

  test('an older copy is never overwritten; a broken database leaves no copy', async () => {
    const data = temporaryFolder();
    writeFileSync(join(data, 'mingxi.sqlite'), 'this is no database, whatever its name says '.repeat(200));
    const older = temporaryFolder();
    expect((await backup(data, older)).stderr).toContain('exists already');
    const target = join(older, 'copy');
    expect((await backup(data, target)).status).toBe(1);
    expect(existsSync(target)).toBe(false);
  });
});
