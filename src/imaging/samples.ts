import { lumaAt, type Picture } from './picture.ts';

export interface InterleaveOptions {
  /** One colour channel instead of three. */
  readonly grey: boolean;
  /** Give back 16-bit samples where the source had them. */
  readonly deep: boolean;
  /** Lay transparent pixels on white instead of keeping alpha. */
  readonly flatten: boolean;
}

/**
 * Samples for the encoder: the restored colours with the source's alpha and depth. 16-bit results are
 * the source's own samples plus the 8-bit change, so gradients keep their depth.
 */
export function interleave(
  picture: Picture,
  restored: Uint8Array,
  options: InterleaveOptions,
): { data: Uint8Array | Uint16Array; channels: 1 | 2 | 3 | 4 } {
  const deep = options.deep ? picture.deep : undefined;
  const alpha = options.flatten ? undefined : picture.alpha;
  const colours = options.grey ? 1 : 3;
  const channels = (colours + (alpha ? 1 : 0)) as 1 | 2 | 3 | 4;
  if (!deep && !picture.alpha && colours === 3) return { data: restored, channels: 3 };
  const count = picture.width * picture.height;
  const data = deep ? new Uint16Array(count * channels) : new Uint8Array(count * channels);
  const alphaScale = deep ? alphaTo(picture.alpha, 65535) : alphaTo(picture.alpha, 255);
  for (let i = 0, to = 0; i < count; i++) {
    for (let c = 0; c < colours; c++) {
      const at = i * 3 + c;
      let value = colours === 1 && !deep ? lumaAt(restored, i * 3) : (restored[at] as number);
      if (deep) value = Math.min(65535, Math.max(0, (deep[at] as number) + 257 * ((restored[at] as number) - (picture.rgb[at] as number))));
      data[to++] = options.flatten && picture.alpha ? onWhite(value, picture.alpha, i) : value;
    }
    if (alpha) data[to++] = Math.round((alpha[i] as number) * alphaScale);
  }
  return { data, channels };
}

const alphaTo = (alpha: Picture['alpha'], full: number) => (alpha ? full / (alpha instanceof Uint16Array ? 65535 : 255) : 1);

function onWhite(value: number, alpha: Uint8Array | Uint16Array, at: number): number {
  const part = (alpha[at] as number) / (alpha instanceof Uint16Array ? 65535 : 255);
  return Math.round(value * part + 255 * (1 - part));
}
