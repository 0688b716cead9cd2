import { expect, it } from 'vitest';
import { seededRandom } from '../../../src/cli/bench/random.ts';
import { clarityOf } from '../../../src/imaging/faces/clarity.ts';

it('a small face reads the same noise whether its box ends a pixel sooner or later', () => {
  const [width, height] = [240, 200];
  const rgb = new Uint8Array(width * height * 3);
  const random = seededRandom(5);
  // Texture of uneven strength, as skin beside hair: the quietest blocks are few.
  for (let i = 0; i < rgb.length; i++) {
    const [x, y] = [Math.floor(i / 3) % width, Math.floor(i / 3 / width)];
    rgb[i] = 128 + (random() - 0.5) * (4 + 30 * Math.abs(Math.sin(x / 9) * Math.cos(y / 7)));
  }
  const noises = [48, 49, 49.4, 49.6, 50, 51, 52].map((side) => clarityOf(rgb, width, height, [101.2, 18.6, side]).noise);
  expect(Math.max(...noises) - Math.min(...noises)).toBeLessThan(0.25);
  // At a border of the picture, and beyond it.
  for (const place of [-20, 0, 170, 230]) expect(clarityOf(rgb, width, height, [place, 150, 48]).noise).toBeGreaterThan(0);
});
