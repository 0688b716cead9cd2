import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { blurTransposed, recursiveGaussian } from '../../../src/cli/bench/gaussian.ts';
import { decodeRgb, encodeJpeg, type Pixels } from '../../../src/cli/bench/pixels.ts';
import { ssimulacra2 } from '../../../src/cli/bench/ssimulacra2.ts';

const fixture = (name: string) => decodeRgb(join(import.meta.dirname, '..', '..', 'fixtures', `${name}.png`));
const [CITY, CACTUS] = [await fixture('city'), await fixture('cactus')];
const withData = (picture: Pixels, data: (value: number, i: number) => number): Pixels => ({ ...picture, data: picture.data.map(data) });

const posterised = (picture: Pixels) => withData(picture, (value) => value & 0xf0);
const shifted = (picture: Pixels) =>
  withData(picture, (value, i) => (Math.floor(i / 3) % picture.width === 0 ? value : (picture.data[i - 3] as number)));
const noisy = (picture: Pixels) =>
  withData(picture, (value, i) => Math.min(255, Math.max(0, value + (Math.imul(i, 2654435761) >>> 27) - 16)));

describe('SSIMULACRA 2', () => {
  /**
   * Values of a separate implementation (NumPy, double precision). That one in turn agrees to eight digits with
   * the package ssimulacra2 0.3.0 of PyPI, once it is given that package's blur (a true Gaussian with
   * other edges) in place of the recursive one of the definition.
   */
  test.each([
    ['city', 'posterised', CITY, posterised, 61.6458856482117, 60.821210237712634],
    ['city', 'shifted', CITY, shifted, 3.8461466990441693, 4.131369077567001],
    ['city', 'noisy', CITY, noisy, 69.04651576940105, 68.58526661911057],
    // 280×200: one scale is smaller than the smallest that may follow another.
    ['cactus', 'posterised', CACTUS, posterised, 66.18402683537875, 65.82944728026769],
    ['cactus', 'shifted', CACTUS, shifted, 3.437261221765837, 4.013302571705552],
    ['cactus', 'noisy', CACTUS, noisy, 64.36871711536628, 64.05870348339829],
  ] as const)('%s %s', (_, __, picture, distort, score, turned) => {
    expect(ssimulacra2(distort(picture), picture)).toBeCloseTo(score, 6);
    // Lost and added detail weigh differently.
    expect(ssimulacra2(picture, distort(picture))).toBeCloseTo(turned, 6);
  });

  test('falls with JPEG quality, near the averages its author gives: 30 at quality 20, 50 at 35 (4:2:0)', async () => {
    const at = async (quality: number) => {
      const scores = await Promise.all(
        [CITY, CACTUS].map(async (one) => ssimulacra2(await decodeRgb(await encodeJpeg(one, quality)), one)),
      );
      return scores.reduce((sum, value) => sum + value / scores.length, 0);
    };
    const [q10, q20, q35, q90] = [await at(10), await at(20), await at(35), await at(90)];
    expect(q10).toBeLessThan(q20);
    expect(q35).toBeLessThan(q90);
    expect(Math.abs(q20 - 30)).toBeLessThan(10);
    expect(Math.abs(q35 - 50)).toBeLessThan(10);
  });

  test('is 100 for equal pictures and below for others', () => {
    const data = fc.uint8Array({ minLength: 19 * 17 * 3, maxLength: 19 * 17 * 3 });
    fc.assert(
      fc.property(data, data, (x, y) => {
        const [a, b] = [x, y].map((samples): Pixels => ({ width: 19, height: 17, channels: 3, data: samples })) as [Pixels, Pixels];
        expect(ssimulacra2(a, a)).toBe(100);
        if (Buffer.compare(x, y) !== 0) expect(ssimulacra2(a, b)).toBeLessThan(100);
      }),
      { numRuns: 20 },
    );
  });

  test('pictures of different or too small size are refused with both sizes', () => {
    const flat = (width: number, height: number): Pixels => ({ width, height, channels: 3, data: new Uint8Array(width * height * 3) });
    expect(() => ssimulacra2(flat(12, 12), flat(12, 11))).toThrow('12×12×3 and 12×11×3');
    expect(() => ssimulacra2(flat(7, 9), flat(7, 9))).toThrow('7×9');
    expect(ssimulacra2(flat(8, 8), flat(8, 8))).toBe(100);
  });
});

describe('its recursive Gaussian', () => {
  const filter = recursiveGaussian(1.5);
  const blur = (plane: Float64Array, width: number, height: number) =>
    blurTransposed(blurTransposed(plane, width, height, filter), height, width, filter);

  test('of one point is the Gaussian of sigma 1.5, where the point is, and sums to one', () => {
    const plane = new Float64Array(31 * 25);
    plane[12 * 31 + 17] = 1;
    const blurred = blur(plane, 31, 25);
    for (let y = 0; y < 25; y++) {
      for (let x = 0; x < 31; x++) {
        const expected = Math.exp(-((x - 17) ** 2 + (y - 12) ** 2) / (2 * 1.5 ** 2)) / (2 * Math.PI * 1.5 ** 2);
        expect(Math.abs((blurred[y * 31 + x] as number) - expected)).toBeLessThan(0.001);
      }
    }
    expect(blurred.reduce((sum, value) => sum + value, 0)).toBeCloseTo(1, 6);
  });

  test('keeps a flat plane inside, and sees black beyond its edges', () => {
    const blurred = blur(new Float64Array(40 * 30).fill(0.5), 40, 30);
    expect(blurred[15 * 40 + 20]).toBeCloseTo(0.5, 9);
    // Half of the kernel and half of its middle lie inside, both ways.
    expect(blurred[0] as number).toBeCloseTo(0.5 * 0.633 ** 2, 2);
  });
});
