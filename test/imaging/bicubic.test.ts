import fc from 'fast-check';
import { expect, test } from 'vitest';
import { resized } from '../../src/imaging/bicubic.ts';

const level = (x: number, y: number, c: number) => 20 + 2 * x + y + 10 * c;
const ramp = (width: number, height: number) => ({
  width,
  height,
  rgb: Uint8Array.from({ length: width * height * 3 }, (_, i) => level(Math.floor(i / 3) % width, Math.floor(i / 3 / width), i % 3)),
});

test.each([
  ['larger', [8, 40], [0, 60], 0.501],
  // A kernel that averages, of weights made to add up to 1, bends a ramp by a little.
  ['smaller', [40, 70], [-30, 0], 0.7],
] as const)('made %s, a ramp stays where it was, and so does a flat picture', (_, [shortest, longest], [least, most], off) => {
  fc.assert(
    fc.property(
      fc.integer({ min: shortest, max: longest }),
      fc.integer({ min: shortest, max: longest }),
      fc.integer({ min: least, max: most }),
      (width, height, more) => {
        const source = ramp(width, height);
        const to = { width: width + more, height: height + (more >> 1) };
        const result = resized(source, to);
        // What the ends, which repeat, reach.
        const [right, below] = [Math.ceil(2 * Math.max(1, to.width / width)), Math.ceil(2 * Math.max(1, to.height / height))];
        for (let y = below; y < to.height - below; y++)
          for (let x = right; x < to.width - right; x++) {
            const truth = level(((x + 0.5) * width) / to.width - 0.5, ((y + 0.5) * height) / to.height - 0.5, 1);
            expect(Math.abs((result.rgb[(y * to.width + x) * 3 + 1] as number) - truth)).toBeLessThanOrEqual(off);
          }
        expect(new Set(resized({ ...source, rgb: source.rgb.map(() => 77) }, to).rgb)).toEqual(new Set([77]));
        if (more === 0) expect(result).toEqual(source);
      },
    ),
    { numRuns: 30, seed: 4 },
  );
});

test('made smaller, single pixels are averaged, not picked', () => {
  const lines = { width: 64, height: 48, rgb: Uint8Array.from({ length: 64 * 48 * 3 }, (_, i) => 255 * (Math.floor(i / 3) % 2)) };
  const { rgb } = resized(lines, { width: 16, height: 12 });
  for (let i = 3 * 16 * 5 + 9; i < 3 * 16 * 6 - 9; i++) expect(Math.abs((rgb[i] as number) - 127.5)).toBeLessThan(4);
});

test('a part of it is that of the whole', () => {
  const source = ramp(60, 50);
  fc.assert(
    fc.property(
      fc.integer({ min: 20, max: 90 }),
      fc.integer({ min: 20, max: 90 }),
      fc.nat({ max: 12 }),
      fc.nat({ max: 12 }),
      (width, height, left, top) => {
        const whole = resized(source, { width, height });
        const part = { left, top, width: width - left - 3, height: height - top - 5 };
        const { rgb } = resized(source, { width, height }, part);
        for (let y = 0; y < part.height; y++) {
          const from = ((y + top) * width + left) * 3;
          expect(rgb.subarray(y * part.width * 3, (y + 1) * part.width * 3)).toEqual(whole.rgb.subarray(from, from + part.width * 3));
        }
      },
    ),
    { numRuns: 20, seed: 5 },
  );
});
