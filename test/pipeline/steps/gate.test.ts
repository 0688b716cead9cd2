import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import sharp from 'sharp';
import { describe, expect, test } from 'vitest';
import { probeHeader } from '../../../src/imaging/header.ts';
import { jpegQuality } from '../../../src/imaging/jpeg-quality.ts';
import {
  BLOCKS_SEEN,
  CLEAN_COARSE_SIGMA,
  CLEAN_QUALITY,
  CLEAN_SIGMA,
  EVEN,
  LEAST_TRUST,
  NOISY_SIGMA,
} from '../../../src/pipeline/steps/gate.ts';

/** The numbers that a Python file assigns to names in capitals, one or several to a line. */
function constants(file: string): Record<string, number> {
  const text = readFileSync(join(import.meta.dirname, '..', '..', '..', file), 'utf8');
  const found: Record<string, number> = {};
  for (const [, names = '', values = ''] of text.matchAll(/^([A-Z_]+(?:, [A-Z_]+)*) = ([\d., ]+)(?:\s+#.*)?$/gm)) {
    const numbers = values.split(',').map(Number);
    for (const [i, name] of names.split(', ').entries()) found[name] = numbers[i] as number;
  }
  return found;
}

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
  const training = constants('training/analysis.py');

  const product = { CLEAN_SIGMA, CLEAN_COARSE_SIGMA, EVEN, LEAST_TRUST, BLOCKS_SEEN, NOISY_SIGMA };

  test.each(Object.entries(product))('%s is the same in training', (name, value) => {
    expect(training[name]).toBe(value);
  });

  test("training's coarsest clean table lies between those of the least clean quality and the one below", async () => {
    const coarsest = training.CLEAN_QUALITY_SCALE as number;
    expect(await lumaScale(CLEAN_QUALITY)).toBeLessThanOrEqual(coarsest);
    expect(await lumaScale(CLEAN_QUALITY - 1)).toBeGreaterThan(coarsest);
  });
});
