import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';
import { addCameraNoise } from '../../../src/cli/bench/camera-noise.ts';
import { addNoise, blurred, mixedDegradation, smallerAndBack } from '../../../src/cli/bench/degrade.ts';
import { psnr, psnrLuma } from '../../../src/cli/bench/metrics.ts';
import { decodeRgb, encodeJpeg, encodePng, type Pixels } from '../../../src/cli/bench/pixels.ts';
import { casesOf, TEST_SETS } from '../../../src/cli/bench/sets.ts';
import { scene } from '../pictures.ts';

const DATA = fileURLToPath(new URL('../../../../shared/data/test', import.meta.url));
const picture: Pixels = { width: 120, height: 90, channels: 3, data: scene(120, 90) };

describe('degradations', () => {
  test('noise has its sigma, is the same for the same seed, another for another', () => {
    const flat: Pixels = { width: 200, height: 200, channels: 3, data: new Uint8Array(200 * 200 * 3).fill(128) };
    const noisy = addNoise(flat, 15, 1);
    // Rounding to whole levels adds a variance of 1/12.
    expect(psnr(noisy, flat)).toBeCloseTo(10 * Math.log10(255 ** 2 / (15 ** 2 + 1 / 12)), 1);
    const mean = noisy.data.reduce((sum, value) => sum + value, 0) / noisy.data.length;
    expect(Math.abs(mean - 128)).toBeLessThan(0.2);
    expect(addNoise(flat, 15, 1).data).toEqual(noisy.data);
    expect(addNoise(flat, 15, 2).data).not.toEqual(noisy.data);
  });

  test('camera noise: its sigma, colours where they were, red and blue over more pixels than white noise, repeatable', () => {
    const flat: Pixels = { width: 201, height: 150, channels: 3, data: new Uint8Array(201 * 150 * 3).fill(128) };
    for (const seed of [1, 2, 3, 4]) {
      const { data } = addCameraNoise(flat, 12, seed);
      const mean = (values: readonly number[]) => values.reduce((a, b) => a + b) / values.length;
      const off = [0, 1, 2].map((c) =>
        Array.from(
          data.filter((_, i) => i % 3 === c),
          (value) => value - 128,
        ),
      );
      const power = off.map((values) => mean(values.map((v) => v * v)));
      // The bend of the tone curve widens it a little.
      expect(Math.abs(Math.sqrt(mean(power)) - 12)).toBeLessThan(1.2);
      for (const [c, values] of off.entries()) {
        expect(Math.abs(mean(values))).toBeLessThan(2);
        const beside = mean(values.slice(1).map((v, i) => v * (values[i] as number))) / (power[c] as number);
        expect(beside).toBeGreaterThan(0.25);
        expect(beside).toBeLessThan(0.75);
      }
      expect(addCameraNoise(flat, 12, seed).data).toEqual(data);
    }
  });

  test('a blur has its sigma', async () => {
    // An edge becomes the sum of the Gaussian: its steps have the Gaussian's variance.
    const edge: Pixels = {
      width: 64,
      height: 8,
      channels: 3,
      data: Uint8Array.from({ length: 64 * 8 * 3 }, (_, i) => (Math.floor(i / 3) % 64 < 32 ? 0 : 250)),
    };
    for (const sigma of [0.8, 1.2, 1.6]) {
      const { data } = await blurred(edge, sigma);
      const steps = Array.from({ length: 63 }, (_, x) => (data[(4 * 64 + x + 1) * 3] as number) - (data[(4 * 64 + x) * 3] as number));
      const moment = (order: number) => steps.reduce((sum, step, x) => sum + step * (x - 31) ** order, 0) / 250;
      expect([moment(0), moment(1)]).toEqual([1, expect.closeTo(0, 1)]);
      expect(Math.abs(Math.sqrt(moment(2)) - sigma)).toBeLessThan(0.1);
    }
  });

  test('a smaller copy enlarged again has the size of the reference and less of the finest', async () => {
    const back = await smallerAndBack(picture, 0.5);
    expect([back.width, back.height, back.data.length]).toEqual([120, 90, 120 * 90 * 3]);
    const again = await smallerAndBack(back, 0.5);
    expect(psnr(back, picture)).toBeLessThan(40);
    expect(psnr(again, back)).toBeGreaterThan(psnr(back, picture) + 3);
  });

  test('compressed while it was small: the worse, the lower the quality, and in blocks of 16 px where it had half the size', async () => {
    const back = await smallerAndBack(picture, 0.5);
    const [low, high] = [await smallerAndBack(picture, 0.5, 20), await smallerAndBack(picture, 0.5, 90)];
    expect([low.width, low.height, low.data.length]).toEqual([120, 90, 120 * 90 * 3]);
    expect(psnr(high, back)).toBeGreaterThan(psnr(low, back) + 3);
    // What compression changed of a slope is blocks: steps from one to the next, where there was none.
    const slope: Pixels = {
      ...picture,
      data: Uint8Array.from({ length: 120 * 90 * 3 }, (_, i) => Math.floor((Math.floor(i / 3) % 120) * 0.7) + 60),
    };
    const { data } = await smallerAndBack(slope, 0.5, 10);
    const bend = (x: number) =>
      Array.from({ length: 60 }, (_, y) =>
        Math.abs((data[((y + 15) * 120 + x + 2) * 3] as number) - (data[((y + 15) * 120 + x - 2) * 3] as number)),
      );
    const mean = (places: number[]) => places.flatMap(bend).reduce((a, b) => a + b) / places.length / 60;
    expect(mean([32, 48, 64, 80])).toBeGreaterThan(1.5 * mean([40, 56, 72, 88]));
  });

  test('mixed: repeatable bytes, the size of the reference, and really worse', async () => {
    for (const seed of [1, 2, 3, 4, 5, 6, 7, 8]) {
      const first = await mixedDegradation(picture, seed);
      const decoded = await decodeRgb(first.source);
      expect([decoded.width, decoded.height]).toEqual([120, 90]);
      expect(psnr(decoded, picture)).toBeLessThan(50);
      expect((await mixedDegradation(picture, seed)).source.equals(first.source)).toBe(true);
    }
  });

  test('JPEG has the standard tables: quality 50 is Annex K itself', async () => {
    const file = await encodeJpeg(picture, 50);
    const table = file.indexOf(Buffer.from([0xff, 0xdb]));
    // First row of the luminance table in zigzag order: 16 11 12 14 12 10 16 14.
    expect([...file.subarray(table + 5, table + 13)]).toEqual([16, 11, 12, 14, 12, 10, 16, 14]);
  });

  test('PNG is lossless', async () => {
    expect(Buffer.from((await decodeRgb(await encodePng(picture))).data).equals(Buffer.from(picture.data))).toBe(true);
  });
});

describe.skipIf(!existsSync(DATA))('input figures of the public sets (needs ../shared/data)', () => {
  test.each([
    ['live1-jpeg', { q10: 25.69, q20: 28.06, q30: 29.37, q40: 30.28 }],
    ['live1-double', { 'q10,50': 27.69 }],
  ])('%s', async (name, expected: Record<string, number>) => {
    const set = TEST_SETS.find((candidate) => candidate.name === name);
    if (!set) throw new Error(`no set ${name}`);
    const found = new Map<string, number[]>();
    for await (const one of casesOf(set, DATA, Infinity)) {
      if (!(one.condition in expected)) continue;
      const decibel = (set.metric === 'rgb' ? psnr : psnrLuma)(await decodeRgb(one.source), one.reference);
      found.set(one.condition, [...(found.get(one.condition) ?? []), decibel]);
    }
    for (const [condition, value] of Object.entries(expected)) {
      const values = found.get(condition) ?? [];
      expect(values).toHaveLength(29);
      expect(Math.abs(values.reduce((a, b) => a + b) / 29 - value), condition).toBeLessThan(0.05);
    }
  });
});
