import fc from 'fast-check';
import sharp from 'sharp';
import { describe, expect, it } from 'vitest';
import { blockinessOf } from '../../src/imaging/blockiness.ts';
import { drawnIn, hasFewColours } from '../../src/imaging/drawn.ts';
import { findEarlierJpeg } from '../../src/imaging/earlier-jpeg.ts';
import type { Pixels } from '../../src/imaging/forms.ts';
import { CITY, noisy, samples } from '../pipeline/pictures.ts';
import { chequers, dots, enlargedPixels, lettering, night, screen, stripes } from './drawings.ts';

const asJpeg = async ({ rgb, width, height }: Pixels, quality: number): Promise<Pixels> => {
  const file = await sharp(rgb, { raw: { width, height, channels: 3 } })
    .jpeg({ quality })
    .toBuffer();
  return { rgb: (await samples(file)).data, width, height };
};

describe('noise and what only reads like it', () => {
  it.each([6, 15, 25, 50])('noise of sigma %i on a photograph is noise, as it is and under compression', async (sigma) => {
    const { data, width, height } = await samples(CITY);
    const photograph = { rgb: noisy(data, sigma, sigma), width, height };
    expect(drawnIn(photograph, false)).toBeUndefined();
    for (const quality of [75, 90]) expect(drawnIn(await asJpeg(photograph, quality), false)).toBeUndefined();
  });

  it.each([1, 2, 4])('chequers of %i px are a pattern, at every quality', async (side) => {
    const board = chequers(side);
    expect(drawnIn(board, false)).toMatch(/^regular/);
    for (const quality of [50, 75, 90]) expect(drawnIn(await asJpeg(board, quality), false)).toMatch(/^regular/);
  });

  it('a printer’s screen is one, too', async () => {
    expect(drawnIn(screen(), false)).toMatch(/^regular/);
    expect(drawnIn(await asJpeg(screen(), 75), false)).toMatch(/^regular/);
  });

  it('letters on a plain ground are lines, and so are enlarged pixels', async () => {
    const page = lettering();
    expect(drawnIn(page, false)).toBe('lines');
    for (const quality of [15, 30, 50, 75, 90]) expect(drawnIn(await asJpeg(page, quality), false)).toBe('lines');
    expect(drawnIn(enlargedPixels(8), true)).toMatch(/lines$/);
  });

  it('the noise of a night with lit windows is noise', async () => {
    const street = night();
    const seen = { ...street, rgb: noisy(street.rgb, 9, 15) };
    expect(drawnIn(seen, false)).toBeUndefined();
    for (const quality of [50, 75, 90]) expect(drawnIn(await asJpeg(seen, quality), false)).toBeUndefined();
  });

  it('dots that fall at random are no noise, and noise on a page is no dots', async () => {
    for (const quality of [50, 75, 90]) expect(drawnIn(await asJpeg(dots(), quality), false)).toBe('dots');
    const { data, width, height } = await samples(CITY);
    expect(drawnIn({ rgb: noisy(data, 75, 4), width, height }, false)).toBeUndefined();
    const page = lettering();
    expect(drawnIn({ ...page, rgb: noisy(page.rgb, 70, 4) }, false)).not.toBe('dots');
  });

  it('of a picture of few blocks, and of a flat one, it says nothing or nothing wrong', () => {
    expect(drawnIn({ rgb: new Uint8Array(40 * 30 * 3), width: 40, height: 30 }, false)).toBeUndefined();
    expect(() => drawnIn({ rgb: new Uint8Array(3), width: 1, height: 1 }, false)).not.toThrow();
  });
});

describe('few colours', () => {
  const picture = (count: number, of: (i: number) => number) => Uint8Array.from({ length: count * 3 }, (_, i) => of(Math.floor(i / 3)));

  it('two to sixty-four that lie apart', () => {
    fc.assert(
      fc.property(fc.integer({ min: 2, max: 64 }), (colours) => {
        expect(hasFewColours(picture(8192, (i) => Math.round(((i % colours) * 255) / (colours - 1))))).toBe(true);
      }),
    );
  });

  it('not one, not neighbouring ones as noise has, not sixty-five, not those of a tiny picture', () => {
    expect(hasFewColours(picture(8192, () => 200))).toBe(false);
    expect(hasFewColours(picture(8192, (i) => 100 + ((i * 7) % 20)))).toBe(false);
    expect(hasFewColours(picture(8192, (i) => (i % 65) * 3))).toBe(false);
    expect(hasFewColours(picture(100, (i) => (i % 2) * 255))).toBe(false);
    expect(hasFewColours(new Uint8Array(0))).toBe(false);
  });
});

describe('drawings are not taken for what a JPEG left', () => {
  const nothing = { jpeg: undefined, grey: false };

  it.each([2, 3, 4, 8])('stripes of %i px', (side) => {
    const { rgb, width, height } = stripes(side);
    expect(findEarlierJpeg(rgb, width, height, nothing)).toBeUndefined();
  });

  it.each([4, 8, 16])('pixels enlarged %i times: neither blocks nor an earlier JPEG', (side) => {
    const { rgb, width, height } = enlargedPixels(side);
    expect(findEarlierJpeg(rgb, width, height, nothing)).toBeUndefined();
    expect(blockinessOf(rgb, width, height).found).toBe(false);
  });
});
