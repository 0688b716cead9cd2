import sharp, { type Metadata, type SharpOptions } from 'sharp';
import { AppError } from '../errors.ts';
import type { Header } from './header.ts';
import type { Picture } from './picture.ts';

/** What the codec found beside the pixels. Blocks are the raw payloads as the container held them. */
export interface SourceFacts {
  readonly alpha: boolean;
  readonly bits: 8 | 16;
  /** Decoded without a complaint: the file's own bytes may be handed on. */
  readonly sound: boolean;
  /** The container itself is grey (one colour channel). */
  readonly greyContainer: boolean;
  readonly icc: Uint8Array | undefined;
  readonly exif: Uint8Array | undefined;
  readonly xmp: Uint8Array | undefined;
}

export interface Decoded {
  readonly picture: Picture;
  readonly facts: SourceFacts;
  readonly warnings: readonly string[];
}

const CODEC_NAMES: Record<Header['format'], readonly string[]> = {
  jpg: ['jpeg'],
  png: ['png'],
  webp: ['webp'],
  tiff: ['tiff'],
  avif: ['heif'],
};

/** Leaves only the loaders for accepted formats: SVG, PDF, GIF and the rest are refused by the codec itself. */
export function refuseUnsafeLoaders(): void {
  sharp.block({ operation: ['VipsForeignLoad'] });
  sharp.unblock({
    operation: [
      'VipsForeignLoadJpegBuffer',
      'VipsForeignLoadPngBuffer',
      'VipsForeignLoadWebpBuffer',
      'VipsForeignLoadTiffBuffer',
      'VipsForeignLoadHeifBuffer',
    ],
  });
  sharp.cache(false);
}

/**
 * Size and metadata without decoding pixels.
 * @throws AppError IMAGE_DECODE_ERROR, RESOLUTION_TOO_LARGE_ERROR
 */
export async function readMetadata(bytes: Buffer, maxPixels: number): Promise<Metadata> {
  try {
    return await sharp(bytes, { limitInputPixels: maxPixels, failOn: 'error' }).metadata();
  } catch (cause) {
    throw damaged(cause);
  }
}

/**
 * Decodes to 8-bit RGB (and the 16-bit samples where the file has them), alpha apart. A file with
 * small damage that decodes in full is accepted with a warning; one that is cut off is refused.
 * @throws AppError IMAGE_DECODE_ERROR
 */
export async function decodePicture(bytes: Buffer, header: Header, maxPixels: number): Promise<Decoded> {
  const metadata = await readMetadata(bytes, maxPixels);
  if (!CODEC_NAMES[header.format].includes(metadata.format)) throw damaged(undefined);
  const cmyk = metadata.space === 'cmyk';
  const deep = metadata.depth === 'ushort';
  const warnings: string[] = [];
  if (cmyk) warnings.push('CMYK was converted to sRGB.');
  if ((metadata.pages ?? 1) > 1) warnings.push(`Only the first of ${metadata.pages} pages was restored.`);
  const read = (failOn: 'warning' | 'error') => {
    // With ignoreIcc the values stay as stored, in the profile's own space; CMYK needs its profile.
    const options: SharpOptions = { limitInputPixels: maxPixels, failOn, ignoreIcc: !cmyk };
    const image = sharp(bytes, options).toColourspace(deep ? 'rgb16' : 'srgb');
    return image.raw({ depth: deep ? 'ushort' : 'uchar' }).toBuffer({ resolveWithObject: true });
  };
  let sound = true;
  const { data, info } = await read('warning').catch(async () => {
    sound = false;
    const tolerant = await read('error').catch((cause) => {
      throw damaged(cause);
    });
    warnings.push('The file is slightly damaged; it was decoded as far as it is sound.');
    return tolerant;
  });
  const pixels = deep
    ? new Uint16Array(data.buffer, data.byteOffset, data.length / 2)
    : new Uint8Array(data.buffer, data.byteOffset, data.length);
  const greyContainer = metadata.space === 'b-w' || metadata.space === 'grey16';
  return {
    picture: toPicture(pixels, info.width, info.height, info.channels),
    facts: {
      alpha: info.channels === 4,
      bits: deep ? 16 : 8,
      greyContainer,
      sound,
      icc: cmyk || !isProfile(metadata.icc) ? undefined : metadata.icc,
      exif: withoutPrefix(metadata.exif),
      xmp: metadata.xmp,
    },
    warnings,
  };
}

/** The codec's own words may name paths and versions: they go to the log as the cause only. */
function damaged(cause: unknown): AppError {
  const text = cause instanceof Error ? cause.message : '';
  if (/pixel limit/i.test(text))
    return new AppError('RESOLUTION_TOO_LARGE_ERROR', 'The picture has more pixels than are accepted.', { cause });
  return new AppError('IMAGE_DECODE_ERROR', 'The picture cannot be decoded: the file is damaged or cut off.', { cause });
}

/** ICC.1:2022 §7.2: a header of 128 bytes with a signature at 36. Anything else would only trouble the next reader. */
function isProfile(icc: Uint8Array | undefined): boolean {
  return icc !== undefined && icc.length >= 128 && String.fromCharCode(...icc.subarray(36, 40)) === 'acsp';
}

/** libvips hands Exif over with its JPEG prefix; the block proper begins with the TIFF header. */
function withoutPrefix(exif: Uint8Array | undefined): Uint8Array | undefined {
  if (!exif) return undefined;
  return String.fromCharCode(...exif.subarray(0, 4)) === 'Exif' ? exif.subarray(6) : exif;
}

function toPicture(pixels: Uint8Array | Uint16Array, width: number, height: number, channels: number): Picture {
  const [colour, alpha] = channels === 4 ? separate(pixels, width * height) : [pixels, undefined];
  const plane = alpha ? { alpha } : {};
  if (colour instanceof Uint8Array) return { width, height, rgb: colour, ...plane };
  return { width, height, rgb: toEightBits(colour), deep: colour, ...plane };
}

/**
 * 65535 = 257 · 255, so this rounding is exact for samples that were widened from 8 bits. A plain loop:
 * `Uint8Array.from` first makes a list of all numbers, 8 bytes each, which ends the process at 64 MP.
 */
function toEightBits(deep: Uint16Array): Uint8Array {
  const samples = new Uint8Array(deep.length);
  for (let i = 0; i < deep.length; i++) samples[i] = ((deep[i] as number) + 128) / 257;
  return samples;
}

function separate<T extends Uint8Array | Uint16Array>(pixels: T, count: number): [T, T] {
  const make = pixels.constructor as new (length: number) => T;
  const colour = new make(count * 3);
  const alpha = new make(count);
  for (let i = 0, from = 0, to = 0; i < count; i++, from += 4, to += 3) {
    colour[to] = pixels[from] as number;
    colour[to + 1] = pixels[from + 1] as number;
    colour[to + 2] = pixels[from + 2] as number;
    alpha[i] = pixels[from + 3] as number;
  }
  return [colour, alpha];
}
