import { orientSamples, uprightSize } from '../../imaging/orient.ts';
import type { Context } from '../context.ts';

/** Expects `restored` and `picture` as stored; guarantees both upright. */
export function orient(context: Context): void {
  const { picture, restored, header } = context;
  if (header.orientation === 1) return;
  const turn = <T extends Uint8Array | Uint16Array>(samples: T, channels: number) =>
    orientSamples(samples, picture.width, picture.height, channels, header.orientation);
  const [width, height] = uprightSize(picture.width, picture.height, header.orientation);
  const rgb = turn(picture.rgb, 3);
  context.restored = restored === picture.rgb ? rgb : turn(restored, 3);
  context.picture = {
    width,
    height,
    rgb,
    ...(picture.deep ? { deep: turn(picture.deep, 3) } : {}),
    ...(picture.alpha ? { alpha: turn(picture.alpha, 1) } : {}),
  };
}
