import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { enlarge } from '../../src/imaging/enlarge.ts';

const sinc = (x: number) => (x === 0 ? 1 : Math.sin(Math.PI * x) / (Math.PI * x));
const kernel = (x: number) => (Math.abs(x) < 3 ? sinc(x) * sinc(x / 3) : 0);

/** The definition, one sample at a time: a normalised sum over all source samples, edges repeated. */
function reference(samples: ArrayLike<number>, width: number, height: number, x: number, y: number, factor: number, full: number): number {
  const [sourceX, sourceY] = [(x + 0.5) / factor - 0.5, (y + 0.5) / factor - 0.5];
  let [sum, weights] = [0, 0];
  for (let v = Math.floor(sourceY) - 3; v <= sourceY + 4; v++) {
    for (let u = Math.floor(sourceX) - 3; u <= sourceX + 4; u++) {
      const weight = kernel(sourceX - u) * kernel(sourceY - v);
      const at = Math.min(height - 1, Math.max(0, v)) * width + Math.min(width - 1, Math.max(0, u));
      sum += weight * (samples[at] as number);
      weights += weight;
    }
  }
  return Math.min(full, Math.max(0, sum / weights));
}

describe('enlarge', () => {
  it.each([
    [Uint8Array, 255],
    [Uint16Array, 65_535],
  ] as const)('is the Lanczos-3 sum of its definition: %o', (Samples, full) => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 12 }),
        fc.integer({ min: 1, max: 12 }),
        fc.constantFrom(2, 4),
        fc.infiniteStream(fc.nat(full)),
        (width, height, factor, stream) => {
          const samples = new Samples(width * height).map(() => stream.next().value);
          const large = enlarge(samples, width, height, 1, factor);
          expect(large.length).toBe(samples.length * factor ** 2);
          large.forEach((value, i) => {
            const expected = reference(samples, width, height, i % (width * factor), Math.floor(i / (width * factor)), factor, full);
            expect(Math.abs(value - expected)).toBeLessThan(0.51 + full * 1e-6);
          });
        },
      ),
      { numRuns: 60, seed: 1 },
    );
  });

  it('keeps channels apart, and a flat picture flat', () => {
    const flat = Uint8Array.from({ length: 9 * 7 * 3 }, (_, i) => [10, 128, 255][i % 3] as number);
    enlarge(flat, 9, 7, 3, 4).forEach((value, i) => {
      expect(value).toBe([10, 128, 255][i % 3]);
    });
  });
});
