import sharp, { type Sharp } from 'sharp';
import { afterAll, describe, expect, it } from 'vitest';
import { resized } from '../../src/imaging/bicubic.ts';
import type { RestoreOptions } from '../../src/pipeline/options.ts';
import { CITY, openBench, pixelsOf, psnr, samples } from './pictures.ts';

const bench = openBench();
afterAll(() => bench.close());

const TO = { width: 480, height: 360 };

/** A photograph of 320×240 enlarged; with a quality it was a JPEG before. */
async function enlarged(picture: Sharp, quality?: number): Promise<Buffer> {
  const file = quality === undefined ? await picture.png().toBuffer() : await picture.jpeg({ quality }).toBuffer();
  const { rgb } = resized(await pixelsOf(sharp(file)), TO);
  return sharp(rgb, { raw: { ...TO, channels: 3 } })
    .png()
    .toBuffer();
}

async function through(file: Buffer, options: Partial<RestoreOptions> = {}) {
  const { file: result, outcome } = await bench.restore(file, { format: 'png', face: 'off', ...options });
  return { before: (await samples(file)).data, after: (await samples(result)).data, report: outcome.report };
}

describe.each(['general', 'general-fast', 'general-best'])('a small JPEG that somebody enlarged, through %s', (model) => {
  it.each([
    [25, 0.7],
    [40, 0.6],
    [60, 0.5],
  ])('of quality %i, comes nearer to the photograph enlarged by %d dB', async (quality, least) => {
    const truth = (await samples(await enlarged(sharp(CITY)))).data;
    const { before, after, report } = await through(await enlarged(sharp(CITY), quality), { model });
    expect(psnr(after, truth) - psnr(before, truth)).toBeGreaterThan(least);
    expect(report.gate).toEqual({
      action: 'restore',
      reason: expect.stringMatching(new RegExp(`a JPEG of quality (${quality - 1}|${quality}|${quality + 1}) enlarged 1\\.5 times`)),
    });
    expect(report).toMatchObject({ model, precision: expect.any(String), analysis: { clean: false }, source: TO });
    expect(report.deblurred).toBeUndefined();
  });
});

describe('a small JPEG that somebody enlarged', () => {
  it('grey, stays grey', async () => {
    const { after, report } = await through(await enlarged(sharp(CITY).greyscale(), 30));
    expect(report.gate.reason).toMatch(/enlarged 1\.5 times/);
    for (let i = 0; i < after.length; i += 3) expect(after[i] === after[i + 1] && after[i] === after[i + 2]).toBe(true);
  });

  it("is repaired by the caller's strength", async () => {
    const file = await enlarged(sharp(CITY), 30);
    const [none, half, whole] = [await through(file, { strength: 0 }), await through(file, { strength: 0.5 }), await through(file)];
    expect(none.after.equals(none.before)).toBe(true);
    const off = half.after.map((value, i) => 2 * Math.abs(value - ((half.before[i] as number) + (whole.after[i] as number)) / 2));
    expect(Math.max(...new Set(off))).toBeLessThanOrEqual(1);
    expect(whole.after.equals(whole.before)).toBe(false);
  });

  it('of a quality that left little to repair is left as it is', async () => {
    const { before, after, report } = await through(await enlarged(sharp(CITY), 80));
    expect(report.gate).toMatchObject({ action: 'copy' });
    expect(after.equals(before)).toBe(true);
  });

  it('is told from a photograph that was enlarged and never compressed', async () => {
    const small = await sharp(CITY).resize({ width: 160, height: 120 }).png().toBuffer();
    const { report } = await through(await enlarged(sharp(small)));
    expect(report.gate.reason).not.toMatch(/enlarged/);
  });
});
