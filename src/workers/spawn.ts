import { type ChildProcess, fork } from 'node:child_process';
import { createRequire } from 'node:module';
import { fileURLToPath, pathToFileURL } from 'node:url';

/** All a child sees of the environment: where libraries and temporary files are. No key, no MINGXI_ variable. */
const ENVIRONMENT = [
  'PATH',
  'HOME',
  'TMPDIR',
  'TZ',
  'LANG',
  'LD_LIBRARY_PATH',
  'DYLD_LIBRARY_PATH',
  'CUDA_VISIBLE_DEVICES',
  'SystemRoot',
  'TEMP',
  'TMP',
];

/** A child's program: `NAME.js` beside the compiled pool, `NAME.ts` beside its source. */
export function entryFile(name: 'entry' | 'check-entry'): string {
  const extension = import.meta.url.endsWith('.ts') ? 'ts' : 'js';
  return fileURLToPath(new URL(`./${name}.${extension}`, import.meta.url));
}

/**
 * Starts a child on `entry` with the settings as its argument. Its stdout is closed (the CLI's
 * stdout may be a picture); its stderr is a pipe, so that the last words of a crash can be logged.
 */
export function spawnChild(entry: string, settings: object): ChildProcess {
  return fork(entry, [JSON.stringify(settings)], {
    env: childEnvironment(process.env),
    execArgv: entry.endsWith('.ts') ? ['--import', typeScriptLoader()] : [],
    stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
  });
}

/** The allow-listed part of an environment. */
export function childEnvironment(environment: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  return Object.fromEntries(ENVIRONMENT.flatMap((name) => (environment[name] === undefined ? [] : [[name, environment[name]]])));
}

function typeScriptLoader(): string {
  return pathToFileURL(createRequire(import.meta.url).resolve('tsx')).href;
}
