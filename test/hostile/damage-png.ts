import { deflateSync, inflateSync } from 'node:zlib';
import type { Dice } from './dice.ts';
import { type Chunk, header, pngFile, profile, readChunks, text } from './png.ts';

/** Chunk types a decoder may know, and some it may not. */
const TYPES = [
  'PLTE',
  'tRNS',
  'gAMA',
  'cHRM',
  'sRGB',
  'iCCP',
  'sBIT',
  'bKGD',
  'hIST',
  'pHYs',
  'sPLT',
  'tIME',
  'eXIf',
  'acTL',
  'fcTL',
  'fdAT',
  'cICP',
  'mDCV',
  'CgBI',
  'qqQq',
  'QQQQ',
  'IDAT',
  'IEND',
];
const SIDES = [0, 1, 47, 48, 49, 64, 300, 4096, 4097, 65_535, 65_536, 2 ** 31 - 1, 2 ** 31, 2 ** 32 - 1];

type Damage = (chunks: Chunk[], dice: Dice) => void;

/** Each leaves lengths and checksums right, so that it gets past the container and into the decoder. */
const KINDS: Record<string, Damage> = {
  'a chunk removed': (chunks, dice) => void chunks.splice(dice.below(chunks.length), 1),
  'a chunk twice': (chunks, dice) => void chunks.splice(dice.below(chunks.length), 0, dice.pick(chunks)),
  'chunks exchanged': (chunks, dice) => {
    const [a, b] = [dice.below(chunks.length), dice.below(chunks.length)];
    [chunks[a], chunks[b]] = [chunks[b] as Chunk, chunks[a] as Chunk];
  },
  'bits of a chunk flipped': (chunks, dice) => {
    const at = dice.below(chunks.length);
    const data = Buffer.from((chunks[at] as Chunk).data);
    for (let i = 0; data.length > 0 && i <= dice.below(8); i++) {
      const place = dice.below(data.length);
      data[place] = (data[place] as number) ^ (1 << dice.below(8));
    }
    chunks[at] = { type: (chunks[at] as Chunk).type, data };
  },
  'a chunk cut or grown': (chunks, dice) => {
    const at = dice.below(chunks.length);
    const { type, data } = chunks[at] as Chunk;
    chunks[at] = {
      type,
      data: dice.chance(0.5) ? data.subarray(0, dice.below(data.length + 1)) : Buffer.concat([data, dice.bytes(1 + dice.below(60))]),
    };
  },
  'another header': (chunks) => chunks,
  'the size alone changed': (chunks, dice) => {
    const data = Buffer.from(chunks[0]?.data ?? Buffer.alloc(13));
    if (data.length >= 8) data.writeUInt32BE(dice.pick(SIDES) >>> 0, dice.pick([0, 4]));
    chunks[0] = { type: 'IHDR', data };
  },
  'a chunk of any kind': (chunks, dice) =>
    void chunks.splice(1 + dice.below(chunks.length), 0, { type: dice.pick(TYPES), data: dice.bytes(dice.below(80)) }),
  'pixel rows damaged inside': (chunks, dice) => {
    const rows = inflated(chunks);
    for (let i = 0; rows.length > 0 && i <= dice.below(20); i++) rows[dice.below(rows.length)] = dice.below(256);
    replaceRows(chunks, deflateSync(rows));
  },
  'rows missing or too many': (chunks, dice) => {
    const rows = inflated(chunks);
    const changed = dice.chance(0.5)
      ? rows.subarray(0, dice.below(rows.length + 1))
      : Buffer.concat([rows, Buffer.alloc(dice.below(200_000))]);
    replaceRows(chunks, deflateSync(changed));
  },
  'rows in tiny pieces': (chunks, dice) => {
    const whole = Buffer.concat(chunks.filter(({ type }) => type === 'IDAT').map(({ data }) => data));
    const size = dice.pick([0, 1, 2, 7]);
    const count = size === 0 ? 2000 : Math.min(4000, Math.ceil(whole.length / size));
    const pieces = Array.from({ length: count }, (_, i) => ({
      type: 'IDAT',
      data: whole.subarray(i * size, i === count - 1 ? undefined : (i + 1) * size),
    }));
    replaceChunks(chunks, 'IDAT', pieces);
  },
  'text and profile': (chunks, dice) => {
    const value = dice.chance(0.5) ? dice.bytes(dice.below(3000)) : Buffer.alloc(dice.below(300_000), 0x41);
    const made = dice.pick([
      () =>
        text(
          dice.pick(['tEXt', 'zTXt', 'iTXt']),
          dice.pick(['Title', 'XML:com.adobe.xmp', 'Raw profile type exif', '', 'k'.repeat(200)]),
          value,
        ),
      () => profile(value),
      () => ({ type: 'eXIf', data: value.subarray(0, 60_000) }),
    ])();
    chunks.splice(1, 0, made);
  },
};

/** A PNG file with one to three things wrong inside. */
export function damagePng(file: Buffer, dice: Dice): [string, Buffer] {
  const chunks = readChunks(file);
  const names: string[] = [];
  for (let i = 0, count = dice.pick([1, 1, 1, 2, 3]); i < count && chunks.length > 0; i++) {
    const name = dice.pick(Object.keys(KINDS));
    names.push(name);
    if (name === 'another header') {
      const [width, height] = [dice.pick(SIDES), dice.pick(SIDES)];
      chunks[0] = header(width, height, dice.pick([0, 1, 2, 4, 8, 16, 32]), dice.pick([0, 1, 2, 3, 4, 6, 7]), dice.pick([0, 1, 2]));
    } else KINDS[name]?.(chunks, dice);
  }
  return [names.join(' + '), pngFile(chunks)];
}

function inflated(chunks: readonly Chunk[]): Buffer {
  try {
    return inflateSync(Buffer.concat(chunks.filter(({ type }) => type === 'IDAT').map(({ data }) => data)), { maxOutputLength: 2 ** 22 });
  } catch {
    return Buffer.alloc(0);
  }
}

function replaceRows(chunks: Chunk[], data: Buffer): void {
  replaceChunks(chunks, 'IDAT', [{ type: 'IDAT', data }]);
}

function replaceChunks(chunks: Chunk[], type: string, by: readonly Chunk[]): void {
  const first = chunks.findIndex((chunk) => chunk.type === type);
  if (first < 0) return;
  const others = chunks.filter((chunk, i) => i < first || chunk.type !== type);
  chunks.splice(0, chunks.length, ...others.slice(0, first), ...by, ...others.slice(first));
}
