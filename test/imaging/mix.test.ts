import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { mixInto } from '../../src/imaging/mix.ts';

const pair = fc
  .nat({ max: 60 })
  .chain((n) => fc.tuple(fc.uint8Array({ minLength: n, maxLength: n }), fc.uint8Array({ minLength: n, maxLength: n })));

describe('a result mixed with its source', () => {
  it('has this share of the change, to the nearest level', () => {
    fc.assert(
      fc.property(pair, fc.double({ min: 0, max: 1, noNaN: true }), ([source, result], share) => {
        const mixed = result.slice();
        mixInto(mixed, source, share);
        for (const [i, value] of mixed.entries()) {
          const [from, to] = [source[i] as number, result[i] as number];
          expect(Math.abs(value - (from + share * (to - from)))).toBeLessThanOrEqual(0.5);
          expect(value).toBeGreaterThanOrEqual(Math.min(from, to));
          expect(value).toBeLessThanOrEqual(Math.max(from, to));
        }
      }),
    );
  });

  it('rounds halves up, whichever way the change goes', () => {
    const mixed = Uint8Array.of(11, 9, 255, 0);
    mixInto(mixed, Uint8Array.of(10, 10, 0, 255), 0.5);
    expect([...mixed]).toEqual([11, 10, 128, 128]);
  });

  it('is the result itself with all of it, also beside a source of another size', () => {
    const result = Uint8Array.of(1, 2, 3, 4);
    mixInto(result, Uint8Array.of(9), 1);
    expect([...result]).toEqual([1, 2, 3, 4]);
  });
});
