import { spawnSync } from 'node:child_process';
import { existsSync, readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const ROOT = fileURLToPath(new URL('..', import.meta.url));

/** Runs once before all tests: builds the studio page when its sources are newer than what is built. */
export default function buildPage(): void {
  const page = join(ROOT, 'dist', 'web', 'index.html');
  const newest = (folder: string): number => {
    const times = readdirSync(folder, { recursive: true }).map((name) => statSync(join(folder, String(name))).mtimeMs);
    return Math.max(0, ...times);
  };
  if (existsSync(page) && statSync(page).mtimeMs > newest(join(ROOT, 'web'))) return;
  const { status, stderr } = spawnSync(process.execPath, ['node_modules/vite/bin/vite.js', 'build', 'web', '--logLevel', 'error'], {
    cwd: ROOT,
  });
  if (status !== 0) throw new Error(`the studio page does not build:\n${stderr}`);
}
