/**
 * Puts the Exif segment of one JPEG file into another that has none (Exif 2.32 §4.5.4: APP1 directly
 * after SOI). The server's result is upright and says so, so the segment fits the blended pixels too.
 * The colour profile is not taken over: a canvas holds sRGB.
 */
export async function withExif(target: Blob, donor: Blob): Promise<Blob> {
  const segment = exifSegment(new Uint8Array(await donor.arrayBuffer()));
  if (segment === null) return target;
  const bytes = new Uint8Array(await target.arrayBuffer());
  const afterSoi = 2 + (marker(bytes, 2) === 0xe0 ? 2 + length(bytes, 4) : 0); // JFIF's APP0 stays first
  return new Blob([bytes.slice(0, afterSoi), segment, bytes.slice(afterSoi)], { type: target.type });
}

/** The whole APP1 Exif segment with its marker, or null. */
export function exifSegment(bytes: Uint8Array<ArrayBuffer>): Uint8Array<ArrayBuffer> | null {
  if (bytes[0] !== 0xff || bytes[1] !== 0xd8) return null;
  let at = 2;
  while (at + 4 <= bytes.length && bytes[at] === 0xff) {
    const kind = marker(bytes, at);
    if (kind === 0xda || kind === 0xd9) return null; // the scan begins: no more segments
    const end = at + 2 + length(bytes, at + 2);
    const isExif = kind === 0xe1 && String.fromCharCode(...bytes.slice(at + 4, at + 8)) === 'Exif';
    if (isExif) return end <= bytes.length ? bytes.slice(at, end) : null;
    at = end;
  }
  return null;
}

const marker = (bytes: Uint8Array, at: number): number => bytes[at + 1] ?? 0;
const length = (bytes: Uint8Array, at: number): number => ((bytes[at] ?? 0) << 8) | (bytes[at + 1] ?? 0);
