import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { givenFace } from '../../../src/imaging/faces/given.ts';
import { distance, type Point } from '../../../src/imaging/faces/similarity.ts';
import { FACE_TEMPLATE } from '../../../src/imaging/faces/template.ts';

/** A face somewhere in a picture, upright enough that two eyes alone are not taken for a box. */
const face = fc
  .record({
    scale: fc.double({ min: 0.1, max: 4, noNaN: true }),
    angle: fc.double({ min: -0.4, max: 0.4, noNaN: true }),
    x: fc.double({ min: 0, max: 3000, noNaN: true }),
    y: fc.double({ min: 0, max: 3000, noNaN: true }),
  })
  .map(({ scale, angle, x, y }) => {
    const [a, b] = [scale * Math.cos(angle), scale * Math.sin(angle)];
    return FACE_TEMPLATE.map(([u, v]): Point => [x + a * u - b * v, y + b * u + a * v]);
  });
const [left, right, nose, leftMouth, rightMouth] = [0, 1, 2, 3, 4];
const pick = (points: readonly Point[], indices: readonly (number | undefined)[]) => indices.map((i) => points[i as number] as Point);

/** Five features at these numbers of a longer list, the rest around the face. */
function among(count: number, places: Readonly<Record<number, number>>) {
  return (points: readonly Point[]): Point[] =>
    Array.from({ length: count }, (_, i) => {
      const feature = places[i];
      const [x, y] = points[2] as Point;
      return feature === undefined ? [x + 90 * Math.cos(i), y + 90 * Math.sin(i)] : (points[feature] as Point);
    });
}
const range = (from: number, to: number, feature: number) =>
  Object.fromEntries(Array.from({ length: to - from }, (_, i) => [from + i, feature]));

describe('givenFace', () => {
  it.each<[string, (points: readonly Point[]) => Point[]]>([
    ['five points', (points) => [...points]],
    ['five points in the order of the person', (points) => pick(points, [right, left, nose, rightMouth, leftMouth])],
    ['both eyes', (points) => pick(points, [left, right])],
    ['both eyes, the other first', (points) => pick(points, [right, left])],
    ['eyes and nose', (points) => pick(points, [left, right, nose])],
    ['eyes and mouth corners', (points) => pick(points, [left, right, leftMouth, rightMouth])],
    ['68 points', among(68, { ...range(36, 42, 0), ...range(42, 48, 1), 30: 2, 48: 3, 54: 4 })],
    ['106 points', among(106, { ...range(52, 58, 0), ...range(58, 64, 1), 46: 2, 84: 3, 90: 4 })],
    ['106 points of the other numbering', among(106, { ...range(33, 43, 0), ...range(87, 97, 1), 86: 2, 52: 3, 61: 4 })],
  ])('%s give the face', (_, known) => {
    fc.assert(
      fc.property(face, (points) => {
        const found = givenFace(known(points));
        const scale = distance(points[0] as Point, points[1] as Point) / 126;
        if (!('points' in found)) throw new Error('only a box');
        for (const [i, point] of found.points.entries()) expect(distance(point, points[i] as Point)).toBeLessThan(scale + 1e-6);
        expect(found.box[2]).toBeCloseTo(300 * scale, -1);
        const eyes = (found.points[0][0] + found.points[1][0]) / 2;
        expect(eyes > found.box[0] && eyes < found.box[0] + found.box[2]).toBe(true);
      }),
      { numRuns: 50 },
    );
  });

  it.each<[string, Point[], [number, number, number]]>([
    [
      'two corners of a box',
      [
        [10, 20],
        [70, 100],
      ],
      [0, 20, 80],
    ],
    [
      'the other two corners',
      [
        [70, 20],
        [10, 100],
      ],
      [0, 20, 80],
    ],
    [
      '118 points, whose order is not known',
      Array.from({ length: 118 }, (_, i): Point => [50 + 30 * Math.cos(i), 60 + 40 * Math.sin(i)]),
      [10, 20, 80],
    ],
    [
      '106 points that form no face',
      Array.from({ length: 106 }, (_, i): Point => [50 + 30 * Math.cos(i), 60 + 40 * Math.sin(i)]),
      [10, 20, 80],
    ],
    [
      'two points in one place',
      [
        [5, 5],
        [5, 5],
      ],
      [5, 5, 0],
    ],
  ])('%s are a box to look into', (_, points, box) => {
    const found = givenFace(points);
    expect(found).not.toHaveProperty('points');
    for (const [i, value] of found.box.entries()) expect(Math.abs(value - (box[i] as number))).toBeLessThan(0.5);
  });
});
