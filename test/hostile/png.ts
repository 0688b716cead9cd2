import { crc32, deflateSync } from 'node:zlib';

/** PNG signature (PNG specification, third edition, §5.2). */
export const PNG_SIGNATURE = Buffer.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]);

export interface Chunk {
  readonly type: string;
  readonly data: Buffer;
}

/** The chunks of a file, as far as its lengths can be followed. */
export function readChunks(file: Buffer): Chunk[] {
  const chunks: Chunk[] = [];
  for (let at = PNG_SIGNATURE.length; at + 12 <= file.length; ) {
    const length = file.readUInt32BE(at);
    if (at + 12 + length > file.length) break;
    chunks.push({ type: file.toString('latin1', at + 4, at + 8), data: file.subarray(at + 8, at + 8 + length) });
    at += 12 + length;
  }
  return chunks;
}

/** A file of these chunks with right lengths and checksums, whatever is in them. */
export function pngFile(chunks: readonly Chunk[]): Buffer {
  return Buffer.concat([PNG_SIGNATURE, ...chunks.flatMap(chunkBytes)]);
}

function chunkBytes({ type, data }: Chunk): Buffer[] {
  const head = Buffer.alloc(8);
  head.writeUInt32BE(data.length);
  head.write(type, 4, 'latin1');
  const sum = Buffer.alloc(4);
  sum.writeUInt32BE(crc32(data, crc32(head.subarray(4))));
  return [head, data, sum];
}

/** IHDR. Colour types: 0 grey, 2 RGB, 3 palette, 4 grey with alpha, 6 RGB with alpha. */
export function header(width: number, height: number, depth = 8, colour = 2, interlace = 0): Chunk {
  const data = Buffer.alloc(13);
  data.writeUInt32BE(width >>> 0);
  data.writeUInt32BE(height >>> 0, 4);
  data.set([depth, colour, 0, 0, interlace], 8);
  return { type: 'IHDR', data };
}

export const END: Chunk = { type: 'IEND', data: Buffer.alloc(0) };

/** IDAT of zeros: rows of a black picture. */
export function blackRows(width: number, height: number, bytesPerPixel = 3): Chunk {
  return { type: 'IDAT', data: deflateSync(Buffer.alloc(height * (1 + width * bytesPerPixel)), { level: 9 }) };
}

/** tEXt, zTXt or iTXt with a keyword. `value` is compressed for zTXt and iTXt. */
export function text(type: 'tEXt' | 'zTXt' | 'iTXt', keyword: string, value: Buffer): Chunk {
  const word = Buffer.from(`${keyword}\0`, 'latin1');
  if (type === 'tEXt') return { type, data: Buffer.concat([word, value]) };
  const packed = deflateSync(value, { level: 9 });
  return { type, data: Buffer.concat([word, Buffer.from(type === 'zTXt' ? [0] : [1, 0, 0, 0]), packed]) };
}

/** iCCP: a profile's name and its compressed bytes. */
export function profile(bytes: Buffer): Chunk {
  return { type: 'iCCP', data: Buffer.concat([Buffer.from('p\0\0', 'latin1'), deflateSync(bytes, { level: 9 })]) };
}
