import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { addBack, FORMS, type Form, type Pixels, turned } from '../../src/imaging/forms.ts';

/** One number per pixel, in rows of `width`. */
function rows({ rgb, width }: Pixels): number[][] {
  const values = Array.from({ length: rgb.length / 3 }, (_, i) => rgb[3 * i] as number);
  return Array.from({ length: values.length / width }, (_, y) => values.slice(y * width, (y + 1) * width));
}

const numbered = (width: number, height: number): Pixels => ({
  rgb: Uint8Array.from({ length: width * height * 3 }, (_, i) => Math.floor(i / 3)),
  width,
  height,
});

describe('forms of a picture', () => {
  it.each<[Form, number[][]]>([
    // 0 1 2
    // 3 4 5
    ['as-is', [[0, 1, 2], [3, 4, 5]]], // biome-ignore format: a picture
    ['x', [[2, 1, 0], [5, 4, 3]]], // biome-ignore format: a picture
    ['y', [[3, 4, 5], [0, 1, 2]]], // biome-ignore format: a picture
    ['xy', [[5, 4, 3], [2, 1, 0]]], // biome-ignore format: a picture
    ['t', [[0, 3], [1, 4], [2, 5]]], // biome-ignore format: a picture
    ['xt', [[2, 5], [1, 4], [0, 3]]], // biome-ignore format: a picture
    ['yt', [[3, 0], [4, 1], [5, 2]]], // biome-ignore format: a picture
    ['xyt', [[5, 2], [4, 1], [3, 0]]], // biome-ignore format: a picture
  ])('%s', (form, expected) => {
    expect(rows(turned(numbered(3, 2), form))).toEqual(expected);
  });

  it('each turned back is the picture itself, whatever its size', () => {
    const side = fc.integer({ min: 1, max: 24 });
    fc.assert(
      fc.property(side, side, fc.infiniteStream(fc.nat(255)), (width, height, bytes) => {
        const rgb = Uint8Array.from([...bytes.take(width * height * 3)]);
        const sums = new Uint16Array(rgb.length);
        for (const form of FORMS) addBack(sums, turned({ rgb, width, height }, form), form);
        expect([...sums]).toEqual([...rgb].map((value) => value * FORMS.length));
      }),
      { numRuns: 40 },
    );
  });
});
