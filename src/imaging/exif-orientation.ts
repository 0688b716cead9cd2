const ORIENTATION_TAG = 0x0112;
const SHORT = 3;

/** Where the orientation value stands in a TIFF-headed Exif block (CIPA DC-008, tag 0x0112 of IFD0). */
function locate(exif: Uint8Array): { offset: number; littleEndian: boolean } | undefined {
  if (exif.length < 14) return undefined;
  const littleEndian = exif[0] === 0x49 && exif[1] === 0x49;
  if (!littleEndian && !(exif[0] === 0x4d && exif[1] === 0x4d)) return undefined;
  const view = new DataView(exif.buffer, exif.byteOffset, exif.byteLength);
  const directory = view.getUint32(4, littleEndian);
  if (directory + 2 > exif.length) return undefined;
  const entries = view.getUint16(directory, littleEndian);
  for (let i = 0; i < entries; i++) {
    const entry = directory + 2 + 12 * i;
    if (entry + 12 > exif.length) return undefined;
    if (view.getUint16(entry, littleEndian) === ORIENTATION_TAG && view.getUint16(entry + 2, littleEndian) === SHORT) {
      return { offset: entry + 8, littleEndian };
    }
  }
  return undefined;
}

/** Exif orientation 1-8 of a TIFF-headed block; 1 where it is absent or out of range. */
export function readOrientation(exif: Uint8Array | undefined): number {
  const found = exif && locate(exif);
  if (!exif || !found) return 1;
  const value = new DataView(exif.buffer, exif.byteOffset, exif.byteLength).getUint16(found.offset, found.littleEndian);
  return value >= 1 && value <= 8 ? value : 1;
}

/** A copy of the block that says "upright", for pixels that were turned upright. */
export function uprightExif(exif: Uint8Array): Uint8Array {
  const copy = Uint8Array.from(exif);
  const found = locate(copy);
  if (found) new DataView(copy.buffer).setUint16(found.offset, 1, found.littleEndian);
  return copy;
}
