import { readFileSync } from 'node:fs';
import { AppError } from '../errors.ts';
import { type Static, Type, Value } from '../schema.ts';
import { contradiction, Detector, ModelName, ModelTask, PixelTensor, ScalarInput, Scale, Tier, Tile } from './manifest.ts';

const FreeScalar = Type.Object(
  {
    name: Type.Optional(ScalarInput.properties.name),
    type: Type.Optional(ScalarInput.properties.type),
    value: Type.Number(),
  },
  { additionalProperties: false },
);

/**
 * What the owner of a network file says about it: the `--manifest` of `models add`. The rest of the
 * manifest (checksum, number of parameters, shapes of scalars, a fixed tile size) is read off the file.
 */
export const Draft = Type.Object(
  {
    name: Type.Optional(ModelName),
    version: Type.Optional(Type.String({ maxLength: 64 })),
    description: Type.Optional(Type.String({ maxLength: 500 })),
    task: ModelTask,
    input: PixelTensor,
    output: Type.Optional(PixelTensor),
    scalars: Type.Optional(Type.Array(FreeScalar, { maxItems: 4 })),
    detector: Type.Optional(Detector),
    scale: Scale,
    tile: Tile,
    tier: Type.Optional(Tier),
    licence: Type.String({ minLength: 1, maxLength: 300 }),
    /** When given, the file must have this one. */
    sha256: Type.Optional(Type.String({ pattern: '^[0-9a-f]{64}$' })),
  },
  { additionalProperties: false },
);
export type Draft = Static<typeof Draft>;

/** A draft completed by what the file says. */
export interface Completed {
  readonly input: PixelTensor;
  readonly output: PixelTensor;
  readonly scalars: readonly ScalarInput[];
  readonly tile: Tile;
  readonly parameters: number;
}

/** @throws AppError PARAM_VALUE_ERROR saying which field is wrong, what was expected and what was received */
export function readDraft(path: string): Draft {
  const refuse = (what: string) => new AppError('PARAM_VALUE_ERROR', `The manifest ${what}.`);
  let text: string;
  try {
    text = readFileSync(path, 'utf8');
  } catch (cause) {
    throw new AppError('PARAM_VALUE_ERROR', `The manifest ${JSON.stringify(path)} cannot be read.`, { cause });
  }
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    throw refuse('is no JSON');
  }
  if (!Value.Check(Draft, value)) throw refuse(`is not valid: ${complaint(value)}`);
  const problem = contradiction(value);
  if (problem !== undefined) throw refuse(`contradicts itself: ${problem}`);
  return value;
}

function complaint(value: unknown): string {
  const errors = Value.Errors(Draft, value);
  const [first] = errors;
  if (!first) return 'not allowed';
  const path = first.instancePath;
  const field = path === '' ? '' : `${path.slice(1).replaceAll('/', '.')}: `;
  if (first.keyword === 'boolean') return `${field}no such field`;
  if (first.keyword === 'required') return `${field}${first.message}`;
  const choices = errors
    .filter((error) => error.keyword === 'const' && error.instancePath === path)
    .map(({ params }) => JSON.stringify((params as { allowedValue: unknown }).allowedValue));
  const expected = choices.length > 0 ? `expected ${choices.join(' or ')}` : first.message;
  return `${field}${expected}, received ${JSON.stringify(at(value, path))?.slice(0, 80) ?? 'nothing'}`;
}

function at(value: unknown, pointer: string): unknown {
  return pointer
    .split('/')
    .slice(1)
    .reduce<unknown>(
      (inner, key) => (typeof inner === 'object' && inner !== null ? (inner as Record<string, unknown>)[key] : undefined),
      value,
    );
}
