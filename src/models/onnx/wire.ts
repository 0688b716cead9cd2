/** Protocol Buffers wire format, reading (protobuf.dev/programming-guides/encoding). Nothing is copied. */

/** The bytes end inside a field, or are no Protocol Buffers at all. */
export class WireError extends Error {
  override readonly name = 'WireError';
}

/** One field of a message: `value` for numbers, `bytes` for text and embedded messages. */
export interface Field {
  readonly number: number;
  readonly value: number;
  readonly bytes: Uint8Array;
}

const NOTHING = new Uint8Array(0);

/**
 * The fields of a message in their order. Numbers beyond 2⁵³ lose their last bits: nothing read here has any.
 * @throws WireError while iterating
 */
export function* fields(message: Uint8Array): Generator<Field> {
  const at = { position: 0 };
  while (at.position < message.length) {
    const key = varint(message, at);
    const number = Math.floor(key / 8);
    if (number < 1 || number > 536_870_911) throw new WireError(`field number ${number}`);
    switch (key % 8) {
      case 0:
        yield { number, value: varint(message, at), bytes: NOTHING };
        break;
      case 1:
        yield { number, value: 0, bytes: take(message, at, 8) };
        break;
      case 2:
        yield { number, value: 0, bytes: take(message, at, varint(message, at)) };
        break;
      case 5:
        yield { number, value: 0, bytes: take(message, at, 4) };
        break;
      default:
        throw new WireError(`wire type ${key % 8}`);
    }
  }
}

/** The numbers of a repeated integer field, packed or one by one. */
export function integers(field: Field): number[] {
  if (field.bytes.length === 0) return [field.value];
  const at = { position: 0 };
  const found: number[] = [];
  while (at.position < field.bytes.length) found.push(varint(field.bytes, at));
  return found;
}

/** A field's text; what is not UTF-8 becomes replacement characters. */
export const text = (field: Field) => Buffer.from(field.bytes.buffer, field.bytes.byteOffset, field.bytes.byteLength).toString('utf8');

function varint(message: Uint8Array, at: { position: number }): number {
  let value = 0;
  for (let shift = 0; shift < 10; shift++) {
    const byte = message[at.position++];
    if (byte === undefined) throw new WireError('the bytes end inside a number');
    value += (byte & 0x7f) * 2 ** (7 * shift);
    if (byte < 0x80) return value;
  }
  throw new WireError('a number of more than ten bytes');
}

function take(message: Uint8Array, at: { position: number }, length: number): Uint8Array {
  const end = at.position + length;
  if (end > message.length) throw new WireError(`a field of ${length} bytes where ${message.length - at.position} are left`);
  const bytes = message.subarray(at.position, end);
  at.position = end;
  return bytes;
}
