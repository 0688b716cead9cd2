import fc from 'fast-check';
import sharp from 'sharp';
import { describe, expect, it } from 'vitest';
import type { Pixels } from '../../src/imaging/forms.ts';
import { PART, sampleOf } from '../../src/imaging/sample.ts';
import { changeOf, structureOf } from '../../src/imaging/softness.ts';
import { CITY } from '../pipeline/pictures.ts';
import { madePicture } from './made-picture.ts';

/** The sample of a photograph. */
async function blurred(sigma?: number): Promise<Pixels> {
  const picture = sigma === undefined ? sharp(CITY) : sharp(CITY).blur(sigma);
  const { data, info } = await picture.raw().toBuffer({ resolveWithObject: true });
  return sampleOf({ rgb: data, width: info.width, height: info.height });
}

describe('fine structure and what a restoration changes of it', () => {
  // `training/softness.py` gave the numbers.
  it.each([
    [401, 277, 46.6626159, 0.63988647, 0.92940828],
    [90, 64, 29.8475476, 0.52007353, 1.30458674],
    [1531, 1022, 45.2575282, 0.6257683, 1.01800351],
  ])('of a sample of %i×%i are those of training', (width, height, size, finest, changed) => {
    const [one, other] = [sampleOf(madePicture(width, height, 7)), sampleOf(madePicture(width, height, 11))];
    const structure = structureOf(one);
    expect(structure).toMatchObject({ size: expect.closeTo(size, 4), finest: expect.closeTo(finest, 6) });
    if (structure) expect(changeOf(one, other.rgb, structure)).toBeCloseTo(changed, 6);
  });

  it('the softer a picture, the less of it is the finest', async () => {
    const shares = await Promise.all([undefined, 0.5, 0.8, 1.2, 2].map(async (sigma) => structureOf(await blurred(sigma))?.finest ?? 0));
    expect(shares).toEqual([...shares].sort((a, b) => b - a));
    expect(shares[0]).toBeGreaterThan(0.4);
    expect(shares[2]).toBeLessThan(0.33);
    expect(shares[4]).toBeGreaterThan(0.1);
  });

  it('is the same brighter, darker, and with less contrast', async () => {
    const { rgb, width, height } = await blurred(0.8);
    const half = rgb.map((value) => 2 * (value >> 2));
    const [there, here] = [
      { rgb: half, width, height },
      { rgb: half.map((value) => value + 100), width, height },
    ].map(structureOf);
    expect(here?.size).toBeCloseTo(there?.size ?? 0, 3);
    expect(here?.finest).toBeCloseTo(there?.finest ?? 0, 5);
  });

  it("what is within eight pixels of the sides of a sample's parts does not count", () => {
    fc.assert(
      fc.property(fc.nat({ max: 2 * PART - 1 }), fc.nat({ max: 2 * PART - 1 }), (x, y) => {
        const one = madePicture(2 * PART, 2 * PART, 7);
        const other = { ...one, rgb: one.rgb.slice() };
        const at = (y * 2 * PART + x) * 3;
        other.rgb.fill(((one.rgb[at] as number) + 128) % 256, at, at + 3);
        const structure = structureOf(one);
        const near = [x, y].some((place) => place % PART < 8 || place % PART >= PART - 8);
        // A Gaussian of 1.5 px sees six pixels far: two at the very side are not seen at all.
        const apart = [x, y].some((place) => place % PART < 2 || place % PART >= PART - 2);
        if (apart) expect(structureOf(other)).toEqual(structure);
        else expect(near || structureOf(other)?.size !== structure?.size).toBe(true);
      }),
      { numRuns: 60, seed: 3 },
    );
  });

  it('a change counts where there is structure: by the block that nine in ten are changed less than', () => {
    const picture = madePicture(2 * PART, 2 * PART, 7);
    const structure = structureOf(picture);
    if (!structure) throw new Error('no structure');
    const { blocks } = structure;
    // A change of 30 levels in a share of the blocks, and in all that belongs to none.
    const changed = (part: number) => {
      const spared = blocks.slice(Math.ceil(part * blocks.length));
      const isSpared = (x: number, y: number) =>
        spared.some((block) => x >= block.x && x < block.x + 16 && y >= block.y && y < block.y + 16);
      const rgb = picture.rgb.map((value, i) => {
        const at = Math.floor(i / 3);
        return isSpared(at % picture.width, Math.floor(at / picture.width)) ? value : (value + 30) % 256;
      });
      return changeOf(picture, rgb, structure);
    };
    expect(blocks.length).toBeGreaterThan(100);
    expect(changed(0)).toBe(0);
    expect(changed(0.08)).toBe(0);
    expect(changed(0.12)).toBeGreaterThan(0.1);
    expect(changed(1)).toBeGreaterThanOrEqual(changed(0.5));
  });

  it('says nothing of a flat picture, of a slow ramp and of a small one', () => {
    const flat = { rgb: new Uint8Array(64 * 64 * 3).fill(90), width: 64, height: 64 };
    const ramp = { ...flat, rgb: flat.rgb.map((_, i) => Math.round((Math.floor(i / 3) % 64) * 0.5)) };
    expect([structureOf(flat), structureOf(ramp)]).toEqual([undefined, undefined]);
    expect(structureOf(madePicture(40, 300, 7))).toBeUndefined();
    expect(structureOf({ rgb: new Uint8Array(), width: 0, height: 0 })).toBeUndefined();
  });
});
