import { lumaAt } from './picture.ts';

const ROWS = 128;

/**
 * No-reference blur of HWC uint8 RGB, 0 (sharp) … 1 (blurred): how much of the pixel-to-pixel
 * variation a strong re-blur would remove; a sharp picture loses much, a blurred one little.
 * Horizontal direction over at most 255 evenly spaced rows.
 *
 * Source: F. Crété-Roffet et al., The Blur Effect, SPIE 6492 (2007).
 */
export function blurOf(rgb: Uint8Array, width: number, height: number): number {
  const reach = 4;
  if (width < 4 * reach) return 0;
  const step = Math.max(1, Math.floor(height / ROWS));
  const line = new Float32Array(width);
  let variation = 0;
  let lost = 0;
  for (let y = 0; y < height; y += step) {
    for (let x = 0; x < width; x++) line[x] = lumaAt(rgb, (y * width + x) * 3);
    let sum = 0;
    for (let x = 0; x < 2 * reach + 1; x++) sum += line[x] as number;
    let before = sum;
    for (let x = reach + 1; x < width - reach; x++) {
      sum += (line[x + reach] as number) - (line[x - reach - 1] as number);
      const sharp = Math.abs((line[x] as number) - (line[x - 1] as number));
      const soft = Math.abs(sum - before) / (2 * reach + 1);
      variation += sharp;
      lost += Math.max(0, sharp - soft);
      before = sum;
    }
  }
  return variation === 0 ? 0 : Math.round((1 - lost / variation) * 1000) / 1000;
}
