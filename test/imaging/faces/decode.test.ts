import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type DetectorFamily, type DetectorOutput, decodeDetections } from '../../../src/imaging/faces/decode.ts';
import { type Candidate, squared } from '../../../src/imaging/faces/face.ts';
import { suppress } from '../../../src/imaging/faces/nms.ts';
import type { FivePoints } from '../../../src/imaging/faces/template.ts';

const [WIDTH, HEIGHT] = [160, 96];
const POINTS = [
  [3, 5],
  [9, 5],
  [6, 9],
  [4, 12],
  [8, 12],
] as const;

/** All outputs of a family, empty but for one face written into one cell of one stride. */
function outputsOf(family: DetectorFamily, stride: number, column: number, row: number, face: Candidate): DetectorOutput[] {
  const centre = [face.left + face.width / 2, face.top + face.height / 2] as const;
  const anchor = family === 'mingxi' ? 0.5 : 0;
  const [x, y] = [(column + anchor) * stride, (row + anchor) * stride];
  const middle = [(centre[0] - x) / stride, (centre[1] - y) / stride];
  const sides = [Math.log(face.width / stride), Math.log(face.height / stride)];
  const points = face.points.flatMap(([u, v]) => [(u - x) / stride, (v - y) / stride]);
  const edges = [x - face.left, y - face.top, face.left + face.width - x, face.top + face.height - y].map((value) => value / stride);
  const anchors = family === 'scrfd' ? 2 : 1;
  const parts = {
    mingxi: [[face.score, ...middle, ...sides, ...points]],
    yunet: [[face.score], [face.score], [...middle, ...sides], points],
    scrfd: [[face.score], edges, points],
  }[family];
  return [8, 16, 32].flatMap((each) =>
    parts.map((values) => {
      const columns = WIDTH / each;
      const data = new Float32Array(columns * (HEIGHT / each) * anchors * values.length);
      if (each === stride) data.set(values, (row * columns + column) * anchors * values.length);
      return { data, channels: values.length };
    }),
  );
}

describe('decodeDetections', () => {
  it.each(['mingxi', 'yunet', 'scrfd'] as const)('%s: a face comes back from any cell of any stride', (family) => {
    const cell = fc
      .constantFrom(8, 16, 32)
      .chain((stride) => fc.record({ stride: fc.constant(stride), column: fc.nat(WIDTH / stride - 1), row: fc.nat(HEIGHT / stride - 1) }));
    const side = fc.double({ min: 5, max: 90, noNaN: true });
    fc.assert(
      fc.property(cell, side, side, fc.double({ min: 0.5, max: 1, noNaN: true }), ({ stride, column, row }, width, height, score) => {
        const [left, top] = [column * stride - width / 3, row * stride - height / 2];
        const points = POINTS.map(([x, y]) => [left + x, top + y]) as unknown as FivePoints;
        const found = decodeDetections(
          family,
          outputsOf(family, stride, column, row, { left, top, width, height, score, points }),
          WIDTH,
          HEIGHT,
          0.4,
        );
        expect(found).toHaveLength(1);
        for (const [name, value] of Object.entries({ left, top, width, height, score }))
          expect(found[0]?.[name as 'left']).toBeCloseTo(value, 3);
        for (const [i, value] of (found[0]?.points.flat() ?? []).entries()) expect(value).toBeCloseTo(points.flat()[i] as number, 3);
      }),
      { numRuns: 40 },
    );
  });

  it('what scores less, is no number or has no size is nothing', () => {
    const face = { left: 4, top: 4, width: 30, height: 30, score: 0.7, points: POINTS as unknown as FivePoints };
    const count = (changes: Partial<Candidate>, least = 0.6) =>
      decodeDetections('mingxi', outputsOf('mingxi', 8, 2, 2, { ...face, ...changes }), WIDTH, HEIGHT, least).length;
    expect(count({})).toBe(1);
    expect(count({ score: 0.5 })).toBe(0);
    expect(count({ score: Number.NaN })).toBe(0);
    expect(count({ width: 0.1 })).toBe(0);
    expect(count({ width: Number.POSITIVE_INFINITY })).toBe(0);
  });

  it('outputs of another family are no faces', () => {
    const face = { left: 4, top: 4, width: 30, height: 30, score: 1, points: POINTS as unknown as FivePoints };
    expect(decodeDetections('yunet', outputsOf('scrfd', 8, 2, 2, face), WIDTH, HEIGHT, 0.5)).toEqual([]);
  });
});

describe('suppress', () => {
  const box = fc.record({
    left: fc.integer({ min: 0, max: 60 }),
    top: fc.integer({ min: 0, max: 60 }),
    width: fc.integer({ min: 5, max: 40 }),
    height: fc.integer({ min: 5, max: 40 }),
    score: fc.double({ min: 0, max: 1, noNaN: true }),
  });
  const boxes = fc
    .array(box, { maxLength: 30 })
    .map((list) => list.map((each): Candidate => ({ ...each, points: POINTS as unknown as FivePoints })));
  const overlap = (one: Candidate, other: Candidate) => {
    const width = Math.min(one.left + one.width, other.left + other.width) - Math.max(one.left, other.left);
    const height = Math.min(one.top + one.height, other.top + other.height) - Math.max(one.top, other.top);
    const shared = width > 0 && height > 0 ? width * height : 0;
    const [a, b] = [one.width * one.height, other.width * other.height];
    return Math.max(shared / (a + b - shared) / 0.4, shared / b / 0.85);
  };

  it('keeps the best of each face: none overlaps a better one, and each that is gone did', () => {
    fc.assert(
      fc.property(boxes, (all) => {
        const kept = suppress(all);
        for (const [i, one] of kept.entries()) for (const other of kept.slice(i + 1)) expect(overlap(one, other)).toBeLessThanOrEqual(1);
        for (const gone of all.filter((each) => !kept.includes(each)))
          expect(kept.some((better) => better.score >= gone.score && overlap(better, gone) > 1)).toBe(true);
      }),
    );
  });

  it('the order of the boxes does not matter', () => {
    const different = boxes.filter((all) => new Set(all.map(({ score }) => score)).size === all.length);
    fc.assert(
      fc.property(different, (all) => {
        expect(suppress([...all].reverse())).toEqual(suppress(all));
      }),
    );
  });

  it('a box becomes the square of its area round its middle', () => {
    expect(squared({ left: 10, top: 20, width: 40, height: 90 })).toEqual([0, 35, 60]);
  });
});
