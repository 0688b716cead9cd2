import sharp from 'sharp';
import { describe, expect, test } from 'vitest';
import { STANDING_OUT } from '../../../src/imaging/blockiness.ts';
import { probeHeader } from '../../../src/imaging/header.ts';
import { jpegQuality } from '../../../src/imaging/jpeg-quality.ts';
import {
  CLEAN_COARSE_SIGMA,
  CLEAN_EVEN,
  CLEAN_QUALITY,
  CLEAN_SIGMA,
  EVEN,
  LEAST_TRUST,
  LIGHT_COARSE_SIGMA,
  LIGHT_EVEN,
  LIGHT_QUALITY,
  NOISY_SIGMA,
} from '../../../src/pipeline/steps/gate.ts';
import { GRAIN_ENDS, GRAIN_LEFT } from '../../../src/pipeline/steps/grain.ts';
import {
  SHARP,
  SOFT_CHANGE,
  SOFT_CODED,
  SOFT_ENLARGED,
  SOFT_FINEST,
  SOFT_LATTICE,
  SOFT_LEAST,
  SOFT_TRUST,
} from '../../../src/pipeline/steps/softness.ts';
import { STRONG, TRUST_EVEN, TRUST_FOLLOWS, TRUST_LESS, TRUST_SIZE } from '../../../src/pipeline/steps/trust.ts';
import { UNDERSIZE_QUALITY } from '../../../src/pipeline/steps/undersize.ts';
import {
  NOISE_FOLLOWS,
  NOISE_PART,
  NOISE_SIZE,
  NOISE_SIZE_GREY,
  WEIGH_COARSE_SIGMA,
  WEIGH_EVEN,
  WEIGH_QUALITY,
} from '../../../src/pipeline/steps/weigh.ts';
import { trainingConstants } from '../../support/training-constants.ts';

/** Coarseness of the luma table that libjpeg writes at a quality. */
async function lumaScale(quality: number): Promise<number> {
  const file = await sharp({ create: { width: 64, height: 64, channels: 3, background: 'grey' } })
    .jpeg({ quality })
    .toBuffer();
  const { jpeg } = probeHeader(file);
  return (jpeg && jpegQuality(jpeg)?.lumaScale) ?? Number.NaN;
}

describe('the gate', () => {
  // Figures of training/evaluate.py go through this copy: with other numbers they would be another product's.
  const training = {
    ...trainingConstants('training/analysis.py'),
    ...trainingConstants('training/weigh.py'),
    ...trainingConstants('training/softness.py'),
    ...trainingConstants('training/evaluate.py'),
  };

  const product = {
    ...{ CLEAN_SIGMA, CLEAN_COARSE_SIGMA, CLEAN_EVEN, EVEN, LEAST_TRUST, LIGHT_COARSE_SIGMA, LIGHT_EVEN, LIGHT_QUALITY, NOISY_SIGMA },
    ...{ NOISE_FOLLOWS, NOISE_PART, NOISE_SIZE, NOISE_SIZE_GREY, WEIGH_COARSE_SIGMA, WEIGH_EVEN },
    ...{ GRAIN_ENDS, GRAIN_LEFT },
    ...{ SHARP, SOFT_CHANGE, SOFT_CODED, SOFT_ENLARGED, SOFT_FINEST, SOFT_LATTICE, SOFT_LEAST, SOFT_TRUST, UNDERSIZE_QUALITY },
    ...{ STRONG, TRUST_EVEN, TRUST_FOLLOWS, TRUST_LESS, TRUST_SIZE },
  };

  test('what stands out of blocks by chance is the same in training', () => {
    expect([STANDING_OUT.least, STANDING_OUT.byChance]).toEqual([training.LEAST_STANDING_OUT, training.STANDING_OUT_BY_CHANCE]);
  });

  test.each(Object.entries(product))('%s is the same in training', (name, value) => {
    expect(training[name]).toBe(value);
  });

  test.each([
    ['clean', 'CLEAN_QUALITY_SCALE', CLEAN_QUALITY],
    ['weighed', 'WEIGH_QUALITY_SCALE', WEIGH_QUALITY],
  ])("training's coarsest table that is %s lies between those of the least such quality and the one below", async (_, name, quality) => {
    const coarsest = training[name] as number;
    expect(await lumaScale(quality)).toBeLessThanOrEqual(coarsest);
    expect(await lumaScale(quality - 1)).toBeGreaterThan(coarsest);
  });
});
