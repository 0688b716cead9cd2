import { deflateRawSync, constants as zlib } from 'node:zlib';
import sharp from 'sharp';
import { jpegFile, MARKER, profileSegments, readSegments, type Segment } from './jpeg.ts';
import { blackRows, type Chunk, END, header, pngFile, text } from './png.ts';

/** A small file that wants to become large, or long. */
export interface Bomb {
  readonly name: string;
  /** May be over the documented 2 MB: then only `/v2` takes it as far as its decoder. */
  readonly make: () => Buffer | Promise<Buffer>;
}

const MB = 2 ** 20;

/**
 * A zlib stream of so many megabytes of zeros, a thousandth as long. Full flushes end on whole bytes and
 * forget the window, so one megabyte's block can be repeated; Adler-32 of zeros is known (RFC 1950 §8.2).
 */
export function zeros(megabytes: number): Buffer {
  const block = deflateRawSync(Buffer.alloc(MB), { level: 9, finishFlush: zlib.Z_FULL_FLUSH });
  const sum = Buffer.alloc(4);
  sum.writeUInt32BE(((((megabytes * MB) % 65_521) << 16) | 1) >>> 0);
  return Buffer.concat([Buffer.from([0x78, 0xda]), ...Array.from({ length: megabytes }, () => block), Buffer.from([0x03, 0x00]), sum]);
}

const small = (chunks: readonly Chunk[]) => pngFile([header(64, 64), ...chunks, blackRows(64, 64), END]);
const packedText = (type: 'zTXt' | 'iTXt', megabytes: number): Chunk => ({
  type,
  data: Buffer.concat([Buffer.from('XML:com.adobe.xmp\0', 'latin1'), Buffer.from(type === 'zTXt' ? [0] : [1, 0, 0, 0]), zeros(megabytes)]),
});

const PNG_BOMBS: readonly Bomb[] = [
  ...[1, 64, 1500].flatMap((megabytes) => [
    { name: `PNG zTXt of ${megabytes} MB`, make: () => small([packedText('zTXt', megabytes)]) },
    { name: `PNG iTXt of ${megabytes} MB`, make: () => small([packedText('iTXt', megabytes)]) },
    {
      name: `PNG iCCP of ${megabytes} MB`,
      make: () => small([{ type: 'iCCP', data: Buffer.concat([Buffer.from('p\0\0', 'latin1'), zeros(megabytes)]) }]),
    },
  ]),
  { name: 'PNG 100 zTXt of 15 MB', make: () => small(Array.from({ length: 100 }, () => packedText('zTXt', 15))) },
  {
    name: 'PNG rows of 1500 MB behind a header of 64 × 64',
    make: () => pngFile([header(64, 64), { type: 'IDAT', data: zeros(1500) }, END]),
  },
  { name: 'PNG 50000 × 50000 of one colour', make: () => pngFile([header(50_000, 50_000, 1, 0), { type: 'IDAT', data: zeros(298) }, END]) },
  { name: 'PNG 4096 × 4096 of one colour', make: () => pngFile([header(4096, 4096), { type: 'IDAT', data: zeros(49) }, END]) },
  {
    name: 'PNG 4096 × 4096, 16 bits with alpha',
    make: () => pngFile([header(4096, 4096, 16, 6), { type: 'IDAT', data: zeros(129) }, END]),
  },
  { name: 'PNG 4096 × 4096, interlaced', make: () => pngFile([header(4096, 4096, 8, 2, 1), { type: 'IDAT', data: zeros(49) }, END]) },
  { name: 'PNG 2^31-1 × 1', make: () => pngFile([header(2 ** 31 - 1, 1), blackRows(1, 1), END]) },
  { name: 'PNG 2^32-1 × 2^32-1', make: () => pngFile([header(2 ** 32 - 1, 2 ** 32 - 1), blackRows(1, 1), END]) },
  { name: 'PNG 65535 × 65535', make: () => pngFile([header(65_535, 65_535), blackRows(64, 64), END]) },
  {
    name: 'PNG of 150000 empty chunks',
    make: () => small(Array.from({ length: 150_000 }, () => ({ type: 'teSt', data: Buffer.alloc(0) }))),
  },
  { name: 'PNG of 60000 texts', make: () => small(Array.from({ length: 60_000 }, (_, i) => text('tEXt', `k${i}`, Buffer.from('v')))) },
  {
    name: 'PNG of 100000 empty IDAT',
    make: () =>
      pngFile([
        header(64, 64),
        ...Array.from({ length: 100_000 }, () => ({ type: 'IDAT', data: Buffer.alloc(0) })),
        blackRows(64, 64),
        END,
      ]),
  },
  { name: 'PNG animation of 2^32-1 frames', make: () => small([{ type: 'acTL', data: Buffer.from([255, 255, 255, 255, 0, 0, 0, 0]) }]) },
  {
    name: 'PNG palette of 0 and of 300 colours',
    make: () => pngFile([header(64, 64, 8, 3), { type: 'PLTE', data: Buffer.alloc(900) }, blackRows(64, 64, 1), END]),
  },
];

/** XML that names itself often (billion laughs), as XMP. */
const LAUGHS = Buffer.from(
  `<?xml version="1.0"?><!DOCTYPE x [<!ENTITY a0 "ha">${Array.from({ length: 40 }, (_, i) => `<!ENTITY a${i + 1} "&a${i};&a${i};&a${i};">`).join('')}]><x:xmpmeta xmlns:x="adobe:ns:meta/">&a40;</x:xmpmeta>`,
);
const XMP_NAME = Buffer.from('http://ns.adobe.com/xap/1.0/\0', 'latin1');

/** Exif whose second directory is its first again, and whose entries claim 2^32-1 values. */
function loopingExif(): Buffer {
  const directory = Buffer.alloc(2 + 12 * 3 + 4);
  directory.writeUInt16LE(3);
  [
    [0x8769, 4, 1, 8],
    [0x9286, 7, 0xffffffff, 8],
    [0x0112, 3, 0xffffffff, 0xffffffff],
  ].forEach(([tag, type, count, value], i) => {
    directory.writeUInt16LE(tag as number, 2 + 12 * i);
    directory.writeUInt16LE(type as number, 4 + 12 * i);
    directory.writeUInt32LE(count as number, 6 + 12 * i);
    directory.writeUInt32LE(value as number, 10 + 12 * i);
  });
  directory.writeUInt32LE(8, directory.length - 4);
  return Buffer.concat([Buffer.from('Exif\0\0II*\0', 'latin1'), Buffer.from([8, 0, 0, 0]), directory]);
}

const flat = (side: number, progressive: boolean) =>
  sharp({ create: { width: side, height: side, channels: 3, background: '#336699' } })
    .jpeg({ progressive, quality: 30 })
    .toBuffer();

async function withSegments(extra: readonly Segment[], at = 1): Promise<Buffer> {
  const segments = readSegments(await flat(64, false));
  return jpegFile([...segments.slice(0, at), ...extra, ...segments.slice(at)]);
}

/** The last scan of a progressive file, again and again: every one makes the decoder walk all blocks. */
async function manyScans(side: number, bytes: number): Promise<Buffer> {
  const segments = readSegments(await flat(side, true));
  const last = segments.findLastIndex(({ marker }) => marker === MARKER.SOS);
  const scan = segments.slice(last, last + 2);
  const size = scan.reduce((sum, { data }) => sum + data.length + 4, 0);
  const count = Math.max(1, Math.floor((bytes - jpegFile(segments).length) / size));
  const again = Array.from({ length: count }, () => scan).flat();
  return jpegFile([...segments.slice(0, last), ...again, ...segments.slice(last)]);
}

const frame = (width: number, height: number, marker = 0xc0): Segment => {
  const data = Buffer.from([8, 0, 0, 0, 0, 3, 1, 0x22, 0, 2, 0x11, 0, 3, 0x11, 0]);
  data.writeUInt16BE(height, 1);
  data.writeUInt16BE(width, 3);
  return { marker, data };
};

async function resized(width: number, height: number): Promise<Buffer> {
  const segments = readSegments(await flat(64, false));
  return jpegFile(segments.map((segment) => (segment.marker === MARKER.SOF0 ? frame(width, height) : segment)));
}

const JPEG_BOMBS: readonly Bomb[] = [
  ...[
    [65_535, 65_535],
    [65_500, 65_500],
    [65_535, 48],
    [48, 65_535],
    [4096, 4096],
    [4096, 4097],
  ].map(([width = 0, height = 0]) => ({
    name: `JPEG ${width} × ${height} with the data of 64 × 64`,
    make: () => resized(width, height),
  })),
  { name: 'JPEG progressive, 4096 × 4096, scans for 1.9 MB', make: () => manyScans(4096, 1.9 * MB) },
  { name: 'JPEG progressive, 512 × 512, scans for 1.9 MB', make: () => manyScans(512, 1.9 * MB) },
  {
    name: 'JPEG of 2 MB of fill bytes',
    make: async () => Buffer.concat([Buffer.from([0xff, 0xd8]), Buffer.alloc(1.9 * MB, 0xff), (await flat(64, false)).subarray(2)]),
  },
  {
    name: 'JPEG of 30 comments of 64 kB',
    make: () => withSegments(Array.from({ length: 30 }, () => ({ marker: MARKER.COM, data: Buffer.alloc(65_533, 0x20) }))),
  },
  {
    name: 'JPEG of 300000 empty comments',
    make: () => withSegments(Array.from({ length: 300_000 }, () => ({ marker: MARKER.COM, data: Buffer.alloc(0) }))),
  },
  {
    name: 'JPEG of 9000 quantisation tables',
    make: () => withSegments(Array.from({ length: 9000 }, () => ({ marker: MARKER.DQT, data: Buffer.alloc(65, 1).fill(0, 0, 1) }))),
  },
  {
    name: 'JPEG profile of 255 parts, most missing',
    make: () => withSegments(profileSegments(Buffer.alloc(1.8 * MB, 7), (part) => [part, 255])),
  },
  { name: 'JPEG profile of 16 MB', make: () => withSegments(profileSegments(Buffer.alloc(16 * MB, 7))) },
  {
    name: 'JPEG profile that says it is 4 GB',
    make: () => withSegments(profileSegments(Buffer.concat([Buffer.from([255, 255, 255, 255]), Buffer.alloc(3000, 65)]))),
  },
  { name: 'JPEG Exif directories in a circle', make: () => withSegments([{ marker: MARKER.APP1, data: loopingExif() }]) },
  { name: 'JPEG XMP billion laughs', make: () => withSegments([{ marker: MARKER.APP1, data: Buffer.concat([XMP_NAME, LAUGHS]) }]) },
  { name: 'JPEG of two frames', make: () => withSegments([frame(64, 64), frame(4096, 4096)]) },
  { name: 'JPEG of lossless and arithmetic frames', make: () => withSegments([frame(64, 64, 0xc3), frame(64, 64, 0xc9)]) },
];

const box = (type: string, ...parts: readonly Buffer[]) => {
  const body = Buffer.concat(parts);
  const head = Buffer.alloc(8);
  head.writeUInt32BE(body.length + 8);
  head.write(type, 4, 'latin1');
  return Buffer.concat([head, body]);
};

/** TIFF directories with these entries (tag, type, count, value), each directory followed by the next or by itself. */
function tiff(entries: readonly (readonly [number, number, number, number])[], directories = 1, circle = false): Buffer {
  const size = 2 + entries.length * 12 + 4;
  const file = Buffer.alloc(8 + size * directories);
  file.write('II*\0', 'latin1');
  file.writeUInt32LE(8, 4);
  for (let d = 0; d < directories; d++) {
    const at = 8 + d * size;
    file.writeUInt16LE(entries.length, at);
    entries.forEach(([tag, type, count, value], i) => {
      file.writeUInt16LE(tag, at + 2 + i * 12);
      file.writeUInt16LE(type, at + 4 + i * 12);
      file.writeUInt32LE(count >>> 0, at + 6 + i * 12);
      file.writeUInt32LE(value >>> 0, at + 10 + i * 12);
    });
    file.writeUInt32LE(d + 1 < directories ? at + size : circle ? 8 : 0, at + size - 4);
  }
  return file;
}
const tiffOf = (width: number, height: number, compression = 1): readonly (readonly [number, number, number, number])[] => [
  [256, 4, 1, width],
  [257, 4, 1, height],
  [258, 3, 1, 8],
  [259, 3, 1, compression],
  [262, 3, 1, 1],
  [273, 4, 1, 8],
  [277, 3, 1, 1],
  [278, 4, 1, height],
  [279, 4, 1, 100],
];
const riff = (...chunks: readonly Buffer[]) => {
  const body = Buffer.concat([Buffer.from('WEBP', 'latin1'), ...chunks]);
  const head = Buffer.from('RIFF\0\0\0\0', 'latin1');
  head.writeUInt32LE(body.length, 4);
  return Buffer.concat([head, body]);
};
const webpChunk = (type: string, data: Buffer) => {
  const head = Buffer.alloc(8);
  head.write(type, 'latin1');
  head.writeUInt32LE(data.length, 4);
  return Buffer.concat([head, data, Buffer.alloc(data.length % 2)]);
};

const OTHER_BOMBS: readonly Bomb[] = [
  { name: 'WebP canvas of 2^24 × 2^24', make: () => riff(webpChunk('VP8X', Buffer.from([2, 0, 0, 0, 255, 255, 255, 255, 255, 255]))) },
  { name: 'WebP lossless header of 16384 × 16384', make: () => riff(webpChunk('VP8L', Buffer.from([0x2f, 255, 255, 255, 255, 0, 0, 0]))) },
  {
    name: 'WebP of 20000 frames of nothing',
    make: () =>
      riff(
        webpChunk('VP8X', Buffer.from([2, 0, 0, 0, 63, 0, 0, 63, 0, 0])),
        ...Array.from({ length: 20_000 }, () => webpChunk('ANMF', Buffer.alloc(16))),
      ),
  },
  { name: 'TIFF 2^31 × 2^31', make: () => tiff(tiffOf(2 ** 31, 2 ** 31)) },
  { name: 'TIFF 60000 × 1000, deflate of nothing', make: () => tiff(tiffOf(60_000, 1000, 8)) },
  { name: 'TIFF directories in a circle', make: () => tiff(tiffOf(64, 64), 3, true) },
  { name: 'TIFF of 60000 directories', make: () => tiff(tiffOf(64, 64), 60_000) },
  { name: 'TIFF of 2^32-1 values a tag', make: () => tiff([...tiffOf(64, 64), [34_675, 7, 0xffffffff, 8], [700, 7, 0xffffffff, 8]]) },
  {
    name: 'AVIF that says 2^32-1 × 2^32-1',
    make: () =>
      Buffer.concat([
        box('ftyp', Buffer.from('avif\0\0\0\0avifmif1', 'latin1')),
        box('meta', Buffer.alloc(4), box('iprp', box('ipco', box('ispe', Buffer.alloc(4), Buffer.alloc(8, 255))))),
      ]),
  },
  {
    name: 'AVIF of 3000 boxes inside each other',
    make: () =>
      Buffer.concat([
        box('ftyp', Buffer.from('avif\0\0\0\0avifmif1', 'latin1')),
        Array.from({ length: 3000 }).reduce<Buffer>((inner) => box('meta', Buffer.alloc(4), inner), Buffer.alloc(0)),
      ]),
  },
];

export const BOMBS: readonly Bomb[] = [...PNG_BOMBS, ...JPEG_BOMBS, ...OTHER_BOMBS];
