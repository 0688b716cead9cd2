import type { ZipEntry } from '../pixels/messages.ts';
import { crc32 } from './crc32.ts';

/**
 * A ZIP archive without compression (APPNOTE 6.3, method 0): pictures do not get smaller.
 * Names are UTF-8 (bit 11); equal names get a number. Up to 4 GB, as without ZIP64.
 */
export async function zip(entries: readonly ZipEntry[]): Promise<Blob> {
  const parts: BlobPart[] = [];
  const directory: Uint8Array<ArrayBuffer>[] = [];
  const names = new Set<string>();
  let offset = 0;
  for (const entry of entries) {
    const name = new TextEncoder().encode(unique(entry.name, names));
    const bytes = new Uint8Array(await entry.blob.arrayBuffer());
    const shared = describe(crc32(bytes), bytes.length, name.length);
    const local = concat(words(4, 0x04034b50), shared, name);
    directory.push(concat(words(4, 0x02014b50), words(2, 20), shared, words(2, 0, 0, 0), words(4, 0), words(4, offset), name));
    parts.push(local, entry.blob);
    offset += local.length + bytes.length;
  }
  const central = concat(...directory);
  const count = directory.length;
  const end = concat(words(4, 0x06054b50), words(2, 0, 0, count, count), words(4, central.length, offset), words(2, 0));
  return new Blob([...parts, central, end], { type: 'application/zip' });
}

/** The 26 bytes both headers share: version, flags, method, time, date, checksum, sizes, name and extra length. */
function describe(crc: number, size: number, nameLength: number): Uint8Array<ArrayBuffer> {
  const now = new Date();
  const time = (now.getHours() << 11) | (now.getMinutes() << 5) | (now.getSeconds() >> 1);
  const date = ((now.getFullYear() - 1980) << 9) | ((now.getMonth() + 1) << 5) | now.getDate();
  return concat(words(2, 20, 0x0800, 0, time, date), words(4, crc, size, size), words(2, nameLength, 0));
}

function unique(wanted: string, names: Set<string>): string {
  const safe = wanted.replace(/[\\/:*?"<>|\p{Cc}]/gu, '_') || 'picture';
  const dot = safe.lastIndexOf('.') > 0 ? safe.lastIndexOf('.') : safe.length;
  let name = safe;
  for (let i = 2; names.has(name); i++) name = `${safe.slice(0, dot)} (${i})${safe.slice(dot)}`;
  names.add(name);
  return name;
}

/** Little-endian numbers of the same width. */
function words(width: 2 | 4, ...values: number[]): Uint8Array<ArrayBuffer> {
  const view = new DataView(new ArrayBuffer(width * values.length));
  values.forEach((value, i) => {
    if (width === 2) view.setUint16(i * 2, value, true);
    else view.setUint32(i * 4, value, true);
  });
  return new Uint8Array(view.buffer);
}

function concat(...arrays: Uint8Array<ArrayBuffer>[]): Uint8Array<ArrayBuffer> {
  const joined = new Uint8Array(arrays.reduce((sum, array) => sum + array.length, 0));
  let at = 0;
  for (const array of arrays) {
    joined.set(array, at);
    at += array.length;
  }
  return joined;
}
