import { createRequire } from 'node:module';
import { fileURLToPath, pathToFileURL } from 'node:url';

/** The file of a program that lies beside a module: `NAME.js` beside the compiled one, `NAME.ts` beside its source. */
export function programFile(beside: string, name: string): string {
  const extension = beside.endsWith('.ts') ? 'ts' : 'js';
  return fileURLToPath(new URL(`./${name}.${extension}`, beside));
}

/** Node's arguments for a process or thread that runs this program: sources need their loader. */
export function programArguments(program: string): string[] {
  return program.endsWith('.ts') ? ['--import', pathToFileURL(createRequire(import.meta.url).resolve('tsx')).href] : [];
}
