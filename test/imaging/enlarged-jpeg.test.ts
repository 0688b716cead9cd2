import fc from 'fast-check';
import sharp from 'sharp';
import { describe, expect, it } from 'vitest';
import { resized } from '../../src/imaging/bicubic.ts';
import { findEnlargedJpeg } from '../../src/imaging/enlarged-jpeg.ts';
import type { Pixels } from '../../src/imaging/forms.ts';
import { latticeOf } from '../../src/imaging/lattice.ts';
import { CITY, pixelsOf } from '../pipeline/pictures.ts';

/** The photograph, 320×240, as a JPEG; then of another size. */
async function enlarged(quality: number, to: { width: number; height: number }): Promise<Pixels> {
  return resized(await pixelsOf(sharp(await sharp(CITY).jpeg({ quality }).toBuffer())), to);
}

const found = (picture: Pixels) => findEnlargedJpeg(picture, latticeOf(picture.rgb, picture.width, picture.height), false);

describe('a JPEG that was enlarged', () => {
  it('is found nearly always, and then with the size and the quality that it had', async () => {
    let times = 0;
    await fc.assert(
      fc.asyncProperty(fc.integer({ min: 390, max: 800 }), fc.integer({ min: 25, max: 70 }), async (width, quality) => {
        const before = found(await enlarged(quality, { width, height: Math.round(width * 0.75) }));
        if (before === undefined) return;
        times++;
        expect([before.width, before.height]).toEqual([320, 240]);
        expect(Math.abs(before.earlier.quality - quality)).toBeLessThanOrEqual(1);
        expect(before.earlier).toMatchObject({ phaseX: 0, phaseY: 0 });
      }),
      { numRuns: 15, seed: 1 },
    );
    expect(times).toBeGreaterThanOrEqual(13);
  });

  it('is found under a finer compression of the large one', async () => {
    const { rgb, width, height } = await enlarged(40, { width: 560, height: 420 });
    const again = await sharp(rgb, { raw: { width, height, channels: 3 } })
      .jpeg({ quality: 90 })
      .toBuffer();
    expect(found(await pixelsOf(sharp(again)))).toMatchObject({ width: 320, height: 240, earlier: { quality: 40 } });
  });

  it('is not found where there was none: whatever period is asked for', async () => {
    const soft = await pixelsOf(sharp(CITY).blur(1.2));
    const large = resized(soft, { width: 560, height: 420 });
    for (const picture of [soft, large])
      for (const period of [10.3, 16, 23.5]) expect(findEnlargedJpeg(picture, { evidence: 9, period }, false)).toBeUndefined();
  });

  it('is not looked for in a picture too large for that, nor at sizes too small to tell', async () => {
    const tiny = await pixelsOf(sharp(CITY).resize({ width: 100, height: 96, fit: 'fill' }));
    expect(findEnlargedJpeg(tiny, { evidence: 9, period: 24 }, false)).toBeUndefined();
    const huge = { rgb: new Uint8Array(2049 * 100 * 3).fill(9), width: 2049, height: 100 };
    expect(findEnlargedJpeg(huge, { evidence: 9, period: 12 }, false)).toBeUndefined();
  });
});
