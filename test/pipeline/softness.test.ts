import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import sharp, { type Sharp } from 'sharp';
import { afterAll, describe, expect, it } from 'vitest';
import type { RestoreOptions } from '../../src/pipeline/options.ts';
import { CITY, noisy, openBench, psnr, samples } from './pictures.ts';

const bench = openBench();
afterAll(() => bench.close());

const raw = (data: Uint8Array) => sharp(data, { raw: { width: 320, height: 240, channels: 3 } });
const blurred = (sigma: number): Sharp => sharp(CITY).removeAlpha().blur(sigma);
const original = samples(CITY);

async function through(file: Buffer, options: Partial<RestoreOptions> = {}) {
  const { file: result, outcome } = await bench.restore(file, { format: 'png', face: 'off', ...options });
  const [{ data: truth }, { data: before }, { data: after }] = await Promise.all([original, samples(file), samples(result)]);
  return { before, after, gain: psnr(after, truth) - psnr(before, truth), report: outcome.report };
}

describe.each(['general', 'general-fast', 'general-best'])('a soft picture through %s', (model) => {
  it.each([
    [0.8, 0.2, 'soften', /^restored by \d+ %, soft: no compression tables/],
    [1.2, 1, 'restore', /^soft: no compression tables/],
    [1.6, 1.2, 'restore', /^soft: no compression tables/],
  ] as const)('blurred by %d px becomes clearer by %d dB', async (sigma, least, action, reason) => {
    const { gain, report } = await through(await blurred(sigma).png().toBuffer(), { model });
    expect(gain).toBeGreaterThan(least);
    expect(report.gate).toEqual({ action, reason: expect.stringMatching(reason) });
    expect(report).toMatchObject({ model, choice: 'asked for by name', analysis: { clean: false } });
  });

  it.each([
    [30, 0.5],
    [60, 0.7],
    [80, 0.8],
    [95, 0.8],
  ])('blurred, in a JPEG of quality %i, becomes clearer by %d dB', async (quality, least) => {
    const { gain, report } = await through(await blurred(1.6).jpeg({ quality }).toBuffer(), { model });
    expect(report.gate.reason).toMatch(new RegExp(`^JPEG quality ${quality}, .*noise σ [\\d.]+; soft`));
    expect(report).toMatchObject({ deblurred: expect.any(Number), precision: expect.any(String), analysis: { clean: false } });
    expect(gain).toBeGreaterThan(least);
  });

  it('blurred, with noise, becomes clearer by 1.8 dB', async () => {
    const grainy = noisy((await samples(await blurred(1.2).png().toBuffer())).data, 8, 3);
    const { gain, report } = await through(await raw(grainy).png().toBuffer(), { model });
    expect(report.gate.reason).toMatch(/noise σ [78].*; soft/);
    expect(gain).toBeGreaterThan(1.8);
  });

  it.each(['city', 'cactus'])('as they are, %s is sharp, and in a JPEG, too', async (name) => {
    const sharpest = sharp(readFileSync(join(import.meta.dirname, '..', 'fixtures', `${name}.png`)));
    for (const file of [await sharpest.clone().png().toBuffer(), await sharpest.clone().jpeg({ quality: 92 }).toBuffer()]) {
      const { outcome } = await bench.restore(file, { model, face: 'off' });
      expect(outcome.report.gate.reason).not.toMatch(/soft/);
    }
  });
});

/** Bars of 6 px of two greys. */
const bars = () => Uint8Array.from({ length: 320 * 240 * 3 }, (_, i) => (Math.floor((Math.floor(i / 3) % 320) / 6) % 2 === 0 ? 90 : 150));

describe('a picture is not taken for soft', () => {
  it.each([
    ['a pattern', async () => raw(bars()).blur(1.2).png().toBuffer(), /^nothing to repair/],
    [
      'flat',
      async () =>
        raw(new Uint8Array(320 * 240 * 3).fill(120))
          .png()
          .toBuffer(),
      /^nothing to repair/,
    ],
    [
      'a slow ramp',
      async () =>
        raw(Uint8Array.from({ length: 320 * 240 * 3 }, (_, i) => (Math.floor(i / 3) % 320) / 2))
          .png()
          .toBuffer(),
      /^nothing to repair/,
    ],
    [
      'drawn with few colours',
      async () =>
        raw((await samples(await blurred(1).png().toBuffer())).data.map((value) => (value < 128 ? 0 : 255)))
          .png()
          .toBuffer(),
      /^nothing to repair/,
    ],
  ] as const)('that is %s', async (_, make, reason) => {
    const { report } = await through(await make());
    expect(report.gate.reason).toMatch(reason);
    expect(report.gate.reason).not.toMatch(/soft/);
    expect(report.deblurred).toBeUndefined();
  });

  it('where nothing but faces is wanted, or nothing at all', async () => {
    const soft = await blurred(1.2).png().toBuffer();
    for (const options of [{ face: 'only' }, { strength: 0 }] as const) {
      const { before, after, report } = await through(soft, options);
      expect(report.gate).toMatchObject({ action: 'copy' });
      expect(after.equals(before)).toBe(true);
    }
  });
});

describe('a small picture that somebody enlarged', () => {
  /** The middle of the photograph at half its size, compressed or not, then at its own size. */
  async function enlarged(quality?: number): Promise<Buffer> {
    const small = sharp(CITY).resize({ width: 160, height: 120 });
    const file = quality === undefined ? await small.png().toBuffer() : await small.jpeg({ quality }).toBuffer();
    return sharp(file).resize({ width: 320, height: 240, fit: 'fill' }).png().toBuffer();
  }

  it.each([30, 50, 75])('after it was a JPEG of quality %i is not taken for soft: its blocks would come back sharper', async (quality) => {
    const { gain, report } = await through(await enlarged(quality));
    expect(report.deblurred).toBeUndefined();
    expect(gain).toBeGreaterThan(-0.05);
  });

  it('and never compressed is', async () => {
    const { report } = await through(await enlarged());
    expect(report.deblurred).toBeGreaterThan(0);
  });
});

describe('a soft picture', () => {
  const grey = () => blurred(1.6).greyscale().toColourspace('srgb');
  it.each([
    ['as it is', () => grey().png().toBuffer()],
    [
      'after compression',
      async () =>
        sharp(await grey().jpeg({ quality: 60 }).toBuffer())
          .toColourspace('srgb')
          .png()
          .toBuffer(),
    ],
  ])('grey, %s, stays grey', async (_, make) => {
    const { before, after, report } = await through(await make());
    expect(report.gate).toMatchObject({ action: 'restore', reason: expect.stringMatching(/soft/) });
    expect([before.length, after.length]).toEqual([320 * 240 * 3, 320 * 240 * 3]);
    expect(after.equals(before)).toBe(false);
    for (let i = 0; i < after.length; i += 3) expect(after[i] === after[i + 1] && after[i] === after[i + 2]).toBe(true);
  });

  it("is restored by the caller's strength", async () => {
    const file = await blurred(1.2).png().toBuffer();
    const [half, whole] = [await through(file, { strength: 0.5 }), await through(file)];
    const off = half.after.map((value, i) => 2 * Math.abs(value - ((half.before[i] as number) + (whole.after[i] as number)) / 2));
    expect(Math.max(...new Set(off))).toBeLessThanOrEqual(1);
  });
});
