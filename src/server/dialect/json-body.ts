import { AppError } from '../../errors.ts';

/** A JSON object as it came over the wire: nothing is known of its members. */
export type WireObject = Readonly<Record<string, unknown>>;

export function isWireObject(value: unknown): value is WireObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/**
 * The body as a JSON object, whatever its Content-Type says: the interface's own sample sends JSON
 * under a form type. A byte order mark, as Windows editors write it, is skipped.
 * @throws AppError PARAM_JSON_DECODE_ERROR
 */
export function parseJsonBody(body: unknown): WireObject {
  if (!Buffer.isBuffer(body) || body.length === 0) throw wrong('The body is empty; expected is a JSON object.');
  let value: unknown;
  try {
    value = JSON.parse(body.toString('utf8').replace(/^\uFEFF/, ''));
  } catch (error) {
    throw wrong(`The body is no JSON (${body.length} bytes received).`, error);
  }
  if (!isWireObject(value)) throw wrong(`The body is JSON but no object: received ${kindOf(value)}.`);
  return value;
}

/** What a value is, in a reader's words: "null", "an array", "a string". */
export function kindOf(value: unknown): string {
  if (value === null || value === undefined) return 'null';
  if (Array.isArray(value)) return 'an array';
  return typeof value === 'object' ? 'an object' : `a ${typeof value}`;
}

function wrong(message: string, cause?: unknown): AppError {
  return new AppError('PARAM_JSON_DECODE_ERROR', message, cause === undefined ? {} : { cause });
}
