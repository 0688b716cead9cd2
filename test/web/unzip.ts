export interface Unzipped {
  readonly name: string;
  readonly bytes: Buffer;
}

/** Reads a stored-only ZIP by its central directory (APPNOTE 6.3 §4.3), as an unpacker does. */
export function readZip(archive: Buffer): Unzipped[] {
  const end = archive.lastIndexOf(Buffer.from([0x50, 0x4b, 5, 6]));
  if (end < 0) throw new Error('no end of central directory');
  const count = archive.readUInt16LE(end + 10);
  const entries: Unzipped[] = [];
  let at = archive.readUInt32LE(end + 16);
  for (let i = 0; i < count; i++) {
    if (archive.readUInt32LE(at) !== 0x02014b50) throw new Error('no directory entry');
    const [size, nameLength, extra, comment] = [
      archive.readUInt32LE(at + 24),
      archive.readUInt16LE(at + 28),
      archive.readUInt16LE(at + 30),
      archive.readUInt16LE(at + 32),
    ];
    const local = archive.readUInt32LE(at + 42);
    const data = local + 30 + archive.readUInt16LE(local + 26) + archive.readUInt16LE(local + 28);
    entries.push({ name: archive.toString('utf8', at + 46, at + 46 + nameLength), bytes: archive.subarray(data, data + size) });
    at += 46 + nameLength + extra + comment;
  }
  return entries;
}
