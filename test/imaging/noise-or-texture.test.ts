import { describe, expect, it } from 'vitest';
import { differenceOf } from '../../src/imaging/noise-or-texture.ts';
import { sampleOf } from '../../src/imaging/sample.ts';
import { madePicture as picture } from './made-picture.ts';

/** The numbers are those of `training/weigh.py`. */
describe('the sample of a picture', () => {
  it.each([
    [401, 277, 384, 256, 4731275372],
    [1000, 130, 384, 128, 2358584902],
    [90, 64, 88, 64, 261677628],
    [1531, 1022, 384, 384, 7102562552],
  ])('of %i×%i is %i×%i and that of training', (width, height, columns, rows, sum) => {
    const sample = sampleOf(picture(width, height, 7));
    expect([sample.width, sample.height, sample.rgb.length]).toEqual([columns, rows, columns * rows * 3]);
    expect(sample.rgb.reduce((total, value, i) => total + value * (1 + (i % 251)), 0)).toBe(sum);
  });

  it.each([
    [7, 300],
    [8, 8],
    [128, 129],
    [255, 256],
    [4000, 136],
  ])('of %i×%i consists of whole coding blocks of it', (width, height) => {
    // Each pixel says where it was: its place in the block, and which block.
    const rgb = Uint8Array.from({ length: width * height * 3 }, (_, i) => {
      const [y, x] = [Math.floor(i / 3 / width), Math.floor(i / 3) % width];
      return [x % 8, y % 8, ((x >> 3) * 7 + (y >> 3) * 13) % 256][i % 3] as number;
    });
    const sample = sampleOf({ rgb, width, height });
    expect((sample.width % 8) + (sample.height % 8)).toBe(0);
    expect(sample.rgb.length).toBe(sample.width * sample.height * 3);
    for (let i = 0; i < sample.rgb.length; i += 3) {
      const [y, x] = [Math.floor(i / 3 / sample.width), Math.floor(i / 3) % sample.width];
      if (sample.rgb[i] !== x % 8 || sample.rgb[i + 1] !== y % 8) expect([x, y]).toBe('where it was in its block');
    }
  });
});

describe('the difference of two restorations', () => {
  const [one, other] = [picture(160, 112, 7), picture(160, 112, 11)];
  const soft = Uint8Array.from(one.rgb, (value) => Math.round(value * 0.3 + 90));

  it('is that of training', () => {
    const size = expect.closeTo(51.765336, 5);
    expect(differenceOf(one.rgb, other.rgb, one)).toEqual({ size, follows: expect.closeTo(0.891026, 5) });
    expect(differenceOf(other.rgb, one.rgb, one)).toEqual({ size, follows: expect.closeTo(0.915409, 5) });
  });

  it('says nothing of too few blocks, of black, or of nothing', () => {
    expect(differenceOf(one.rgb.subarray(0, 64 * 64 * 3), other.rgb.subarray(0, 64 * 64 * 3), { width: 64, height: 64 })).toBeUndefined();
    const black = new Uint8Array(160 * 112 * 3);
    expect(differenceOf(black, soft, one)).toBeUndefined();
    expect(differenceOf(new Uint8Array(), new Uint8Array(), { width: 0, height: 0 })).toBeUndefined();
  });

  it('of the same twice is nothing; a flat change of a flat picture follows nothing', () => {
    expect(differenceOf(soft, soft, one)).toMatchObject({ size: 0 });
    const [grey, lighter] = [new Uint8Array(soft.length).fill(100), new Uint8Array(soft.length).fill(103)];
    expect(differenceOf(grey, lighter, one)).toEqual({ size: expect.closeTo(3, 9), follows: 0 });
  });

  it('follows where contrast is taken away, and does not where it is the same everywhere', () => {
    // Contrast grows from left to right.
    const ramp = Uint8Array.from({ length: 160 * 112 * 3 }, (_, i) => {
      const x = Math.floor(i / 3) % 160;
      return 128 + (Math.floor(i / 3) % 2 === 0 ? 1 : -1) * Math.floor(x / 4);
    });
    const less = ramp.map((value) => Math.round(128 + (value - 128) * 0.8));
    const grainy = ramp.map((value, i) => value + (Math.floor(i / 9) % 2) * 6);
    expect(differenceOf(less, ramp, one)?.follows).toBeGreaterThan(0.9);
    expect(Math.abs(differenceOf(ramp, grainy, one)?.follows ?? 1)).toBeLessThan(0.3);
  });
});
