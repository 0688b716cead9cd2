/** Protocol Buffers wire format, as much as writing a small ONNX file needs (protobuf.dev/programming-guides/encoding). */

type Part = Uint8Array;

/** An integer field; undefined for none. */
export function integer(field: number, value: number): Part {
  return Buffer.concat([varint(field << 3), varint(value)]);
}

/** A 32-bit float field. */
export function float(field: number, value: number): Part {
  const bytes = Buffer.alloc(4);
  bytes.writeFloatLE(value);
  return Buffer.concat([varint((field << 3) | 5), bytes]);
}

/** A field of text, bytes, or an embedded message made of parts. */
export function message(field: number, content: string | readonly Part[]): Part {
  const bytes = typeof content === 'string' ? Buffer.from(content, 'utf8') : Buffer.concat(content);
  return Buffer.concat([varint((field << 3) | 2), varint(bytes.length), bytes]);
}

function varint(value: number): Part {
  const bytes: number[] = [];
  let rest = value;
  while (rest > 0x7f) {
    bytes.push((rest % 128) | 0x80);
    rest = Math.floor(rest / 128);
  }
  bytes.push(rest);
  return Uint8Array.from(bytes);
}
