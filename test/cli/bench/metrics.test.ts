import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { psnr, psnrLuma, ssim } from '../../../src/cli/bench/metrics.ts';
import type { Pixels } from '../../../src/cli/bench/pixels.ts';

/** A picture whose samples are given by a function of place and channel. */
function picture(width: number, height: number, sample: (x: number, y: number, c: number) => number): Pixels {
  const data = new Uint8Array(width * height * 3);
  for (let i = 0; i < data.length; i++) data[i] = sample(Math.floor(i / 3) % width, Math.floor(i / 3 / width), i % 3);
  return { width, height, channels: 3, data };
}

describe('PSNR', () => {
  test('of a constant difference of 16 is 10 log10(255² / 256)', () => {
    const value = psnr(
      picture(8, 8, () => 100),
      picture(8, 8, () => 116),
    );
    expect(value).toBeCloseTo(10 * Math.log10(65025 / 256), 10);
    expect(value).toBeCloseTo(24.0484, 4);
  });

  test('counts every sample: one of 192 wrong by 255', () => {
    const wrong = picture(8, 8, (x, y, c) => (x === 3 && y === 2 && c === 1 ? 255 : 0));
    expect(
      psnr(
        picture(8, 8, () => 0),
        wrong,
      ),
    ).toBeCloseTo(10 * Math.log10(192), 10);
  });

  test('of luma weighs the channels 0.299, 0.587, 0.114', () => {
    const base = picture(4, 4, () => 100);
    const off = (channel: number) =>
      psnrLuma(
        base,
        picture(4, 4, (_x, _y, c) => (c === channel ? 110 : 100)),
      );
    for (const [channel, weight] of [0.299, 0.587, 0.114].entries()) {
      expect(off(channel)).toBeCloseTo(20 * Math.log10(255 / (10 * weight)), 9);
    }
  });

  test('of equal pictures is infinite, and pictures of different size are refused', () => {
    const one = picture(12, 12, (x, y) => x * y);
    expect(psnr(one, one)).toBe(Infinity);
    expect(() =>
      psnr(
        one,
        picture(12, 11, () => 0),
      ),
    ).toThrow('12×12×3 and 12×11×3');
  });
});

describe('SSIM', () => {
  test('of two flat pictures is the luminance term alone', () => {
    // (2·100·120 + C1) / (100² + 120² + C1), C1 = 2.55² = 6.5025
    const value = ssim(
      picture(16, 16, () => 100),
      picture(16, 16, () => 120),
    );
    expect(value).toBeCloseTo((2 * 100 * 120 + 6.5025) / (100 ** 2 + 120 ** 2 + 6.5025), 9);
    expect(value).toBeCloseTo(0.983611, 6);
  });

  test('of one window is the formula, computed the plain way', () => {
    const a = picture(11, 11, (x, y, c) => (x * 37 + y * 61 + c * 5) % 256);
    const b = picture(11, 11, (x, y, c) => (x * 29 + y * 71 + c * 9 + 40) % 256);
    expect(ssim(a, b)).toBeCloseTo(plainSsim(a, b), 9);
  });

  test('is 1 for equal pictures, symmetric, and never above 1', () => {
    const data = fc.uint8Array({ minLength: 13 * 12 * 3, maxLength: 13 * 12 * 3 });
    fc.assert(
      fc.property(data, data, (x, y) => {
        const a: Pixels = { width: 13, height: 12, channels: 3, data: x };
        const b: Pixels = { width: 13, height: 12, channels: 3, data: y };
        expect(ssim(a, a)).toBeCloseTo(1, 9);
        expect(ssim(a, b)).toBeCloseTo(ssim(b, a), 9);
        expect(ssim(a, b)).toBeLessThanOrEqual(1 + 1e-9);
      }),
      { numRuns: 30 },
    );
  });
});

/** Wang et al. 2004, equations 14-16 and 13, with a two-dimensional window: nothing shared with the code under test. */
function plainSsim(a: Pixels, b: Pixels): number {
  const luma = ({ data }: Pixels, i: number) =>
    0.299 * (data[3 * i] ?? 0) + 0.587 * (data[3 * i + 1] ?? 0) + 0.114 * (data[3 * i + 2] ?? 0);
  const weights: number[] = [];
  for (let y = -5; y <= 5; y++) for (let x = -5; x <= 5; x++) weights.push(Math.exp(-(x * x + y * y) / 4.5));
  const total = weights.reduce((sum, w) => sum + w, 0);
  const expectation = (of: (i: number) => number) => weights.reduce((sum, w, i) => sum + (w / total) * of(i), 0);
  const ma = expectation((i) => luma(a, i));
  const mb = expectation((i) => luma(b, i));
  const va = expectation((i) => (luma(a, i) - ma) ** 2);
  const vb = expectation((i) => (luma(b, i) - mb) ** 2);
  const cov = expectation((i) => (luma(a, i) - ma) * (luma(b, i) - mb));
  const c1 = 6.5025;
  const c2 = 58.5225;
  return ((2 * ma * mb + c1) * (2 * cov + c2)) / ((ma * ma + mb * mb + c1) * (va + vb + c2));
}
