import { rename, rm, writeFile } from 'node:fs/promises';
import sharp, { type Sharp } from 'sharp';
import { AppError } from '../../errors.ts';
import { uprightExif } from '../../imaging/exif-orientation.ts';
import { type ContainerFormat, type MetadataBlocks, withMetadata } from '../../imaging/metadata-blocks.ts';
import { interleave } from '../../imaging/samples.ts';
import type { Context } from '../context.ts';

/** At and above this quality chroma is kept at full resolution: halving it would undo restored colour. */
const FULL_CHROMA_QUALITY = 90;

/**
 * Expects `restored` upright; guarantees the result file, complete or absent, and `outcome`. An
 * unchanged picture whose container is also the result's keeps its very bytes, if they are sound.
 */
export async function encode(context: Context): Promise<void> {
  const { task, picture, format } = context;
  const begun = await context.begun;
  const changed = context.faces.some(({ action }) => action === 'restored');
  const encoded = async () => (begun && !changed ? begun : encodePixels(context));
  const file = keepsItsBytes(context) ? context.bytes : withMetadata(await encoded(), format, blocksFor(context, format));
  const partial = `${task.result}.partial`;
  try {
    await writeFile(partial, file);
    await rename(partial, task.result);
  } catch (cause) {
    await rm(partial, { force: true });
    throw notWritten(cause);
  }
  context.outcome = { width: picture.width, height: picture.height, format, bytes: file.length };
}

/** Seconds a client should wait for room on the disk. */
const ROOM_RETRY = 5;

/** A full disk says nothing about the picture: it passes, and another worker's may have room. */
function notWritten(cause: unknown): AppError {
  const isFull = ['ENOSPC', 'EDQUOT'].includes((cause as NodeJS.ErrnoException).code ?? '');
  if (!isFull) return new AppError('PROCESS_ERROR', 'The result cannot be written.', { cause });
  return new AppError('ALGORITHM_OVER_CONCURRENT', 'There is no room to write the result at the moment.', {
    cause,
    retryAfter: ROOM_RETRY,
  });
}

export function resultFormat({ task, header, warnings }: Context): ContainerFormat {
  if (task.options.format !== 'same') return task.options.format;
  if (header.format === 'jpg' || header.format === 'png' || header.format === 'webp') return header.format;
  const format = header.format === 'tiff' ? 'png' : 'webp';
  warnings.push(`${header.format.toUpperCase()} is not written; the result is ${format.toUpperCase()}.`);
  return format;
}

export function keepsItsBytes({ restored, picture, facts, header, task, model, format }: Context): boolean {
  return (
    restored === picture.rgb &&
    facts.sound &&
    model.manifest.scale === 1 &&
    format === header.format &&
    header.orientation === 1 &&
    task.options.metadata === 'keep'
  );
}

function blocksFor({ facts, task, warnings }: Context, format: ContainerFormat): MetadataBlocks {
  const keep = task.options.metadata === 'keep';
  // WebP has no grey pixels, so a grey profile would describe them wrongly.
  const icc = facts.greyContainer && format === 'webp' ? undefined : facts.icc;
  if (keep && facts.exif && format === 'jpg' && facts.exif.length > 65_527)
    warnings.push('The Exif block is too large for a JPEG and was left out.');
  return {
    ...(icc ? { icc } : {}),
    ...(keep && facts.exif ? { exif: uprightExif(facts.exif) } : {}),
    ...(keep && facts.xmp ? { xmp: facts.xmp } : {}),
  };
}

export async function encodePixels(context: Context): Promise<Buffer> {
  const { task, picture, facts, format, warnings } = context;
  const { width, height } = picture;
  if (picture.alpha && format === 'jpg') warnings.push('JPEG has no transparency: the picture was laid on white.');
  const { data, channels } = interleave(picture, context.restored, {
    grey: facts.greyContainer && format !== 'webp',
    deep: format === 'png',
    flatten: format === 'jpg',
  });
  const colour = channels <= 2 ? (data instanceof Uint16Array ? 'grey16' : 'b-w') : data instanceof Uint16Array ? 'rgb16' : 'srgb';
  const image = sharp(data, { raw: { width, height, channels }, limitInputPixels: false }).toColourspace(colour);
  return write(image, format, task.options.quality);
}

function write(image: Sharp, format: ContainerFormat, quality: number): Promise<Buffer> {
  switch (format) {
    case 'jpg':
      return image.jpeg({ quality, chromaSubsampling: quality >= FULL_CHROMA_QUALITY ? '4:4:4' : '4:2:0' }).toBuffer();
    case 'png':
      // Level 4 of 9: 16.8 MP in about half the time of level 6 for 3 % more bytes.
      return image.png({ compressionLevel: 4 }).toBuffer();
    case 'webp':
      return image.webp({ quality, effort: 2 }).toBuffer();
  }
}
