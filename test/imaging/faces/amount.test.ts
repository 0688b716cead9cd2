import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { faceAmount } from '../../../src/imaging/faces/amount.ts';

const noises = fc.double({ min: 0, max: 60, noNaN: true });
const blurs = fc.double({ min: 0, max: 1, noNaN: true });

describe('faceAmount', () => {
  it('lies between a part and the whole, and never falls with blur', () => {
    fc.assert(
      fc.property(noises, blurs, blurs, fc.boolean(), (noise, one, other, compressed) => {
        const [less, more] = [Math.min(one, other), Math.max(one, other)].map((blur) => faceAmount({ noise, blur }, compressed));
        expect(less).toBeGreaterThan(0);
        expect(more).toBeGreaterThanOrEqual(less as number);
        expect(more).toBeLessThanOrEqual(1);
      }),
    );
  });

  it('has no step along the blur', () => {
    fc.assert(
      fc.property(noises, blurs, fc.boolean(), (noise, blur, compressed) => {
        const [here, beside] = [blur, blur + 1e-4].map((each) => faceAmount({ noise, blur: each }, compressed)) as [number, number];
        expect(Math.abs(here - beside)).toBeLessThan(1e-2);
      }),
    );
  });

  it.each<[string, number, number, boolean, (amount: number) => boolean]>([
    ['sharp and only compressed: a part', 0.3, 0.45, true, (amount) => amount < 0.5],
    ['blurred and compressed: all', 0.3, 0.7, true, (amount) => amount === 1],
    ['blurred: all', 0.3, 0.7, false, (amount) => amount === 1],
    ['noise that compression has eaten into: all', 5, 0.2, true, (amount) => amount === 1],
    ['noise alone, which the general network knows: about half', 22, 0.14, false, (amount) => amount > 0.4 && amount < 0.8],
  ])('%s', (_, noise, blur, compressed, holds) => {
    expect(holds(faceAmount({ noise, blur }, compressed))).toBe(true);
  });
});
