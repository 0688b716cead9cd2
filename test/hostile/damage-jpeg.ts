import type { Dice } from './dice.ts';
import { jpegFile, MARKER, profileSegments, readSegments, type Segment } from './jpeg.ts';

const SIDES = [0, 1, 47, 48, 49, 64, 300, 4096, 4097, 65_500, 65_535];
/** All frame headers (baseline, extended, progressive, lossless, arithmetic, hierarchical) and tables. */
const MARKERS = [
  0xc0, 0xc1, 0xc2, 0xc3, 0xc5, 0xc6, 0xc7, 0xc8, 0xc9, 0xca, 0xcb, 0xcc, 0xcd, 0xce, 0xcf, 0xc4, 0xda, 0xdb, 0xdc, 0xdd, 0xde, 0xdf, 0xe0,
  0xe1, 0xe2, 0xed, 0xee, 0xf7, 0xfe, 0xd8, 0xd9, 0x01,
];

type Damage = (segments: Segment[], dice: Dice) => void;

const frameAt = (segments: readonly Segment[]) =>
  segments.findIndex(({ marker }) => (marker & 0xf0) === 0xc0 && ![0xc4, 0xc8, 0xcc].includes(marker));

function changeFrame(segments: Segment[], change: (data: Buffer) => void): void {
  const at = frameAt(segments);
  const frame = segments[at];
  if (!frame || frame.data.length < 6) return;
  const data = Buffer.from(frame.data);
  change(data);
  segments[at] = { marker: frame.marker, data };
}

const KINDS: Record<string, Damage> = {
  'a segment removed': (segments, dice) => void segments.splice(1 + dice.below(Math.max(1, segments.length - 1)), 1),
  'a segment twice': (segments, dice) => void segments.splice(1 + dice.below(segments.length), 0, dice.pick(segments)),
  'segments exchanged': (segments, dice) => {
    const [a, b] = [1 + dice.below(Math.max(1, segments.length - 1)), 1 + dice.below(Math.max(1, segments.length - 1))];
    if (segments[a] && segments[b]) [segments[a], segments[b]] = [segments[b] as Segment, segments[a] as Segment];
  },
  'bits of a segment flipped': (segments, dice) => {
    const at = dice.below(segments.length);
    const { marker, data: old } = segments[at] as Segment;
    const data = Buffer.from(old);
    for (let i = 0; data.length > 0 && i <= dice.below(8); i++) {
      const place = dice.below(data.length);
      data[place] = (data[place] as number) ^ (1 << dice.below(8));
    }
    segments[at] = { marker, data };
  },
  'a segment cut or grown': (segments, dice) => {
    const at = dice.below(segments.length);
    const { marker, data } = segments[at] as Segment;
    segments[at] = {
      marker,
      data: dice.chance(0.5) ? data.subarray(0, dice.below(data.length + 1)) : Buffer.concat([data, dice.bytes(1 + dice.below(60))]),
    };
  },
  'another marker': (segments, dice) => {
    const at = 1 + dice.below(Math.max(1, segments.length - 1));
    const segment = segments[at];
    if (segment) segments[at] = { marker: dice.pick(MARKERS), data: segment.data };
  },
  'another size': (segments, dice) =>
    changeFrame(segments, (data) => {
      data.writeUInt16BE(dice.pick(SIDES), 1);
      if (dice.chance(0.5)) data.writeUInt16BE(dice.pick(SIDES), 3);
    }),
  'other sampling factors or components': (segments, dice) =>
    changeFrame(segments, (data) => {
      for (let at = 7; at < data.length; at += 3)
        if (dice.chance(0.5)) data[at] = dice.pick([0x00, 0x01, 0x10, 0x11, 0x12, 0x21, 0x22, 0x41, 0x44, 0xff]);
      if (dice.chance(0.3)) data[5] = dice.pick([0, 1, 2, 3, 4, 5, 255]);
      if (dice.chance(0.2)) data[0] = dice.pick([1, 2, 8, 12, 16, 255]);
    }),
  'a segment of any kind': (segments, dice) =>
    void segments.splice(1 + dice.below(segments.length), 0, { marker: dice.pick(MARKERS), data: dice.bytes(dice.below(80)) }),
  'the scan again': (segments, dice) => {
    const scan = segments.findIndex(({ marker }) => marker === MARKER.SOS);
    if (scan < 0) return;
    const pair = segments.slice(scan, scan + 2);
    for (let i = dice.pick([1, 5, 150]); i > 0; i--) segments.splice(scan, 0, ...pair);
  },
  'restart interval': (segments, dice) =>
    void segments.splice(1, 0, { marker: MARKER.DRI, data: Buffer.from([dice.below(256), dice.below(4)]) }),
  'a colour profile': (segments, dice) => {
    const bytes = dice.chance(0.5) ? dice.bytes(dice.below(600)) : Buffer.alloc(dice.below(200_000), dice.below(256));
    const lie = dice.pick<(part: number, parts: number) => readonly [number, number]>([
      (a, b) => [a, b],
      (a) => [a, 255],
      () => [0, 0],
      () => [1, 1],
      (a, b) => [b - a, b],
    ]);
    segments.splice(1, 0, ...profileSegments(bytes, lie));
  },
  Exif: (segments, dice) => {
    const order = dice.pick(['II*\0', 'MM\0*', 'II\0*', 'XX**']);
    const body = Buffer.concat([Buffer.from(`Exif\0\0${order}`, 'latin1'), Buffer.from([8, 0, 0, 0]), dice.bytes(dice.below(300))]);
    segments.splice(1, 0, { marker: MARKER.APP1, data: body });
  },
};

/** A JPEG file with one to three things wrong inside, lengths right. */
export function damageJpeg(file: Buffer, dice: Dice): [string, Buffer] {
  const segments = readSegments(file);
  const names: string[] = [];
  for (let i = 0, count = dice.pick([1, 1, 1, 2, 3]); i < count && segments.length > 0; i++) {
    const name = dice.pick(Object.keys(KINDS));
    names.push(name);
    KINDS[name]?.(segments, dice);
  }
  return [names.join(' + '), jpegFile(segments)];
}
