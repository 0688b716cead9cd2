import { type ChildProcess, spawn } from 'node:child_process';
import { createRequire } from 'node:module';
import { pathToFileURL } from 'node:url';
import { describe, expect, test } from 'vitest';
import { until } from '../support/until.ts';
import { entry, isAlive } from './task.ts';

interface Parent {
  readonly process: ChildProcess;
  readonly lines: string[];
  readonly exit: Promise<number | string>;
}

function parent(how: 'idle' | 'busy'): Parent {
  const loader = pathToFileURL(createRequire(import.meta.url).resolve('tsx')).href;
  const started = spawn(process.execPath, ['--import', loader, entry('parent'), how], { stdio: ['ignore', 'pipe', 'inherit'] });
  const lines: string[] = [];
  started.stdout.on('data', (chunk: Buffer) => lines.push(...chunk.toString().trim().split('\n')));
  const exit = new Promise<number | string>((resolve) => started.once('exit', (code, signal) => resolve(signal ?? code ?? -1)));
  return { process: started, lines, exit };
}

const children = (lines: readonly string[]) => lines.flatMap((line) => (line.startsWith('child ') ? [Number(line.slice(6))] : []));

describe('children never outlive their parent, nor hold it', () => {
  test('a parent with nothing left to do ends by itself, and its idle children with it', async () => {
    const { lines, exit } = parent('idle');
    await expect(exit).resolves.toBe(0);
    expect(lines).toContain('idle');
    expect(children(lines).length).toBeGreaterThan(0);
    await until(() => !children(lines).some(isAlive));
  });

  test('a parent killed with SIGKILL takes even a child that never comes back to its event loop', async () => {
    const { process: killed, lines, exit } = parent('busy');
    await until(() => lines.includes('busy') && children(lines).length === 2);
    expect(children(lines).every(isAlive)).toBe(true);
    killed.kill('SIGKILL');
    await expect(exit).resolves.toBe('SIGKILL');
    await until(() => !children(lines).some(isAlive));
  });
});
