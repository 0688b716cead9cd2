import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  apply,
  compose,
  distance,
  fitSimilarity,
  inverse,
  misfit,
  type Point,
  type Similarity,
  scaleOf,
} from '../../../src/imaging/faces/similarity.ts';
import { FACE_TEMPLATE, type FivePoints, toTemplate } from '../../../src/imaging/faces/template.ts';

const number = (min: number, max: number) => fc.double({ min, max, noNaN: true });
const similarity = fc
  .record({ scale: number(0.05, 20), angle: number(-Math.PI, Math.PI), x: number(-4000, 4000), y: number(-4000, 4000) })
  .map(({ scale, angle, x, y }): Similarity => ({ a: scale * Math.cos(angle), b: scale * Math.sin(angle), x0: x, y0: y }));
const point = fc.tuple(number(-4000, 4000), number(-4000, 4000));

describe('similarities', () => {
  it('a mapping and its inverse are the identity', () => {
    fc.assert(
      fc.property(similarity, point, (map, place) => {
        expect(distance(apply(inverse(map), apply(map, place)), place)).toBeLessThan(1e-6);
        expect(scaleOf(map) * scaleOf(inverse(map))).toBeCloseTo(1, 9);
      }),
    );
  });

  it('compose is one after the other', () => {
    fc.assert(
      fc.property(similarity, similarity, point, (one, two, place) => {
        expect(distance(apply(compose(one, two), place), apply(two, apply(one, place)))).toBeLessThan(1e-5);
      }),
    );
  });

  it('the mapping of any face is recovered from its five points', () => {
    fc.assert(
      fc.property(similarity, (map) => {
        const points = FACE_TEMPLATE.map((each) => apply(map, each)) as unknown as FivePoints;
        const found = toTemplate(points);
        expect(found && misfit(found, points, FACE_TEMPLATE)).toBeLessThan(1e-6);
        expect(found && scaleOf(found) * scaleOf(map)).toBeCloseTo(1, 9);
      }),
    );
  });

  it('no other similarity fits points with errors better', () => {
    const errors = fc.array(fc.tuple(number(-20, 20), number(-20, 20)), { minLength: 5, maxLength: 5 });
    const step = fc.record({ a: number(-0.05, 0.05), b: number(-0.05, 0.05), x0: number(-5, 5), y0: number(-5, 5) });
    fc.assert(
      fc.property(errors, step, (off, by) => {
        const points = FACE_TEMPLATE.map(([x, y], i): Point => [x + (off[i]?.[0] ?? 0), y + (off[i]?.[1] ?? 0)]);
        const best = fitSimilarity(points, FACE_TEMPLATE) as Similarity;
        const other = { a: best.a + by.a, b: best.b + by.b, x0: best.x0 + by.x0, y0: best.y0 + by.y0 };
        expect(misfit(best, points, FACE_TEMPLATE)).toBeLessThanOrEqual(misfit(other, points, FACE_TEMPLATE) + 1e-9);
      }),
    );
  });

  it.each<[string, Point[]]>([
    ['none', []],
    ['one point', [[3, 4]]],
    ['one place five times', Array.from({ length: 5 }, (): Point => [3, 4])],
  ])('%s have no mapping', (_, points) => {
    expect(fitSimilarity(points, FACE_TEMPLATE.slice(0, points.length))).toBeUndefined();
  });
});
