import { enlarge as lanczos } from '../../imaging/enlarge.ts';
import type { Context } from '../context.ts';

/**
 * Expects `picture` as decoded and `restored` of `scale` times its size (or the picture's own pixels);
 * guarantees a `picture` of that size: the source's colours, 16-bit samples and alpha by Lanczos. From
 * here on every step sees two pictures of one size, whatever the scale.
 */
export function enlarge(context: Context): void {
  const { picture, restored } = context;
  const { scale } = context.model.manifest;
  if (scale === 1) return;
  const grow = <T extends Uint8Array | Uint16Array>(samples: T, channels: number) =>
    lanczos(samples, picture.width, picture.height, channels, scale);
  const rgb = grow(picture.rgb, 3);
  if (restored === picture.rgb) context.restored = rgb;
  context.picture = {
    width: picture.width * scale,
    height: picture.height * scale,
    rgb,
    ...(picture.deep ? { deep: grow(picture.deep, 3) } : {}),
    ...(picture.alpha ? { alpha: grow(picture.alpha, 1) } : {}),
  };
}
