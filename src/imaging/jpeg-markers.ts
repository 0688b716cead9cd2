/** What the markers of a JPEG file say before any pixel is decoded (ITU-T T.81 Annex B). */
export interface JpegMarkers {
  readonly width: number;
  readonly height: number;
  /** Sample precision in bits; 8 for every baseline and nearly every real file. */
  readonly precision: number;
  /** Horizontal and vertical sampling factors per component, in frame order. */
  readonly sampling: readonly (readonly [number, number])[];
  readonly progressive: boolean;
  /** Quantisation tables by identifier, 64 values in zigzag order. */
  readonly tables: ReadonlyMap<number, readonly number[]>;
  /** Table identifier of each component. */
  readonly tableOf: readonly number[];
  /** Payload of the first Exif APP1 segment, beginning with the TIFF header. */
  readonly exif: Uint8Array | undefined;
}

const START_OF_SCAN = 0xda;
const QUANTISATION = 0xdb;
const APP1 = 0xe1;
/** SOF0…SOF15 without DHT (C4), JPG (C8) and DAC (CC). */
const isFrame = (marker: number) => marker >= 0xc0 && marker <= 0xcf && marker !== 0xc4 && marker !== 0xc8 && marker !== 0xcc;
const isStandalone = (marker: number) => marker === 0x01 || (marker >= 0xd0 && marker <= 0xd8);

/**
 * Walks the segments up to the first scan.
 * @returns undefined when no frame header is found: the file is cut off or damaged
 */
export function readJpegMarkers(bytes: Uint8Array): JpegMarkers | undefined {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const tables = new Map<number, readonly number[]>();
  let frame: Pick<JpegMarkers, 'width' | 'height' | 'precision' | 'sampling' | 'progressive' | 'tableOf'> | undefined;
  let exif: Uint8Array | undefined;
  let at = 2;
  while (at + 4 <= bytes.length) {
    if (bytes[at] !== 0xff) {
      at++; // Stray bytes between segments occur in real files; decoders skip them.
      continue;
    }
    const marker = bytes[at + 1] ?? 0;
    if (marker === 0xff || marker === 0 || isStandalone(marker)) {
      at += marker === 0xff ? 1 : 2;
      continue;
    }
    if (marker === START_OF_SCAN || marker === 0xd9) break;
    const length = view.getUint16(at + 2);
    const end = at + 2 + length;
    if (length < 2 || end > bytes.length) break;
    const body = bytes.subarray(at + 4, end);
    if (marker === QUANTISATION) readTables(body, tables);
    else if (marker === APP1 && !exif && isExif(body)) exif = body.subarray(6);
    else if (isFrame(marker) && !frame) frame = readFrame(body, marker === 0xc2);
    at = end;
  }
  return frame && { ...frame, tables, exif };
}

const isExif = (body: Uint8Array) => body.length > 14 && String.fromCharCode(...body.subarray(0, 4)) === 'Exif' && body[4] === 0;

function readFrame(body: Uint8Array, progressive: boolean) {
  if (body.length < 6) return undefined;
  const [precision = 0, h1 = 0, h0 = 0, w1 = 0, w0 = 0, count = 0] = body;
  if (body.length < 6 + 3 * count) return undefined;
  const sampling: [number, number][] = [];
  const tableOf: number[] = [];
  for (let i = 0; i < count; i++) {
    const factors = body[7 + 3 * i] ?? 0x11;
    sampling.push([factors >> 4, factors & 15]);
    tableOf.push(body[8 + 3 * i] ?? 0);
  }
  return { width: w1 * 256 + w0, height: h1 * 256 + h0, precision, sampling, progressive, tableOf };
}

function readTables(body: Uint8Array, tables: Map<number, readonly number[]>): void {
  let at = 0;
  while (at < body.length) {
    const head = body[at++] ?? 0;
    const wide = head >> 4 === 1;
    const size = wide ? 128 : 64;
    if (at + size > body.length) return;
    const values = Array.from({ length: 64 }, (_, i) =>
      wide ? (body[at + 2 * i] ?? 0) * 256 + (body[at + 2 * i + 1] ?? 0) : (body[at + i] ?? 0),
    );
    tables.set(head & 15, values);
    at += size;
  }
}
