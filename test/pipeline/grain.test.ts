import sharp from 'sharp';
import { afterAll, describe, expect, it } from 'vitest';
import { grainLeft } from '../../src/pipeline/steps/grain.ts';
import { CITY, noisy, openBench, samples } from './pictures.ts';

const bench = openBench();
afterAll(() => bench.close());

const SIDE = 256;
const encoded = (data: Uint8Array, width = SIDE, height = SIDE) => sharp(data, { raw: { width, height, channels: 3 } });

describe('of weak noise a little is left', () => {
  /** Part of a flat field's noise that is in the result, and the result's own deviation in levels. */
  async function left(sigma: number, strength: number) {
    const source = noisy(new Uint8Array(SIDE * SIDE * 3).fill(128), sigma, sigma);
    const { file } = await bench.restore(await encoded(source).png().toBuffer(), { format: 'png', strength });
    const { data } = await samples(file);
    const product = (one: Uint8Array, other: Uint8Array) =>
      one.reduce((sum, value, i) => sum + (value - 128) * ((other[i] as number) - 128), 0);
    return { part: product(data, source) / product(source, source), levels: Math.sqrt(product(data, data) / data.length) };
  }

  it.each([3, 6, 10])('of sigma %i what hardly anybody sees', async (sigma) => {
    const { part, levels } = await left(sigma, 1);
    expect(part).toBeGreaterThan(grainLeft(sigma) - 0.02);
    // A little that the network itself leaves comes on top.
    expect(part).toBeLessThan(grainLeft(sigma) + 0.13);
    expect(levels).toBeLessThan(1.6);
  });

  it('of sigma 20 nothing', async () => {
    expect(grainLeft(20)).toBe(0);
    expect((await left(20, 1)).part).toBeLessThan(0.04);
  });

  it("and the caller's strength counts from there", async () => {
    const [whole, half] = [await left(6, 1), await left(6, 0.5)];
    expect(half.part - (1 + whole.part) / 2).toBeCloseTo(0, 1);
  });
});

describe('grain of a grey print, lightly compressed', () => {
  async function reason(sigma: number, grey: boolean) {
    const { data, width, height } = await samples(await sharp(CITY).blur(1).png().toBuffer());
    const lq = grey ? noisy(await encoded(data, width, height).greyscale().raw().toBuffer(), sigma, 7) : noisy(data, sigma, 7);
    const raw = sharp(lq, { raw: { width, height, channels: grey ? 1 : 3 } });
    const { outcome } = await bench.restore(await raw.jpeg({ quality: 95, chromaSubsampling: '4:4:4' }).toBuffer());
    expect(outcome.report.source.grey).toBe(grey);
    return outcome.report.gate.reason;
  }

  it.each([3.5, 4.5, 5])('of sigma %d stays', async (sigma) => {
    expect(await reason(sigma, true)).not.toMatch(/more to be repaired/);
  });

  it('in colour, and where it is stronger, it is noise', async () => {
    expect(await reason(5, false)).toMatch(/more to be repaired/);
    expect(await reason(5.5, true)).toMatch(/more to be repaired/);
  });
});
