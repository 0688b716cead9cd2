import fc from 'fast-check';
import sharp, { type JpegOptions } from 'sharp';
import { describe, expect, it } from 'vitest';
import { blockinessOf } from '../../src/imaging/blockiness.ts';
import { blurOf } from '../../src/imaging/blur.ts';
import { conditionVector } from '../../src/imaging/conditions.ts';
import { probeHeader } from '../../src/imaging/header.ts';
import { jpegQuality } from '../../src/imaging/jpeg-quality.ts';
import { coarseNoise, rawNoiseSigma, reportedSigma } from '../../src/imaging/noise.ts';
import { orientSamples, uprightSize } from '../../src/imaging/orient.ts';
import { CITY, noisy, samples } from '../pipeline/pictures.ts';

describe('noise estimate', () => {
  it.each([2, 5, 15, 25, 50])('reads sigma %i of white noise on a flat field within 8 %', (sigma) => {
    const field = noisy(new Uint8Array(512 * 512 * 3).fill(128), sigma, sigma);
    expect(Math.abs(reportedSigma(rawNoiseSigma(field, 512, 512)) - sigma)).toBeLessThan(0.08 * sigma + 0.2);
  });

  it('is the number the networks were trained with', async () => {
    // `training/analysis.py noise_sigma` on test/fixtures/city.png.
    const { data, width, height } = await samples(CITY);
    expect(rawNoiseSigma(data, width, height)).toBeCloseTo(2.62603, 4);
    expect(coarseNoise(data, width, height).sigma).toBeCloseTo(4.549655, 4);
    expect(coarseNoise(data, width, height).evenness).toBeCloseTo(0.839307, 4);
  });

  it('reads white noise alike on both scales, and correlated noise on the coarse one', () => {
    const field = noisy(new Uint8Array(512 * 512 * 3).fill(128), 20, 5);
    expect(Math.abs(coarseNoise(field, 512, 512).sigma / rawNoiseSigma(field, 512, 512) - 1)).toBeLessThan(0.08);
    const soft = field.map(
      (value, i) => (value + (field[i + 3] ?? value) + (field[i + 512 * 3] ?? value) + (field[i + 513 * 3] ?? value)) / 4,
    );
    expect(coarseNoise(soft, 512, 512).sigma).toBeGreaterThan(2.5 * rawNoiseSigma(soft, 512, 512));
  });

  it('is 0 for a picture smaller than a block and for a flat one', () => {
    expect(rawNoiseSigma(new Uint8Array(10 * 10 * 3), 10, 10)).toBe(0);
    expect(rawNoiseSigma(new Uint8Array(64 * 64 * 3).fill(77), 64, 64)).toBe(0);
  });
});

describe('conditions', () => {
  const names = ['luma_quantiser', 'chroma_quantiser', 'chroma_subsampling', 'noise_sigma', 'coarse_noise_sigma'];

  it('are the numbers the networks were trained with', () => {
    // `training/analysis.py conditions(5.0, 2.5, 1.0, 16.0)`.
    const jpeg = { lumaScale: 5, chromaScale: 2.5, subsampling: 1, quality: 10 };
    expect([...conditionVector(names, { jpeg, rawSigma: 16, coarseSigma: 32 })].map((v) => v.toFixed(5))).toEqual([
      '0.86481',
      '0.73082',
      '1.00000',
      '0.25000',
      '0.50000',
    ]);
  });

  it('are 0 where nothing is known, and for a name nobody knows', () => {
    expect([...conditionVector([...names, 'weather'], { jpeg: undefined, rawSigma: 0, coarseSigma: 0 })]).toEqual([0, 0, 0, 0, 0, 0]);
  });
});

describe('JPEG quality by the quantisation tables', () => {
  it.each([5, 10, 25, 50, 75, 90, 95, 100])('reads %i', async (quality) => {
    const file = await sharp(CITY).jpeg({ quality }).toBuffer();
    const { jpeg } = probeHeader(file);
    expect(jpeg && jpegQuality(jpeg)?.quality).toBe(quality);
  });

  it('reads subsampling, and grey as none', async () => {
    const of = async (options: JpegOptions, grey = false) => {
      const image = sharp(CITY).toColourspace(grey ? 'b-w' : 'srgb');
      const { jpeg } = probeHeader(await image.jpeg(options).toBuffer());
      return jpeg && jpegQuality(jpeg)?.subsampling;
    };
    expect(await of({ chromaSubsampling: '4:2:0' })).toBe(1);
    expect(await of({ chromaSubsampling: '4:4:4' })).toBe(0);
    expect(await of({}, true)).toBe(0);
  });
});

describe('blockiness', () => {
  it('finds the grid and its phase in a JPEG that was cropped and saved losslessly', async () => {
    const bad = await sharp(CITY).jpeg({ quality: 20 }).toBuffer();
    const cropped = await samples(await sharp(bad).extract({ left: 3, top: 6, width: 300, height: 200 }).png().toBuffer());
    expect(blockinessOf(cropped.data, cropped.width, cropped.height)).toMatchObject({ phaseX: 5, phaseY: 2 });
    expect(blockinessOf(cropped.data, cropped.width, cropped.height).ratio).toBeGreaterThan(1.2);
  });

  it.each(['nearest', 'cubic', 'lanczos3'] as const)('does not take a picture enlarged by %s for one', async (kernel) => {
    const big = await samples(await sharp(CITY).resize({ width: 640, kernel }).png().toBuffer());
    expect(blockinessOf(big.data, big.width, big.height).found).toBe(false);
    const blocky = await samples(await sharp(CITY).jpeg({ quality: 60 }).toBuffer());
    expect(blockinessOf(blocky.data, blocky.width, blocky.height).found).toBe(true);
  });

  it('reads about 1 on a picture without blocks, and exactly 1 on a flat one', async () => {
    const { data, width, height } = await samples(CITY);
    expect(blockinessOf(data, width, height).ratio).toBeLessThan(1.06);
    expect(blockinessOf(new Uint8Array(64 * 64 * 3), 64, 64)).toMatchObject({ ratio: 1, standsOut: 1, found: false });
  });
});

describe('blur', () => {
  it('grows with the blur of the picture', async () => {
    const at = async (sigma: number) => {
      const { data, width, height } = await samples(sigma === 0 ? CITY : await sharp(CITY).blur(sigma).png().toBuffer());
      return blurOf(data, width, height);
    };
    const values = [await at(0), await at(1), await at(2), await at(4)];
    expect(values).toEqual([...values].sort((a, b) => a - b));
    expect((values[3] as number) - (values[0] as number)).toBeGreaterThan(0.2);
  });
});

describe('orientSamples', () => {
  it('agrees with an independent implementation for every orientation and size', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.integer({ min: 1, max: 40 }),
        fc.integer({ min: 1, max: 40 }),
        fc.integer({ min: 1, max: 8 }),
        async (width, height, orientation) => {
          const rgb = Uint8Array.from({ length: width * height * 3 }, (_, i) => (i * 31) & 255);
          const file = await sharp(rgb, { raw: { width, height, channels: 3 } })
            .withMetadata({ orientation })
            .tiff({ compression: 'none' })
            .toBuffer();
          const expected = await sharp(file).autoOrient().toColourspace('srgb').raw().toBuffer({ resolveWithObject: true });
          expect(uprightSize(width, height, orientation)).toEqual([expected.info.width, expected.info.height]);
          expect(Buffer.compare(Buffer.from(orientSamples(rgb, width, height, 3, orientation)), expected.data)).toBe(0);
        },
      ),
      { numRuns: 60 },
    );
  });
});
