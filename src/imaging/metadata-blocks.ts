import { crc32, deflateSync } from 'node:zlib';

/** Metadata payloads to put into an encoded file, without any container's prefix. */
export interface MetadataBlocks {
  readonly icc?: Uint8Array;
  /** Begins with the TIFF header. */
  readonly exif?: Uint8Array;
  readonly xmp?: Uint8Array;
}

export type ContainerFormat = 'jpg' | 'png' | 'webp';

const latin = (text: string) => Buffer.from(text, 'latin1');

/** Puts the blocks into a freshly encoded file; blocks the container cannot hold are left out. */
export function withMetadata(file: Buffer, format: ContainerFormat, blocks: MetadataBlocks): Buffer {
  if (!blocks.icc && !blocks.exif && !blocks.xmp) return file;
  if (format === 'jpg') return intoJpeg(file, blocks);
  return format === 'png' ? intoPng(file, blocks) : intoWebp(file, blocks);
}

const MOST_IN_SEGMENT = 65533;

/** Exif 3.0 §4.5.4 and ICC.1 Annex B.4: APP1 Exif, APP1 XMP, APP2 profile in numbered parts, after APP0. */
function intoJpeg(file: Buffer, { icc, exif, xmp }: MetadataBlocks): Buffer {
  const segment = (marker: number, body: Buffer) => {
    const head = Buffer.from([0xff, marker, 0, 0]);
    head.writeUInt16BE(body.length + 2, 2);
    return Buffer.concat([head, body]);
  };
  const parts: Buffer[] = [];
  if (exif && exif.length + 6 <= MOST_IN_SEGMENT) parts.push(segment(0xe1, Buffer.concat([latin('Exif\0\0'), exif])));
  if (xmp && xmp.length + 29 <= MOST_IN_SEGMENT) parts.push(segment(0xe1, Buffer.concat([latin('http://ns.adobe.com/xap/1.0/\0'), xmp])));
  if (icc) {
    const room = MOST_IN_SEGMENT - 14;
    const count = Math.ceil(icc.length / room);
    for (let i = 0; i < count && count <= 255; i++) {
      parts.push(
        segment(0xe2, Buffer.concat([latin('ICC_PROFILE\0'), Buffer.from([i + 1, count]), icc.subarray(i * room, (i + 1) * room)])),
      );
    }
  }
  const after = file[2] === 0xff && file[3] === 0xe0 ? 4 + file.readUInt16BE(4) : 2;
  return Buffer.concat([file.subarray(0, after), ...parts, file.subarray(after)]);
}

const AFTER_IHDR = 33;

/** PNG 3rd edition §11.3: iCCP, eXIf and iTXt, right after IHDR (iCCP must precede PLTE and IDAT). */
function intoPng(file: Buffer, { icc, exif, xmp }: MetadataBlocks): Buffer {
  const chunk = (type: string, body: Uint8Array) => {
    const named = Buffer.concat([latin(type), body]);
    const length = Buffer.alloc(4);
    length.writeUInt32BE(body.length);
    const check = Buffer.alloc(4);
    check.writeUInt32BE(crc32(named));
    return Buffer.concat([length, named, check]);
  };
  const parts: Buffer[] = [];
  if (icc) parts.push(chunk('iCCP', Buffer.concat([latin('ICC profile\0\0'), deflateSync(icc)])));
  if (exif) parts.push(chunk('eXIf', exif));
  if (xmp) parts.push(chunk('iTXt', Buffer.concat([latin('XML:com.adobe.xmp\0\0\0\0\0'), xmp])));
  return Buffer.concat([file.subarray(0, AFTER_IHDR), ...parts, file.subarray(AFTER_IHDR)]);
}

const FLAG = { icc: 0x20, alpha: 0x10, exif: 0x08, xmp: 0x04 };

/** RFC 9649 §2.7: a VP8X header with the canvas size and flags, then ICCP, pixels, EXIF, XMP. */
function intoWebp(file: Buffer, { icc, exif, xmp }: MetadataBlocks): Buffer {
  const chunks: { type: string; body: Buffer }[] = [];
  for (let at = 12; at + 8 <= file.length; ) {
    const size = file.readUInt32LE(at + 4);
    chunks.push({ type: file.toString('latin1', at, at + 4), body: file.subarray(at + 8, at + 8 + size) });
    at += 8 + size + (size & 1);
  }
  const extended = chunks.find((c) => c.type === 'VP8X')?.body;
  const head = extended ? Buffer.from(extended) : webpHeader(chunks[0]);
  if (!head) return file;
  head[0] = (head[0] ?? 0) | (icc ? FLAG.icc : 0) | (exif ? FLAG.exif : 0) | (xmp ? FLAG.xmp : 0);
  const write = (type: string, body: Uint8Array) => {
    const length = Buffer.alloc(4);
    length.writeUInt32LE(body.length);
    return Buffer.concat([latin(type), length, body, Buffer.alloc(body.length & 1)]);
  };
  const parts = [latin('WEBP'), write('VP8X', head)];
  if (icc) parts.push(write('ICCP', icc));
  for (const { type, body } of chunks) if (type !== 'VP8X') parts.push(write(type, body));
  if (exif) parts.push(write('EXIF', exif));
  if (xmp) parts.push(write('XMP ', xmp));
  return write('RIFF', Buffer.concat(parts));
}

/** A VP8X body for a file that has none, its size taken from the pixel chunk. */
function webpHeader(pixels: { type: string; body: Buffer } | undefined): Buffer | undefined {
  if (!pixels || pixels.body.length < 10) return undefined;
  const head = Buffer.alloc(10);
  const lossless = pixels.type === 'VP8L';
  const bits = lossless ? pixels.body.readUInt32LE(1) : 0;
  const width = lossless ? (bits & 0x3fff) + 1 : pixels.body.readUInt16LE(6) & 0x3fff;
  const height = lossless ? ((bits >>> 14) & 0x3fff) + 1 : pixels.body.readUInt16LE(8) & 0x3fff;
  head[0] = lossless && (bits >>> 28) & 1 ? FLAG.alpha : 0;
  head.writeUIntLE(width - 1, 4, 3);
  head.writeUIntLE(height - 1, 7, 3);
  return head;
}
