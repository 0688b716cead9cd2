import fc from 'fast-check';
import sharp, { type Sharp } from 'sharp';
import { describe, expect, it } from 'vitest';
import { findEarlierJpeg, LIMITS } from '../../src/imaging/earlier-jpeg.ts';
import { probeHeader } from '../../src/imaging/header.ts';
import { type JpegQuality, jpegQuality } from '../../src/imaging/jpeg-quality.ts';
import { CITY, noisy, samples } from '../pipeline/pictures.ts';
import { trainingConstants } from '../support/training-constants.ts';

/** A file as the product sees it: its pixels, and its own tables where it is a JPEG. */
async function found(file: Buffer, grey = false) {
  const { jpeg } = probeHeader(file);
  const { data, width, height } = await samples(await sharp(file).toColourspace('srgb').removeAlpha().png().toBuffer());
  return findEarlierJpeg(data, width, height, { jpeg: jpeg && jpegQuality(jpeg), grey });
}

const compressed = (image: Sharp | Buffer, quality: number) =>
  (Buffer.isBuffer(image) ? sharp(image) : image).jpeg({ quality, chromaSubsampling: '4:2:0' }).toBuffer();

/** The file's picture without its first columns and rows. */
async function cropped(file: Buffer, left: number, top: number): Promise<Sharp> {
  const { width = 0, height = 0 } = await sharp(file).metadata();
  return sharp(file).extract({ left, top, width: width - left, height: height - top });
}

const offset = fc.integer({ min: 0, max: 7 });
const phases = (left: number, top: number) => ({ phaseX: (8 - left) % 8, phaseY: (8 - top) % 8 });

describe('an earlier compression', () => {
  it('is found in a lossless copy, cropped anywhere: place and quality', async () => {
    await fc.assert(
      fc.asyncProperty(offset, offset, fc.integer({ min: 15, max: 92 }), async (left, top, quality) => {
        const file = await (await cropped(await compressed(CITY, quality), left, top)).png().toBuffer();
        const earlier = await found(file);
        expect(earlier).toMatchObject({ ...phases(left, top), subsampling: 1 });
        expect(Math.abs((earlier?.quality ?? 0) - quality)).toBeLessThanOrEqual(1);
      }),
      { numRuns: 25, seed: 1 },
    );
  });

  it('is found under a finer one on another grid', async () => {
    await fc.assert(
      fc.asyncProperty(offset, offset, fc.integer({ min: 15, max: 60 }), async (left, top, quality) => {
        fc.pre(left + top > 0);
        const again = await compressed(await cropped(await compressed(CITY, quality), left, top), 90);
        const earlier = await found(again);
        expect(earlier).toMatchObject(phases(left, top));
        expect(Math.abs((earlier?.quality ?? 0) - quality)).toBeLessThanOrEqual(1);
      }),
      { numRuns: 15, seed: 2 },
    );
  });

  it.each([
    [30, 75],
    [50, 95],
    [75, 98],
  ])('of quality %i is found under one of %i on the same grid', async (first, second) => {
    const earlier = await found(await compressed(await compressed(CITY, first), second));
    expect(earlier).toMatchObject({ phaseX: 0, phaseY: 0 });
    expect(Math.abs((earlier?.quality ?? 0) - first)).toBeLessThanOrEqual(1);
  });

  it('of a grey picture has no chroma to speak of', async () => {
    const grey = await sharp(CITY).toColourspace('b-w').jpeg({ quality: 40 }).toBuffer();
    const earlier = await found(await sharp(grey).png().toBuffer(), true);
    expect(earlier).toMatchObject({ quality: 40, subsampling: 0 });
    expect(earlier?.chromaScale).toBe(earlier?.lumaScale);
  });

  it.each([60, 85, 92])('of quality %i with chroma of full resolution is told from one with half of it', async (quality) => {
    const full = await sharp(CITY).jpeg({ quality, chromaSubsampling: '4:4:4' }).toBuffer();
    expect(await found(await (await cropped(full, 2, 5)).png().toBuffer())).toMatchObject({ quality, subsampling: 0 });
    expect(await found(await (await cropped(await compressed(CITY, quality), 2, 5)).png().toBuffer())).toMatchObject({
      quality,
      subsampling: 1,
    });
  });

  it('is the same in training', async () => {
    // `training/earlier.py` on these very pixels; the decoder here may differ from Pillow's by a level.
    const file = await (await cropped(await compressed(CITY, 60), 0, 2)).png().toBuffer();
    const { lumaScale, chromaScale } = (await found(file)) as JpegQuality;
    expect([lumaScale, chromaScale].map((value) => value.toFixed(5))).toEqual(['0.80043', '0.77554']);
  });
});

describe('no earlier compression is seen', () => {
  it.each([10, 30, 60, 80, 90, 97])('in a JPEG of quality %i that never was another file', async (quality) => {
    expect(await found(await compressed(CITY, quality))).toBeUndefined();
  });

  it('where the earlier one was finer', async () => {
    expect(await found(await compressed(await cropped(await compressed(CITY, 90), 3, 5), 40))).toBeUndefined();
  });

  it.each([
    ['clean', (image: Sharp) => image],
    ['blurred', (image: Sharp) => image.blur(1.2)],
    ['sharpened', (image: Sharp) => image.sharpen()],
    ['smaller', (image: Sharp) => image.resize({ width: 211 })],
    ['larger', (image: Sharp) => image.resize({ width: 500 })],
    ['turned by a few degrees', (image: Sharp) => image.rotate(7)],
    ['of a few pixels', (image: Sharp) => image.extract({ left: 20, top: 20, width: 17, height: 33 })],
  ])('in a lossless picture, %s', async (_, change) => {
    expect(await found(await change(sharp(CITY)).png().toBuffer())).toBeUndefined();
  });

  it('in noise, in one colour, in white, and in less than a block', async () => {
    const field = (side: number, level: number) => new Uint8Array(side * side * 3).fill(level);
    for (const [pixels, side] of [
      [noisy(field(128, 128), 20, 3), 128],
      [field(128, 77), 128],
      [field(128, 255), 128],
      [field(7, 100), 7],
      [field(15, 100), 15],
    ] as const)
      expect(findEarlierJpeg(pixels, side, side, { jpeg: undefined, grey: false })).toBeUndefined();
  });

  it('after a compressed picture was resized: its coefficients are others now', async () => {
    const small = sharp(await compressed(CITY, 30)).resize({ width: 250 });
    expect(await found(await small.png().toBuffer())).toBeUndefined();
  });
});

it('the limits are those of training', () => {
  const inCapitals = ([name, value]: [string, number]) => [name.replace(/[A-Z]/g, (letter) => `_${letter}`).toUpperCase(), value];
  expect(trainingConstants('training/earlier.py')).toMatchObject(Object.fromEntries(Object.entries(LIMITS).map(inCapitals)));
});
