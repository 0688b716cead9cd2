import { AppError } from '../../errors.ts';
import { kindOf, type WireObject } from './json-body.ts';

/** Clients of the family send numbers and booleans as strings, and `""` or null for "not given". */
const isAbsent = (value: unknown) => value === undefined || value === null || value === '';

/**
 * A number that may come as a string.
 * @throws AppError PARAM_VALUE_ERROR outside the range or when it is no number
 */
export function looseNumber(from: WireObject, name: string, range: { min: number; max: number; whole?: boolean }): number | undefined {
  const value = from[name];
  if (isAbsent(value)) return undefined;
  const number = typeof value === 'string' && value.trim() !== '' ? Number(value) : value;
  const fits = typeof number === 'number' && number >= range.min && number <= range.max && (!range.whole || Number.isInteger(number));
  if (!fits) throw notAllowed(name, `${range.whole ? 'a whole number' : 'a number'} from ${range.min} to ${range.max}`, value);
  return number;
}

/** A boolean that may come as a string or as 0 and 1. @throws AppError PARAM_VALUE_ERROR */
export function looseFlag(from: WireObject, name: string): boolean | undefined {
  const value = from[name];
  if (isAbsent(value)) return undefined;
  const text = String(value).trim().toLowerCase();
  if (text === 'true' || text === '1') return true;
  if (text === 'false' || text === '0') return false;
  throw notAllowed(name, 'true or false', value);
}

/** One of a few words, in any capitals. @throws AppError PARAM_VALUE_ERROR */
export function looseChoice<T extends string>(from: WireObject, name: string, choices: readonly T[]): T | undefined {
  const value = from[name];
  if (isAbsent(value)) return undefined;
  const text = typeof value === 'string' ? value.trim().toLowerCase() : undefined;
  const found = choices.find((choice) => choice === text);
  if (found === undefined) throw notAllowed(name, choices.join(', '), value);
  return found;
}

/** A short text. @throws AppError PARAM_VALUE_ERROR */
export function looseText(from: WireObject, name: string): string | undefined {
  const value = from[name];
  if (isAbsent(value)) return undefined;
  if (typeof value !== 'string') throw notAllowed(name, 'a string', value);
  return value.trim();
}

/** The message for a value outside what is allowed: limit and received, cut to a readable length. */
export function notAllowed(name: string, allowed: string, received: unknown): AppError {
  const shown = typeof received === 'object' ? kindOf(received) : JSON.stringify(received)?.slice(0, 64);
  return new AppError('PARAM_VALUE_ERROR', `parameter.${name}: allowed is ${allowed}; received ${shown}.`);
}
