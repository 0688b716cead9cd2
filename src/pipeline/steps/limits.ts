import { AppError } from '../../errors.ts';
import { readMetadata } from '../../imaging/codec.ts';
import { checkHeader, checkSize } from '../../imaging/header.ts';
import type { Context } from '../context.ts';

/** Expects `header`; guarantees that the picture and the options are allowed, and `model`. No pixel is decoded before. */
export async function limits(context: Context): Promise<void> {
  const { bytes, header, task } = context;
  checkHeader(header, bytes.length, task.limits);
  context.model = context.engine.model(task.options.model);
  if (task.options.scale !== context.model.manifest.scale) {
    throw new AppError(
      'PARAM_VALUE_ERROR',
      `scale ${task.options.scale} is not offered by the model ${context.model.manifest.name}; it offers ${context.model.manifest.scale}.`,
    );
  }
  if (header.width !== undefined) return;
  // TIFF and AVIF: only the codec reads their headers, still without decoding.
  const found = await readMetadata(bytes, task.limits.maxPixels);
  checkSize(found.width, found.height, task.limits);
  context.header = { ...header, width: found.width, height: found.height, orientation: found.orientation ?? 1 };
}
