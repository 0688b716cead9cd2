import { AppError } from '../../errors.ts';
import { readMetadata } from '../../imaging/codec.ts';
import { checkHeader, checkSize } from '../../imaging/header.ts';
import { DEFAULT_RESULT_PIXELS } from '../../limits.ts';
import type { Context } from '../context.ts';

/** Expects `header`; guarantees that the picture and the options are allowed, and `model`. No pixel is decoded before. */
export async function limits(context: Context): Promise<void> {
  const { bytes, header, task } = context;
  checkHeader(header, bytes.length, task.limits);
  context.model = context.engine.model(task.options.model, task.options.scale);
  if (header.width === undefined) {
    // TIFF and AVIF: only the codec reads their headers, still without decoding.
    const found = await readMetadata(bytes, task.limits.maxPixels);
    checkSize(found.width, found.height, task.limits);
    context.header = { ...header, width: found.width, height: found.height, orientation: found.orientation ?? 1 };
  }
  checkResultSize(context);
}

/**
 * An enlarged result has 4 or 16 times the pixels: what the source may have does not bound it. And one
 * container allows longer sides than another: a PNG strip of 20000 px cannot become a WebP file.
 */
function checkResultSize({ header, model, task }: Context): void {
  const { scale } = model.manifest;
  const [width, height] = [(header.width ?? 0) * scale, (header.height ?? 0) * scale];
  const most = task.limits.maxResultPixels ?? DEFAULT_RESULT_PIXELS;
  const refuse = (what: string) => {
    throw new AppError(
      'RESOLUTION_TOO_LARGE_ERROR',
      `The picture${scale === 1 ? '' : ` enlarged ×${scale}`} would be ${width}×${height} px; ${what}.`,
    );
  };
  if (scale > 1 && width * height > most) refuse(`a result may have at most ${most} pixels`);
  const format = task.options.format === 'same' ? header.format : task.options.format;
  const side = LONGEST_SIDE[format] ?? 2 ** 31 - 1;
  if (Math.max(width, height) > side) refuse(`the format of the result allows ${side} px a side`);
}

/** What encoders write: libjpeg stops short of its 16 bits, WebP has 14 (also what an AVIF becomes). */
const LONGEST_SIDE: Readonly<Record<string, number>> = { jpg: 65_500, webp: 16_383, avif: 16_383 };
