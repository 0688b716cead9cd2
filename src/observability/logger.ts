import { type DestinationStream, type Logger, pino } from 'pino';
import { redact, redactText } from './redact.ts';

export type { Logger } from 'pino';

/**
 * The process's logger: JSON lines with ISO times, every record redacted before it is written.
 * @param destination where lines go; default: standard output
 */
export function createLogger(level: string, destination?: DestinationStream): Logger {
  const options = {
    level,
    base: null,
    timestamp: pino.stdTimeFunctions.isoTime,
    formatters: {
      level: (label: string) => ({ level: label }),
      log: (record: Record<string, unknown>) => redact(record) as Record<string, unknown>,
    },
    // Errors are already plain objects when serialisers run; the default one would drop their fields.
    serializers: { err: (value: unknown) => value, req: (value: unknown) => value, res: (value: unknown) => value },
    hooks: {
      logMethod(this: Logger, args: Parameters<Logger['info']>, method: (...args: Parameters<Logger['info']>) => void) {
        method.apply(this, redactArguments(args));
      },
    },
  };
  return destination ? pino(options, destination) : pino(options);
}

/** Texts among the arguments of a log call; of a bare error also the message that pino would take from it. */
function redactArguments(args: Parameters<Logger['info']>): Parameters<Logger['info']> {
  const [first] = args as unknown[];
  if (first instanceof Error && args.length === 1)
    return [{ err: first }, redactText(first.message)] as unknown as Parameters<Logger['info']>;
  return args.map((arg: unknown) => (typeof arg === 'string' ? redactText(arg) : arg)) as Parameters<Logger['info']>;
}
