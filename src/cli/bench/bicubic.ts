import type { Pixels } from './pixels.ts';

/** Four neighbours of a place between the second and the third, `t` behind the second: R. Keys, IEEE TASSP 29 (1981), a = −½. */
function keys(t: number): readonly [number, number, number, number] {
  const near = (x: number) => 1.5 * x ** 3 - 2.5 * x ** 2 + 1;
  const far = (x: number) => -0.5 * x ** 3 + 2.5 * x ** 2 - 4 * x + 2;
  return [far(1 + t), near(t), near(1 - t), far(2 - t)];
}

/** Where a sample of the larger row comes from: four places in the smaller one, the ends repeated, and their weights. */
function sources(from: number, to: number) {
  return Array.from({ length: to }, (_, i) => {
    const place = ((i + 0.5) * from) / to - 0.5;
    const second = Math.floor(place);
    const places = [-1, 0, 1, 2].map((step) => Math.min(from - 1, Math.max(0, second + step)));
    return { places, weights: keys(place - second) };
  });
}

/**
 * Enlarged to a size, bicubic, the middles of the pixels where they were. What libvips enlarges lies half a pixel of the
 * larger picture beside it at twice the size, which no restoration can mend and PSNR takes for harm.
 */
export function enlargedTo({ data, width, height }: Pixels, toWidth: number, toHeight: number): Pixels {
  const across = new Float64Array(toWidth * height * 3);
  const columns = sources(width, toWidth);
  for (let y = 0; y < height; y++)
    for (const [x, { places, weights }] of columns.entries())
      for (let c = 0; c < 3; c++)
        across[(y * toWidth + x) * 3 + c] = places.reduce(
          (sum, place, k) => sum + (weights[k] as number) * (data[(y * width + place) * 3 + c] as number),
          0,
        );
  const out = new Uint8Array(toWidth * toHeight * 3);
  const row = toWidth * 3;
  for (const [y, { places, weights }] of sources(height, toHeight).entries())
    for (let i = 0; i < row; i++) {
      const value = places.reduce((sum, place, k) => sum + (weights[k] as number) * (across[place * row + i] as number), 0);
      out[y * row + i] = Math.min(255, Math.max(0, Math.round(value)));
    }
  return { width: toWidth, height: toHeight, channels: 3, data: out };
}
