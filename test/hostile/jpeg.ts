/** A marker segment of a JPEG file (ITU-T T.81 §B.1.1.4), or a run of entropy-coded bytes (marker 0). */
export interface Segment {
  readonly marker: number;
  /** Without the length field. */
  readonly data: Buffer;
}

export const MARKER = {
  SOF0: 0xc0,
  SOF2: 0xc2,
  DHT: 0xc4,
  SOI: 0xd8,
  EOI: 0xd9,
  SOS: 0xda,
  DQT: 0xdb,
  DRI: 0xdd,
  APP1: 0xe1,
  APP2: 0xe2,
  COM: 0xfe,
} as const;

const standsAlone = (marker: number) => marker === 0x01 || (marker >= 0xd0 && marker <= 0xd9);

/** The segments of a file, scans as runs of their own; as far as its lengths can be followed. */
export function readSegments(file: Buffer): Segment[] {
  const segments: Segment[] = [];
  let at = 0;
  while (at + 2 <= file.length) {
    const marker = file[at + 1] as number;
    if (file[at] !== 0xff || marker === 0 || marker === 0xff) {
      const end = endOfRun(file, at);
      segments.push({ marker: 0, data: file.subarray(at, end) });
      at = end;
    } else if (standsAlone(marker)) {
      segments.push({ marker, data: Buffer.alloc(0) });
      at += 2;
    } else {
      if (at + 4 > file.length) break;
      const length = Math.max(2, file.readUInt16BE(at + 2));
      segments.push({ marker, data: file.subarray(at + 4, at + 2 + length) });
      at += 2 + length;
    }
  }
  return segments;
}

/** Entropy-coded bytes end at a marker that is neither a stuffed zero nor a restart. */
function endOfRun(file: Buffer, from: number): number {
  for (let at = Math.max(from + 1, 0); at + 1 < file.length; at++) {
    const next = file[at + 1] as number;
    if (file[at] === 0xff && next !== 0 && !(next >= 0xd0 && next <= 0xd7)) return at;
  }
  return file.length;
}

/** A file of these segments with right lengths (cut at what 16 bits can say). */
export function jpegFile(segments: readonly Segment[]): Buffer {
  return Buffer.concat(segments.flatMap(({ marker, data }) => (marker === 0 ? [data] : segmentBytes(marker, data))));
}

function segmentBytes(marker: number, data: Buffer): Buffer[] {
  if (standsAlone(marker)) return [Buffer.from([0xff, marker])];
  const most = data.subarray(0, 65_533);
  const head = Buffer.from([0xff, marker, 0, 0]);
  head.writeUInt16BE(most.length + 2, 2);
  return [head, most];
}

/** ICC profile segments (ICC.1:2022 §B.4): each part says which it is, of how many. */
export function profileSegments(
  bytes: Buffer,
  say: (part: number, parts: number) => readonly [number, number] = (part, parts) => [part, parts],
): Segment[] {
  const most = 65_519;
  const parts = Math.max(1, Math.ceil(bytes.length / most));
  return Array.from({ length: parts }, (_, i) => {
    const [part, of] = say(i + 1, parts);
    const head = Buffer.concat([Buffer.from('ICC_PROFILE\0', 'latin1'), Buffer.from([part & 255, of & 255])]);
    return { marker: MARKER.APP2, data: Buffer.concat([head, bytes.subarray(i * most, (i + 1) * most)]) };
  });
}
