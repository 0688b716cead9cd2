import { spawn } from 'node:child_process';
import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { jpeg } from '../support/pictures.ts';
import { temporaryFolder } from '../support/temporary.ts';

const ROOT = join(import.meta.dirname, '..', '..');
const TSX = pathToFileURL(createRequire(import.meta.url).resolve('tsx')).href;

/** Runs a program in a folder where `mingxi` is this checkout, as an importer sees it. */
export async function runProgram(
  code: string,
  environment: Readonly<Record<string, string>> = {},
): Promise<{ status: number | null; output: string; folder: string }> {
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
  const child = spawn(process.execPath, ['--import', TSX, 'example.ts'], {
    cwd: folder,
    env: { ...process.env, ...environment },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let output = '';
  child.stdout.on('data', (chunk) => (output += chunk));
  child.stderr.on('data', (chunk) => (output += chunk));
  const status = await new Promise<number | null>((resolve) => child.once('close', resolve));
  return { status, output, folder };
}
