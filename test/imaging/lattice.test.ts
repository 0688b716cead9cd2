import fc from 'fast-check';
import sharp from 'sharp';
import { describe, expect, it } from 'vitest';
import type { Pixels } from '../../src/imaging/forms.ts';
import { latticeOf } from '../../src/imaging/lattice.ts';
import { SOFT_ENLARGED, SOFT_LATTICE } from '../../src/pipeline/steps/softness.ts';
import { CITY, noisy, pixelsOf } from '../pipeline/pictures.ts';
import { madePicture } from './made-picture.ts';

const evidence = ({ rgb, width, height }: Pixels) => latticeOf(rgb, width, height).evidence;

type Kernel = 'cubic' | 'mitchell' | 'lanczos3' | 'linear';

/** The photograph, 320×240, as a JPEG that somebody enlarged. */
async function enlarged(quality: number, factor: number, kernel: Kernel = 'cubic'): Promise<Pixels> {
  const jpeg = await sharp(CITY).jpeg({ quality }).toBuffer();
  return pixelsOf(sharp(jpeg).resize({ width: Math.round(320 * factor), height: Math.round(240 * factor), kernel, fit: 'fill' }));
}

describe('the blocks of a small JPEG', () => {
  it('are found after enlarging it by any factor, with any filter', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.integer({ min: 125, max: 350 }),
        fc.integer({ min: 20, max: 60 }),
        fc.constantFrom<Kernel>('cubic', 'mitchell', 'lanczos3', 'linear'),
        async (percent, quality, kernel) => {
          expect(evidence(await enlarged(quality, percent / 100, kernel))).toBeGreaterThan(SOFT_ENLARGED);
        },
      ),
      { numRuns: 30, seed: 1 },
    );
  });

  it.each([90, 75])('are found when it was compressed again at quality %i', async (quality) => {
    const { rgb, width, height } = await enlarged(40, 2.2);
    const again = await sharp(rgb, { raw: { width, height, channels: 3 } })
      .jpeg({ quality })
      .toBuffer();
    expect(evidence(await pixelsOf(sharp(again)))).toBeGreaterThan(SOFT_ENLARGED);
  });

  it('are found wherever the picture was cropped, and on its side', async () => {
    const whole = await enlarged(40, 2.2);
    const again = () => sharp(whole.rgb, { raw: { width: whole.width, height: whole.height, channels: 3 } });
    for (const [left, top] of [
      [1, 0],
      [7, 12],
      [20, 3],
    ] as const)
      expect(evidence(await pixelsOf(again().extract({ left, top, width: 640, height: 480 })))).toBeGreaterThan(SOFT_ENLARGED);
    expect(evidence(await pixelsOf(again().rotate(90)))).toBeCloseTo(evidence(whole), 1);
  });
});

describe('no blocks of another side', () => {
  it('are found in a photograph, sharp or blurred, whatever it was compressed with since', async () => {
    for (const sigma of [0, 0.8, 1.2, 2])
      for (const quality of [100, 80, 50, 25]) {
        const picture = sigma === 0 ? sharp(CITY) : sharp(CITY).blur(sigma);
        const found = evidence(await pixelsOf(sharp(await picture.jpeg({ quality }).toBuffer())));
        expect(found, `σ ${sigma}, quality ${quality}`).toBeLessThan(sigma === 0 ? SOFT_ENLARGED : SOFT_LATTICE);
      }
  });

  it.each([1.4, 2])('are found in a small copy that was enlarged %d times and never compressed', async (factor) => {
    // A copy of less than half its size has nothing of what the photograph's own file did to it.
    const small = await sharp(CITY).resize({ width: 140, height: 105 }).png().toBuffer();
    const size = { width: Math.round(140 * factor), height: Math.round(105 * factor) };
    expect(evidence(await pixelsOf(sharp(small).resize({ ...size, fit: 'fill', kernel: 'mitchell' })))).toBeLessThan(SOFT_ENLARGED);
  });

  it('are found in one grey, in noise, in a picture too small to tell', async () => {
    const flat = { rgb: new Uint8Array(200 * 150 * 3).fill(90), width: 200, height: 150 };
    expect(evidence(flat)).toBe(0);
    expect(evidence({ ...flat, rgb: noisy(flat.rgb, 12, 5) })).toBeLessThan(SOFT_LATTICE);
    const small = await pixelsOf(sharp(CITY).extract({ left: 0, top: 0, width: 95, height: 240 }));
    expect(evidence(small)).toBe(0);
  });
});

// `training/lattice.py` gave the numbers.
it.each([
  [401, 277, 2.62965],
  [97, 640, 1.90432],
  [1531, 1022, 5.41807],
  [2300, 2101, 3.89698],
])('the evidence in %i×%i is that of training', (width, height, found) => {
  expect(evidence(madePicture(width, height, 7))).toBeCloseTo(found, 3);
});
