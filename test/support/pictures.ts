import sharp from 'sharp';

/** Deterministic numbers in [0, 1): a linear congruential generator (Numerical Recipes). */
export function seededRandom(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state / 2 ** 32;
  };
}

/** A picture of ramps and a bright disc with noise on it: something to restore, small as a file. */
function scene(width: number, height: number, noise: number, seed: number) {
  const random = seededRandom(seed);
  const data = Buffer.alloc(width * height * 3);
  for (let y = 0, at = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      const inside = Math.hypot(x - width / 2, y - height / 2) < Math.min(width, height) / 3 ? 90 : 0;
      for (const value of [(x / width) * 150 + inside, (y / height) * 150 + inside, 120 - inside]) {
        data[at++] = Math.max(0, Math.min(255, Math.round(value + (random() - 0.5) * noise)));
      }
    }
  }
  return sharp(data, { raw: { width, height, channels: 3 } });
}

export interface PictureOptions {
  readonly noise?: number;
  readonly quality?: number;
  readonly seed?: number;
}

/** A noisy JPEG. */
export const jpeg = (width: number, height: number, { noise = 40, quality = 60, seed = 1 }: PictureOptions = {}): Promise<Buffer> =>
  scene(width, height, noise, seed).jpeg({ quality }).toBuffer();

/** A noisy PNG. */
export const png = (width: number, height: number, { noise = 20, seed = 1 }: PictureOptions = {}): Promise<Buffer> =>
  scene(width, height, noise, seed).png().toBuffer();

/** A WebP file, which the documented interface does not take. */
export const webp = (width: number, height: number): Promise<Buffer> => scene(width, height, 20, 1).webp().toBuffer();

/** A one-colour PNG of any size: few bytes, many pixels. */
export const flatPng = (width: number, height: number): Promise<Buffer> =>
  sharp({ create: { width, height, channels: 3, background: '#336699' }, limitInputPixels: false })
    .png({ compressionLevel: 9 })
    .toBuffer();
