import { spawn } from 'node:child_process';
import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import sharp from 'sharp';
import { expect, test } from 'vitest';
import { jpeg } from '../support/pictures.ts';
import { temporaryFolder } from '../support/temporary.ts';
import { codeBlocks } from './code-blocks.ts';

const ROOT = join(import.meta.dirname, '..', '..');
const TSX = pathToFileURL(createRequire(import.meta.url).resolve('tsx')).href;

/** Runs a program in a folder where `mingxi` is this checkout, as an importer sees it. */
async function run(code: string): Promise<{ status: number | null; output: string; folder: string }> {
  const folder = temporaryFolder();
  mkdirSync(join(folder, 'node_modules', 'mingxi'), { recursive: true });
  writeFileSync(join(folder, 'package.json'), '{"type":"module"}');
  writeFileSync(
    join(folder, 'node_modules', 'mingxi', 'package.json'),
    '{"type":"module","exports":{".":"./build/index.js","./client":"./build/client/index.js"}}',
  );
  // Compiled once for all tests; its own packages are found at its real place.
  symlinkSync(join(ROOT, 'build-test'), join(folder, 'node_modules', 'mingxi', 'build'));
  writeFileSync(join(folder, 'holiday.jpg'), await jpeg(200, 150));
  writeFileSync(join(folder, 'example.ts'), code);
  const child = spawn(process.execPath, ['--import', TSX, 'example.ts'], { cwd: folder, stdio: ['ignore', 'pipe', 'pipe'] });
  let output = '';
  child.stdout.on('data', (chunk) => (output += chunk));
  child.stderr.on('data', (chunk) => (output += chunk));
  const status = await new Promise<number | null>((resolve) => child.once('close', resolve));
  return { status, output, folder };
}

const blocks = codeBlocks('guide/library.md', 'ts');
/** What each example prints, in the page's order. */
const PRINTS = [
  /200 × 150, (copy|soften|restore)/,
  /^true true$/m,
  /^webp true 0\.7$/m,
  /^AbortError$/m,
  /^IMAGE_DECODE_FORMAT_ERROR 23102 false$/m,
  /^3$/m,
];

test('every example of the page is known here', () => {
  expect(blocks).toHaveLength(PRINTS.length);
});

test.each(blocks.map(({ name, code }, i) => [name, code, PRINTS[i] ?? /^$/] as const))(
  '%s runs, ends by itself and prints what it says',
  async (_name, code, prints) => {
    const { status, output, folder } = await run(code);
    expect(output).toMatch(prints);
    expect(status, output).toBe(0);
    if (code.includes('restored.jpg'))
      expect(await sharp(join(folder, 'restored.jpg')).metadata()).toMatchObject({ format: 'jpeg', width: 200 });
  },
);
