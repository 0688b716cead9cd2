import { InvalidArgumentError, Option } from 'commander';

/** The parts of a JSON schema that an option's help and check are made from. */
interface PlainSchema {
  readonly type?: string;
  readonly description?: string;
  readonly minimum?: number;
  readonly maximum?: number;
  readonly anyOf?: readonly { readonly const?: unknown }[];
  readonly default?: unknown;
}

/**
 * A command-line option out of a schema property: its sentence, range or choices, and default are
 * the schema's own. The value is left undefined when the option is not given.
 */
export function schemaOption(flags: string, property: object, fallback?: string): Option {
  const schema = property as PlainSchema;
  const choices = schema.anyOf?.map((choice) => choice.const);
  const range = schema.minimum === undefined ? '' : ` ${schema.minimum} to ${schema.maximum}.`;
  const shown = fallback ?? schema.default;
  const standard = shown === undefined ? '' : ` (default: ${shown})`;
  const option = new Option(flags, `${schema.description ?? ''}${range}${standard}`);
  if (choices?.every((choice) => typeof choice === 'string')) return option.choices(choices as string[]);
  if (choices) return option.argParser(oneOf(choices as number[]));
  return schema.type === 'number' || schema.type === 'integer' ? option.argParser(within(schema)) : option;
}

/** A whole number of at least `least`, for options that no schema describes. */
export function wholeNumber(least: number): (text: string) => number {
  return within({ type: 'integer', minimum: least, maximum: Number.MAX_SAFE_INTEGER });
}

/** A number above zero, whole or not. */
export function positiveNumber(text: string): number {
  const value = Number(text);
  if (value > 0 && Number.isFinite(value)) return value;
  throw new InvalidArgumentError('Expected a number above 0.');
}

function within({ type, minimum = -Infinity, maximum = Infinity }: PlainSchema): (text: string) => number {
  return (text) => {
    const value = Number(text);
    const right = text.trim() !== '' && value >= minimum && value <= maximum && (type !== 'integer' || Number.isInteger(value));
    if (right) return value;
    const upper = maximum === Number.MAX_SAFE_INTEGER ? ' up' : ` to ${maximum}`;
    throw new InvalidArgumentError(`Expected a${type === 'integer' ? ' whole' : ''} number from ${minimum}${upper}.`);
  };
}

function oneOf(choices: readonly number[]): (text: string) => number {
  return (text) => {
    if (choices.includes(Number(text))) return Number(text);
    throw new InvalidArgumentError(`Allowed choices are ${choices.join(', ')}.`);
  };
}
