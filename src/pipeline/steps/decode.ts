import { decodePicture } from '../../imaging/codec.ts';
import type { Context } from '../context.ts';

/**
 * Expects `bytes` within the limits; guarantees `picture` (HWC uint8 RGB in stored orientation, alpha
 * and 16-bit samples apart) and `facts`. RGB with a colour profile keeps its native values, since the
 * profile goes back into the result; CMYK is converted to sRGB through its profile.
 */
export async function decode(context: Context): Promise<void> {
  const decoded = await decodePicture(context.bytes, context.header, context.task.limits.maxPixels);
  context.picture = { ...decoded.picture, rgb: context.engine.share(decoded.picture.rgb) };
  context.facts = decoded.facts;
  context.warnings.push(...decoded.warnings);
  context.progress(0.03);
}
