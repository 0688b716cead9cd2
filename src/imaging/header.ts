import { AppError } from '../errors.ts';
import type { PictureLimits, SourceFormat } from '../limits.ts';
import { readOrientation } from './exif-orientation.ts';
import { type JpegMarkers, readJpegMarkers } from './jpeg-markers.ts';

/** What the first bytes of a picture file say, without decoding it. */
export interface Header {
  readonly format: SourceFormat;
  /** Stored width and height in pixels, before Exif orientation; undefined for TIFF and AVIF, whose
   * headers only the codec reads. */
  readonly width: number | undefined;
  readonly height: number | undefined;
  readonly orientation: number;
  readonly jpeg?: JpegMarkers;
}

const PNG_SIGNATURE = [0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a];
const startsWith = (bytes: Uint8Array, signature: readonly number[], at = 0) => signature.every((value, i) => bytes[at + i] === value);
const ascii = (bytes: Uint8Array, from: number, to: number) => String.fromCharCode(...bytes.subarray(from, to));

/** The format by its magic number, whatever a label or file name says; undefined when unknown. */
export function sniffFormat(bytes: Uint8Array): SourceFormat | undefined {
  if (startsWith(bytes, [0xff, 0xd8, 0xff])) return 'jpg';
  if (startsWith(bytes, PNG_SIGNATURE)) return 'png';
  if (ascii(bytes, 0, 4) === 'RIFF' && ascii(bytes, 8, 12) === 'WEBP') return 'webp';
  if (startsWith(bytes, [0x49, 0x49, 0x2a, 0]) || startsWith(bytes, [0x4d, 0x4d, 0, 0x2a])) return 'tiff';
  if (ascii(bytes, 4, 8) === 'ftyp' && /avi[fs]/.test(ascii(bytes, 8, 32))) return 'avif';
  return undefined;
}

/**
 * Reads format and size from the start of a file. Cheap and safe for the HTTP process: it walks
 * markers and never touches a pixel.
 * @throws AppError IMAGE_DECODE_FORMAT_ERROR for unknown bytes, IMAGE_DECODE_ERROR for a header cut off
 */
export function probeHeader(bytes: Uint8Array): Header {
  const format = sniffFormat(bytes);
  if (!format)
    throw new AppError('IMAGE_DECODE_FORMAT_ERROR', `The bytes are no picture that can be read here (${bytes.length} bytes received).`);
  if (format === 'jpg') {
    const jpeg = readJpegMarkers(bytes);
    if (!jpeg) throw new AppError('IMAGE_DECODE_ERROR', 'The JPEG file ends before its frame header: it is cut off or damaged.');
    return { format, width: jpeg.width, height: jpeg.height, orientation: readOrientation(jpeg.exif), jpeg };
  }
  const size = format === 'png' ? pngSize(bytes) : format === 'webp' ? webpSize(bytes) : undefined;
  return { format, width: size?.[0], height: size?.[1], orientation: 1 };
}

function pngSize(bytes: Uint8Array): [number, number] {
  if (bytes.length < 33 || ascii(bytes, 12, 16) !== 'IHDR') {
    throw new AppError('IMAGE_DECODE_ERROR', 'The PNG file ends before its header: it is cut off or damaged.');
  }
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  return [view.getUint32(16), view.getUint32(20)];
}

/** RFC 9649 §2: VP8X carries the canvas, VP8 and VP8L carry the size in their own bit stream. */
function webpSize(bytes: Uint8Array): [number, number] {
  if (bytes.length < 30) throw new AppError('IMAGE_DECODE_ERROR', 'The WebP file ends before its header: it is cut off or damaged.');
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const kind = ascii(bytes, 12, 16);
  if (kind === 'VP8X') return [1 + (view.getUint32(24, true) & 0xffffff), 1 + (view.getUint32(26, true) >>> 8)];
  if (kind === 'VP8L') {
    const bits = view.getUint32(21, true);
    return [1 + (bits & 0x3fff), 1 + ((bits >>> 14) & 0x3fff)];
  }
  return [view.getUint16(26, true) & 0x3fff, view.getUint16(28, true) & 0x3fff];
}

const NAMES: Record<SourceFormat, string> = { jpg: 'JPG', png: 'PNG', webp: 'WebP', tiff: 'TIFF', avif: 'AVIF' };

/** Formats as a person writes them: "JPG, PNG". */
export const formatNames = (formats: readonly SourceFormat[]) => formats.map((f) => NAMES[f]).join(', ');

/**
 * Limits before pixels.
 * @throws AppError PICTURE_OVERRUN_ERROR, IMAGE_DECODE_FORMAT_ERROR, IMAGE_DECODE_SIZE_ERROR,
 * RESOLUTION_TOO_LARGE_ERROR
 */
export function checkHeader(header: Header, byteLength: number, limits: PictureLimits): void {
  checkFileSize(byteLength, limits);
  if (!limits.formats.includes(header.format)) {
    throw new AppError('IMAGE_DECODE_FORMAT_ERROR', `The picture is ${NAMES[header.format]}; accepted are ${formatNames(limits.formats)}.`);
  }
  if (header.width !== undefined && header.height !== undefined) checkSize(header.width, header.height, limits);
}

/** @throws AppError PICTURE_OVERRUN_ERROR */
export function checkFileSize(byteLength: number, limits: PictureLimits): void {
  if (byteLength > limits.maxBytes) {
    throw new AppError('PICTURE_OVERRUN_ERROR', `The picture file has ${byteLength} bytes; at most ${limits.maxBytes} are accepted.`);
  }
}

/** @throws AppError IMAGE_DECODE_SIZE_ERROR, RESOLUTION_TOO_LARGE_ERROR */
export function checkSize(width: number, height: number, limits: PictureLimits): void {
  if (Math.min(width, height) < limits.minSide) {
    throw new AppError('IMAGE_DECODE_SIZE_ERROR', `The picture is ${width}×${height} px; each side needs at least ${limits.minSide} px.`);
  }
  if (Math.max(width, height) > limits.maxSide) {
    throw new AppError('RESOLUTION_TOO_LARGE_ERROR', `The picture is ${width}×${height} px; a side may have at most ${limits.maxSide} px.`);
  }
  if (width * height > limits.maxPixels) {
    throw new AppError('RESOLUTION_TOO_LARGE_ERROR', `The picture has ${width * height} pixels; at most ${limits.maxPixels} are accepted.`);
  }
}
