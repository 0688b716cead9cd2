import { existsSync } from 'node:fs';
import type { Config } from '../config.ts';

/** What the kernel lets one child have, whatever a file makes a decoder do. */
export interface ChildLimits {
  /** Bytes of memory it may write to (RLIMIT_DATA): heap, pixels, stacks of threads. */
  readonly memory: number;
  /** Bytes of the largest file it may write (RLIMIT_FSIZE). */
  readonly fileSize: number;
}

/** Four samples of 16 bits: the largest an uncompressed pixel of a result can be. */
const LARGEST_PIXEL = 8;

/** A configuration's limits. Other providers than the processor map their device's memory, which counts too: not limited. */
export function childLimitsOf(
  config: Pick<Config, 'workerMemoryLimit' | 'provider' | 'v2MaxPixels' | 'maxResultPixels' | 'v2MaxFileBytes'>,
): ChildLimits {
  const pixels = Math.max(config.v2MaxPixels, config.maxResultPixels);
  return {
    memory: config.provider === 'cpu' ? config.workerMemoryLimit : Number.POSITIVE_INFINITY,
    fileSize: pixels * LARGEST_PIXEL + config.v2MaxFileBytes,
  };
}

/** A child holds pipes, libraries, two picture files and, under tsx, sources: about 40. */
const OPEN_FILES = 256;
const SHELL = '/bin/sh';
/** POSIX counts `ulimit -f` in these. */
const BLOCK = 512;

/** How to start a program so that the limits hold before its first instruction. */
export interface LimitedStart {
  readonly execPath: string;
  readonly execArgv: readonly string[];
}

/**
 * Puts `program` behind a shell that sets the limits and then becomes it: same process id, same
 * channel. Memory: RLIMIT_DATA and not RLIMIT_AS, because V8 reserves 30 GB of addresses that it never
 * touches (measured: VmData is VmRSS + 55 MB, VmSize 33 GB more). Processor time has no limit here:
 * RLIMIT_CPU counts over all pictures of a child, while the pool ends each one at its own deadline.
 * No core dumps: they would hold strangers' pictures. Where there is no shell the program starts without.
 */
export function limitedStart(program: string, programArgv: readonly string[], limits: ChildLimits): LimitedStart {
  if (!existsSync(SHELL)) return { execPath: program, execArgv: programArgv };
  const wanted = [
    'ulimit -c 0',
    `ulimit -n ${OPEN_FILES}`,
    `ulimit -f ${Math.ceil(limits.fileSize / BLOCK)}`,
    ...(Number.isFinite(limits.memory) ? [`ulimit -d ${Math.ceil(limits.memory / 1024)}`] : []),
  ];
  // A limit that cannot be set is already lower, or unknown to this system: the others still count.
  const script = `${wanted.map((one) => `${one} 2>/dev/null || :`).join('; ')}; exec "$@"`;
  return { execPath: SHELL, execArgv: ['-c', script, 'sh', program, ...programArgv] };
}
