import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { amountKeepingGrain, grainLost } from '../../../src/imaging/faces/grain.ts';
import { FACE_SIDE } from '../../../src/imaging/faces/template.ts';
import { seeded } from '../../pipeline/pictures.ts';

/** A face of soft shapes with a dark bar for an edge, and grain of this strength in cells of so many px. */
function faceWith(strength: number, cell: number): Uint8Array {
  const random = seeded(3);
  const grain = Float32Array.from({ length: (FACE_SIDE / cell) ** 2 }, () => strength * (random() + random() + random() - 1.5) * 2);
  return Uint8Array.from({ length: FACE_SIDE * FACE_SIDE * 3 }, (_, i) => {
    const [x, y] = [Math.floor(i / 3) % FACE_SIDE, Math.floor(i / 3 / FACE_SIDE)];
    const shape = 130 + 50 * Math.sin(x / 60) + 30 * Math.cos(y / 45) - (Math.abs(y - 240) < 6 ? 60 : 0);
    return Math.round(shape + (grain[Math.floor(y / cell) * (FACE_SIDE / cell) + Math.floor(x / cell)] as number));
  });
}

describe('grainLost', () => {
  const plain = faceWith(0, 2);

  it('is nothing between a face and itself, nor where a network adds some', () => {
    expect(grainLost(plain, plain)).toBe(0);
    expect(grainLost(plain, faceWith(6, 4))).toBe(0);
  });

  it.each([2, 4])('grows with the grain that is taken, in cells of %i px', (cell) => {
    const [little, some, much] = [0.3, 4, 12].map((strength) => grainLost(faceWith(strength, cell), plain)) as [number, number, number];
    expect(little).toBeLessThan(0.4);
    expect(some).toBeGreaterThan(0.8);
    expect(much).toBeGreaterThan(2 * some);
  });

  it('does not take edges and soft shapes for grain', () => {
    const shaded = plain.map((value, i) => Math.round(value * (0.7 + (0.3 * (i % (FACE_SIDE * 3))) / (FACE_SIDE * 3))));
    expect(grainLost(plain, shaded)).toBeLessThan(0.4);
    expect(grainLost(shaded, plain)).toBeLessThan(0.4);
  });
});

it('the amount falls with the grain that would be lost, never to nothing', () => {
  const lost = fc.double({ min: 0, max: 40, noNaN: true });
  fc.assert(
    fc.property(lost, lost, (one, other) => {
      const [more, less] = [Math.min(one, other), Math.max(one, other)].map(amountKeepingGrain) as [number, number];
      expect(more).toBeGreaterThanOrEqual(less);
      expect(less).toBeGreaterThan(0);
      expect(more).toBeLessThanOrEqual(1);
      expect(amountKeepingGrain(0.1)).toBe(1);
    }),
  );
});
