import { type ChildProcess, fork } from 'node:child_process';
import { programArguments, programFile } from '../program-file.ts';
import { type ChildLimits, limitedStart } from './child-limits.ts';

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

/** A child's program. */
export const entryFile = (name: 'entry' | 'check-entry') => programFile(import.meta.url, name);

/**
 * Starts a child on `entry` with the settings as its argument. Its stdout is closed (the CLI's
 * stdout may be a picture); its stderr is a pipe, so that the last words of a crash can be logged.
 * With limits the kernel keeps the child within them.
 */
export function spawnChild(entry: string, settings: object, limits?: ChildLimits): ChildProcess {
  const programArgv = programArguments(entry);
  const start = limits ? limitedStart(process.execPath, programArgv, limits) : { execPath: process.execPath, execArgv: programArgv };
  return fork(entry, [JSON.stringify(settings)], {
    env: childEnvironment(process.env),
    execPath: start.execPath,
    execArgv: [...start.execArgv],
    stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
  });
}

/** The allow-listed part of an environment. */
export function childEnvironment(environment: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  return Object.fromEntries(ENVIRONMENT.flatMap((name) => (environment[name] === undefined ? [] : [[name, environment[name]]])));
}
