import { spawnSync } from 'node:child_process';
import { mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { jpeg } from '../support/pictures.ts';
import { temporaryFolder } from '../support/temporary.ts';

const MAIN = join(import.meta.dirname, '../../src/cli/main.ts');

test('restoring leaves nothing in the home or working folder: ONNX Runtime keeps no device id and reports nothing', async () => {
  const home = temporaryFolder();
  const work = join(home, 'work');
  mkdirSync(work);
  writeFileSync(join(work, 'a.jpg'), await jpeg(64, 64));
  const run = spawnSync(process.execPath, ['--import', import.meta.resolve('tsx'), MAIN, 'restore', 'a.jpg', '-o', 'b.jpg'], {
    cwd: work,
    env: { PATH: process.env.PATH, HOME: home },
    encoding: 'utf8',
    timeout: 50_000,
  });
  expect(run.stderr + String(run.status)).toMatch(/0$/);
  expect(readdirSync(work).sort()).toEqual(['a.jpg', 'b.jpg']);
  expect(readdirSync(home)).toEqual(['work']);
});
