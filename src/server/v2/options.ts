import { AppError } from '../../errors.ts';
import type { Registry } from '../../models/registry.ts';
import { DEFAULT_OPTIONS, type RestoreOptions } from '../../pipeline/options.ts';
import { Value } from '../../schema.ts';
import { V2Options } from '../schemas/v2.ts';

type Models = Pick<Registry, 'get' | 'list'>;

/** Form and query fields are text: numbers are read where the schema has numbers. */
export function optionsFromText(fields: Readonly<Record<string, unknown>>, models: Models): Partial<RestoreOptions> {
  return checkOptions(Value.Convert(V2Options, { ...fields }), models);
}

/**
 * Options as the schema has them, with the network they name known and able.
 * @throws AppError PARAM_VALUE_ERROR naming the option, what it may be and what was received
 */
export function checkOptions(value: unknown, models: Models): Partial<RestoreOptions> {
  if (!Value.Check(V2Options, value)) throw new AppError('PARAM_VALUE_ERROR', complaint(value));
  if (value.model !== undefined && value.model !== 'auto') models.get(value.model);
  checkScale(value, models);
  return value;
}

/** The options a job runs with. */
export function complete(options: Partial<RestoreOptions>, format: RestoreOptions['format'] | undefined): RestoreOptions {
  return { ...DEFAULT_OPTIONS, format: format ?? 'same', ...options };
}

function complaint(value: unknown): string {
  const [first] = Value.Errors(V2Options, value);
  const path = first?.instancePath.split('/')[1];
  if (path === undefined || path === '') return unknownOption(value) ?? `options: ${first?.message ?? 'not allowed'}.`;
  const received = JSON.stringify((value as Record<string, unknown>)[path])?.slice(0, 80);
  return `${path}: expected ${expected(path)}, received ${received}.`;
}

function unknownOption(value: unknown): string | undefined {
  if (typeof value !== 'object' || value === null) return undefined;
  const names = Object.keys(V2Options.properties);
  const unknown = Object.keys(value).find((name) => !names.includes(name));
  return unknown === undefined ? undefined : `${unknown.slice(0, 80)}: no such option; there are ${names.join(', ')}.`;
}

interface PlainSchema {
  readonly type?: string;
  readonly minimum?: number;
  readonly maximum?: number;
  readonly anyOf?: readonly { readonly const?: unknown }[];
}

function expected(name: string): string {
  const schema = (V2Options.properties as Record<string, PlainSchema>)[name];
  if (schema === undefined) return 'nothing: no such option';
  if (schema.anyOf) return schema.anyOf.map((choice) => choice.const).join(', ');
  const range = schema.minimum === undefined ? '' : ` from ${schema.minimum} to ${schema.maximum}`;
  return `${schema.type === 'integer' ? 'a whole number' : `a ${schema.type}`}${range}`;
}

function checkScale({ scale = 1, model = 'auto' }: Partial<RestoreOptions>, models: Models): void {
  if (scale === 1) return;
  const entries = model === 'auto' ? models.list() : [models.get(model)];
  if (entries.some((entry) => Number(entry.manifest.scale) === scale)) return;
  throw new AppError('PARAM_VALUE_ERROR', `scale: no network offers ×${scale}${model === 'auto' ? '' : ` under the name ${model}`}.`);
}
