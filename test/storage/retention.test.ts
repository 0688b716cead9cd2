import { existsSync, mkdirSync, readdirSync, statSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import { createDiskStorage } from '../../src/storage/disk.ts';
import { createRetention, type SweepTask, sweepSpool, sweepStorage } from '../../src/storage/retention.ts';
import { createSpool } from '../../src/storage/spool.ts';
import { temporaryFolder } from '../support/temporary.ts';
import { until } from '../support/until.ts';

const put = (root: string, expiresAt: number) =>
  createDiskStorage(root, () => 0).put({ bytes: Buffer.from('x') }, { type: 'image/png', expiresAt });

function retention(tasks: SweepTask[], everyMs = 3_600_000) {
  const errors: unknown[][] = [];
  const made = createRetention({ tasks, everyMs, onError: (...args) => errors.push(args) });
  onTestFinished(() => made.stop());
  return { made, errors };
}

describe('retention', () => {
  test('a start catches up with what expired while nothing ran', async () => {
    const root = temporaryFolder();
    await put(root, Date.now() - 50 * 3_600_000);
    await put(root, Date.now() - 1000);
    const kept = await put(root, Date.now() + 60_000);
    const { made } = retention([sweepStorage(createDiskStorage(root))]);
    made.start();
    await made.sweep();
    expect((await createDiskStorage(root).stat(kept.id))?.id).toBe(kept.id);
    expect(readdirSync(root, { recursive: true }).filter((name) => String(name).endsWith('.json')).length).toBe(1);
  });

  test('the interval goes on sweeping', async () => {
    const root = temporaryFolder();
    const { made } = retention([sweepStorage(createDiskStorage(root))], 20);
    made.start();
    await made.sweep();
    const { id } = await put(root, Date.now() + 30);
    const files = () => readdirSync(root, { recursive: true }).map(String);
    await until(() => !files().some((name) => name.endsWith(`${id.slice(6)}.json`)));
  });

  test('a failing task is reported and the next one still runs', async () => {
    let ran = 0;
    const broken = { name: 'broken', run: () => Promise.reject(new Error('disk on fire')) };
    const counting = { name: 'counting', run: async () => ++ran };
    const { made, errors } = retention([broken, counting]);
    expect(await made.sweep()).toEqual({ counting: 1 });
    expect(errors).toEqual([['broken', new Error('disk on fire')]]);
  });

  test('two sweeps never run at once', async () => {
    let inside = 0;
    let most = 0;
    const slow = {
      name: 'slow',
      run: async () => {
        most = Math.max(most, ++inside);
        await new Promise((resolve) => setTimeout(resolve, 20));
        return --inside;
      },
    };
    const { made } = retention([slow]);
    await Promise.all([made.sweep(), made.sweep(), made.sweep()]);
    expect(most).toBe(1);
  });
});

describe('spool', () => {
  test('a folder is private, names in it are paths, and removing it removes all', async () => {
    const root = join(temporaryFolder(), 'spool');
    const folder = await createSpool(root).open();
    const path = folder.path('0.source');
    writeFileSync(path, 'x');
    expect(statSync(root).mode & 0o777).toBe(0o700);
    expect(statSync(join(path, '..')).mode & 0o777).toBe(0o700);
    await folder.remove();
    expect(existsSync(path)).toBe(false);
    await folder.remove();
    expect(readdirSync(root)).toEqual([]);
  });

  test('a sweep removes what is old and keeps what is not', async () => {
    const root = temporaryFolder();
    const spool = createSpool(root);
    const old = await spool.open();
    const fresh = await spool.open();
    writeFileSync(old.path('a'), 'x');
    const hoursAgo = Date.now() / 1000 - 7200;
    utimesSync(join(old.path('a'), '..'), hoursAgo, hoursAgo);
    expect(await sweepSpool(spool, 3_600_000).run(Date.now())).toBe(1);
    expect(existsSync(join(old.path('a'), '..'))).toBe(false);
    expect(existsSync(join(fresh.path('a'), '..'))).toBe(true);
  });

  test('a spool that was never used has nothing to sweep', async () => {
    const root = join(temporaryFolder(), 'absent');
    expect(await createSpool(root).sweep(0)).toBe(0);
    mkdirSync(root);
    expect(await createSpool(root).sweep(0)).toBe(0);
  });
});
