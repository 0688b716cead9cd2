import { CommanderError } from 'commander';
import { ConfigError } from '../config.ts';
import { AppError } from '../errors.ts';

/** The caller asked for something that cannot be done as asked: exit 2, like every wrong option. */
export class UsageError extends Error {
  override readonly name = 'UsageError';
}

/** Something outside the program failed, in words for people: exit 1 without a stack. */
export class Failure extends Error {
  override readonly name = 'Failure';
}

/** Ctrl-C, SIGTERM or a closed terminal met a command that works on files. */
export class Interrupted extends Error {
  override readonly name = 'Interrupted';
  readonly status: number;

  constructor(status: number) {
    super('interrupted');
    this.status = status;
  }
}

/** Exit statuses of every command. */
export const EXIT = { ok: 0, failed: 1, usage: 2, hungUp: 129, interrupted: 130, terminated: 143 } as const;

/** Writes what went wrong to stderr, in words, and gives the exit status. Only a defect of ours shows a stack. */
export function exitCodeOf(error: unknown): number {
  // Commander has written its own message; help and version are its successes.
  if (error instanceof CommanderError) return error.exitCode === 0 ? EXIT.ok : EXIT.usage;
  if (error instanceof Interrupted) return error.status;
  if (error instanceof UsageError || error instanceof ConfigError || (error instanceof AppError && error.kind === 'PARAM_VALUE_ERROR')) {
    complain(error.message);
    return EXIT.usage;
  }
  complain(wordsFor(error));
  return EXIT.failed;
}

function wordsFor(error: unknown): string {
  if (error instanceof AppError) return describe(error);
  if (error instanceof Failure) return error.message;
  return error instanceof Error ? (error.stack ?? error.message) : String(error);
}

/** One line on stderr, named after the program. */
export function complain(message: string): void {
  process.stderr.write(`mingxi: ${message}\n`);
}

/** An AppError for people at a terminal: the sentence, then the code they can look up. */
export function describe(error: AppError): string {
  return `${error.message} (${error.spec.code} ${error.kind})`;
}
