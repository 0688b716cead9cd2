import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { facePointsOf } from '../../../src/server/dialect/face-points.ts';

const points = (count: number, at = 0) => Array.from({ length: count }, (_, i): [number, number] => [at + i, at + 2 * i]);

describe('face points', () => {
  test.each([5, 68, 106, 118])('%i points per face: pairs, objects, flat', (count) => {
    const face = points(count);
    expect(facePointsOf({ landmarks: [face] })).toEqual([face]);
    expect(facePointsOf({ faces: [{ points: face.map(([x, y]) => ({ x, y })) }] })).toEqual([face]);
    expect(facePointsOf({ face_points: [face.flat()] })).toEqual([face]);
    expect(facePointsOf(face)).toEqual([face]);
  });

  test('several faces keep their order', () => {
    const faces = [points(5, 0), points(5, 100), points(68, 200)];
    expect(facePointsOf({ media_info: { face: faces } })).toEqual(faces);
  });

  test('boxes become two corners', () => {
    const corners = [
      [
        [10, 20],
        [40, 60],
      ],
    ];
    expect(facePointsOf({ faces: [{ box: [10, 20, 30, 40] }] })).toEqual(corners);
    expect(facePointsOf({ faces: [{ left: 10, top: 20, width: 30, height: 40 }] })).toEqual(corners);
    expect(facePointsOf([{ face_rectangle: { left: 10, top: 20, right: 40, bottom: 60 } }])).toEqual(corners);
    expect(facePointsOf({ faces: [{ bbox: [10, 20, 30] }] })).toEqual([
      [
        [10, 20],
        [40, 50],
      ],
    ]);
  });

  test('our own report can be sent back: points win over the box', () => {
    const face = { box: [1, 2, 30], score: 0.9, points: points(5), action: 'restored' };
    expect(facePointsOf({ report: { faces: [face] } })).toEqual([points(5)]);
  });

  test.each([
    ['absent', undefined],
    ['null', null],
    ['empty object', {}],
    ['empty array', []],
    ['text', 'faces'],
    ['number', 5],
    ['four points', { points: points(4) }],
    ['texts for numbers', { points: points(5).map(([x, y]) => [String(x), String(y)]) }],
    ['not finite', { points: [[Number.NaN, 1], ...points(4)] }],
    ['beyond any picture', { points: [[1e9, 1], ...points(4)] }],
    ['a box without extent', { box: [1, 1, 0, 5] }],
    ['a box turned over', { left: 10, top: 10, right: 5, bottom: 20 }],
    ['too deep', { a: { b: { c: { d: { e: { f: { points: points(5) } } } } } } }],
  ])('%s: nothing usable', (_name, extra) => {
    expect(facePointsOf(extra)).toBeUndefined();
  });

  test('a hundred faces at most', () => {
    expect(facePointsOf({ faces: Array.from({ length: 500 }, () => points(5)) })?.length).toBe(100);
  });

  test('any JSON gives faces of at least two finite points, or nothing', () => {
    fc.assert(
      fc.property(fc.jsonValue({ maxDepth: 6 }), (extra) => {
        for (const face of facePointsOf(extra) ?? []) {
          expect(face.length).toBeGreaterThanOrEqual(2);
          for (const point of face) expect(point.every(Number.isFinite) && point.length === 2).toBe(true);
        }
      }),
      { numRuns: 1000 },
    );
  });
});
