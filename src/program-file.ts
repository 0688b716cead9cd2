import { createRequire } from 'node:module';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { Worker } from 'node:worker_threads';

/** The file of a program that lies beside a module: `NAME.js` beside the compiled one, `NAME.ts` beside its source. */
export function programFile(beside: string, name: string): string {
  const extension = beside.endsWith('.ts') ? 'ts' : 'js';
  return fileURLToPath(new URL(`./${name}.${extension}`, beside));
}

/** Node's arguments for a process that runs this program: sources need their loader. */
export function programArguments(program: string): string[] {
  return program.endsWith('.ts') ? ['--import', loader().href] : [];
}

/** A thread that runs this program. For sources it registers their loader itself: in a thread `--import` comes too late for it. */
export function startThread(program: string, workerData: unknown): Worker {
  if (!program.endsWith('.ts')) return new Worker(program, { workerData, execArgv: [] });
  const register = new URL('./esm/api/index.mjs', loader());
  const source = `import(${JSON.stringify(register)}).then((tsx) => (tsx.register(), import(${JSON.stringify(pathToFileURL(program))})))`;
  return new Worker(source, { eval: true, workerData, execArgv: [] });
}

const loader = () => pathToFileURL(createRequire(import.meta.url).resolve('tsx'));
