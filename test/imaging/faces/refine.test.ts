import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { drawSquare, greyBeyond } from '../../../src/imaging/faces/align.ts';
import type { Candidate } from '../../../src/imaging/faces/face.ts';
import { canBeRefined, jointScore, meanOfBoth, REFINER_SIDE, refinedCandidate, refinerSquare } from '../../../src/imaging/faces/refine.ts';
import { apply, type Point, type Similarity } from '../../../src/imaging/faces/similarity.ts';
import { FACE_TEMPLATE, type FivePoints } from '../../../src/imaging/faces/template.ts';
import { orientSamples } from '../../../src/imaging/orient.ts';

const finite = (min: number, max: number) => fc.double({ min, max, noNaN: true, noDefaultInfinity: true });
/** Where a candidate lies and how it is turned. */
const places = fc.record({ x: finite(-200, 900), y: finite(-200, 900), size: finite(10, 500), angle: finite(-Math.PI, Math.PI) });
type Place = typeof places extends fc.Arbitrary<infer T> ? T : never;

const turnBy = (angle: number, [x, y]: Point): Point => [
  Math.cos(angle) * x - Math.sin(angle) * y,
  Math.sin(angle) * x + Math.cos(angle) * y,
];

/** A candidate whose points are the template's, turned about the middle of its box. */
function candidateAt({ x, y, size, angle }: Place): Candidate {
  const points = FACE_TEMPLATE.map(([u, v]): Point => {
    const [dx, dy] = turnBy(angle, [((u - 256) * size) / 300, ((v - 285) * size) / 300]);
    return [x + dx, y + dy];
  });
  return { left: x - size / 2, top: y - size / 2, width: size, height: size, score: 0.5, points: points as unknown as FivePoints };
}

const near = (one: Point, other: Point, within: number) =>
  expect(Math.hypot(one[0] - other[0], one[1] - other[1])).toBeLessThanOrEqual(within);

describe('the square of a refiner', () => {
  it('has the middle of the box in its middle, one and a half of its sides, and stands as the face does', () => {
    fc.assert(
      fc.property(places, (place) => {
        const square = refinerSquare(candidateAt(place));
        near(apply(square, [40, 40]), [place.x, place.y], 1e-6);
        const [dx, dy] = turnBy(place.angle, [0.75 * place.size, 0]);
        near(apply(square, [80, 40]), [place.x + dx, place.y + dy], 1e-6 * place.size);
        const [ux, uy] = turnBy(place.angle, [0, -0.75 * place.size]);
        near(apply(square, [40, 0]), [place.x + ux, place.y + uy], 1e-6 * place.size);
      }),
    );
  });

  it('is upright where the points are one point or none at all', () => {
    const place = { x: 50, y: 60, size: 40, angle: 1 };
    for (const point of [
      [50, 60],
      [Number.NaN, 3],
      [Number.POSITIVE_INFINITY, 3],
    ] as const) {
      const candidate = { ...candidateAt(place), points: Array.from({ length: 5 }, () => point) as unknown as FivePoints };
      expect(refinerSquare(candidate)).toEqual({ a: 0.75, b: 0, x0: 20, y0: 30 });
    }
  });

  it('shows what the picture has there, however it is turned and shrunk', () => {
    const wave = (x: number, y: number, c: number) => 128 + 55 * Math.sin(x / 23 + c) + 55 * Math.cos(y / 31 + 2 * c);
    const [width, height] = [640, 560];
    const data = Uint8Array.from({ length: width * height * 3 }, (_, i) => {
      const pixel = Math.floor(i / 3);
      return Math.round(wave((pixel % width) + 0.5, Math.floor(pixel / width) + 0.5, i % 3));
    });
    const inside = fc.record({ x: finite(0.2, 0.8), y: finite(0.2, 0.8), size: finite(20, 210), angle: finite(-Math.PI, Math.PI) });
    fc.assert(
      fc.property(inside, ({ x, y, size, angle }) => {
        const square = refinerSquare(candidateAt({ x: x * width, y: y * height, size, angle }));
        const out = new Uint8Array(REFINER_SIDE * REFINER_SIDE * 3);
        drawSquare(out, REFINER_SIDE, { data, width, height }, square);
        greyBeyond(out, REFINER_SIDE, { width, height }, square);
        for (let v = 3; v < REFINER_SIDE; v += 11) {
          for (let u = 2; u < REFINER_SIDE; u += 13) {
            const [px, py] = apply(square, [u + 0.5, v + 0.5]);
            const edge = Math.min(px, py, width - px, height - py);
            const at = (v * REFINER_SIDE + u) * 3;
            if (edge < -1) expect([...out.subarray(at, at + 3)]).toEqual([127, 127, 127]);
            if (edge < 10) continue;
            for (let c = 0; c < 3; c++) expect(Math.abs((out[at + c] as number) - wave(px, py, c))).toBeLessThan(6);
          }
        }
      }),
      { numRuns: 40 },
    );
  });
});

/** What a refiner would say of a face at `truth` that stands in `square`, with an ellipse of these half axes. */
function seenOf(truth: Candidate, angle: number, half: readonly [number, number], square: Similarity): Float32Array {
  const scale = Math.hypot(square.a, square.b);
  const into = ([x, y]: Point): Point => {
    const [dx, dy] = [x - square.x0, y - square.y0];
    return [(dx * square.a + dy * square.b) / scale ** 2, (dy * square.a - dx * square.b) / scale ** 2];
  };
  const centre = into([truth.left + truth.width / 2, truth.top + truth.height / 2]);
  // As directions: half a turn to the left is half a turn to the right.
  expect(square.a / scale).toBeCloseTo(Math.cos(angle), 5);
  expect(square.b / scale).toBeCloseTo(Math.sin(angle), 5);
  return Float32Array.of(0.9, ...centre, (2 * half[0]) / scale, (2 * half[1]) / scale, ...truth.points.flatMap(into));
}

describe('what a refiner says', () => {
  it('comes back into the picture: points where they are, the box round the turned ellipse', () => {
    fc.assert(
      fc.property(places, finite(-0.3, 0.3), finite(-0.3, 0.3), finite(0.7, 1.4), (place, dx, dy, grow) => {
        const candidate = candidateAt(place);
        const truth = candidateAt({ ...place, x: place.x + dx * place.size, y: place.y + dy * place.size, size: place.size * grow });
        const half = [0.4 * truth.width, 0.5 * truth.width] as const;
        const square = refinerSquare(candidate);
        const found = refinedCandidate(square, seenOf(truth, place.angle, half, square));
        if (!found) throw new Error('nothing found');
        const off = 1e-4 * (place.size + 1000);
        found.points.forEach((point, i) => {
          near(point, truth.points[i] as Point, off);
        });
        // Against the ellipse itself, point by point.
        const rim = Array.from({ length: 3600 }, (_, i) =>
          turnBy(place.angle, [half[0] * Math.cos((i * Math.PI) / 1800), half[1] * Math.sin((i * Math.PI) / 1800)]),
        );
        near(
          [found.left + found.width / 2, found.top + found.height / 2],
          [truth.left + truth.width / 2, truth.top + truth.height / 2],
          off,
        );
        expect(Math.abs(found.width / 2 - Math.max(...rim.map(([x]) => x)))).toBeLessThan(off);
        expect(Math.abs(found.height / 2 - Math.max(...rim.map(([, y]) => y)))).toBeLessThan(off);
        expect(found.score).toBeCloseTo(0.9, 5);
      }),
    );
  });

  const square = refinerSquare(candidateAt({ x: 100, y: 100, size: 60, angle: 0.3 }));
  const answer = (change: Record<number, number>) => {
    const seen = Float32Array.of(0.8, 40, 40, 50, 60, ...FACE_TEMPLATE.flat().map((value) => value / 6.4));
    for (const [i, value] of Object.entries(change)) seen[Number(i)] = value;
    return refinedCandidate(square, seen);
  };

  it.each([
    ['a score that is no number', { 0: Number.NaN }],
    ['a point beyond all numbers', { 9: Number.POSITIVE_INFINITY }],
    ['a box without a width', { 3: 0 }],
    ['a box of negative height', { 4: -20 }],
    ['a box of less than a pixel', { 3: 1e-3, 4: 1e-3 }],
  ])('%s is no face', (_, change) => {
    expect(answer({})).toBeDefined();
    expect(answer(change)).toBeUndefined();
  });

  it('scores stay between 0 and 1, and one network alone can refuse', () => {
    expect(answer({ 0: 1.5 })?.score).toBe(1);
    expect(answer({ 0: -0.5 })?.score).toBe(0);
    expect(jointScore(0.9, 0)).toBe(0);
    expect(jointScore(0, 0.9)).toBe(0);
    expect(jointScore(0.64, 0.64)).toBeCloseTo(0.64, 9);
  });
});

describe('a look in the mirror', () => {
  it('shows the square with left and right exchanged, and itself when mirrored again', () => {
    const side = fc.integer({ min: 1, max: 9 });
    const squares = side.chain((n) => fc.tuple(fc.constant(n), fc.uint8Array({ minLength: 3 * n * n, maxLength: 3 * n * n })));
    fc.assert(
      fc.property(squares, ([n, square]) => {
        const once = orientSamples(square, n, n, 3, 2);
        const twice = orientSamples(once, n, n, 3, 2);
        expect(twice).toEqual(square);
        const pixel = (from: Uint8Array, x: number, y: number) => [...from.subarray(3 * (y * n + x), 3 * (y * n + x) + 3)];
        for (let y = 0; y < n; y++) for (let x = 0; x < n; x++) expect(pixel(once, x, y)).toEqual(pixel(square, n - 1 - x, y));
      }),
    );
  });

  it('is averaged with the other: errors to one side cancel, and every point is compared with itself', () => {
    const numbers = fc.array(finite(1, 79), { minLength: 10, maxLength: 10 });
    fc.assert(
      fc.property(numbers, finite(-5, 5), (points, error) => {
        const truth = [0.9, 41, 38, 50, 60, ...points];
        // In the mirror the left eye stands where the right one would be looked for.
        const pairs = [0, 1, 2, 3, 4].map((i) => points.slice(2 * i, 2 * i + 2) as [number, number]);
        const exchanged = [1, 0, 2, 4, 3].flatMap((i) => [REFINER_SIDE - (pairs[i] as Point)[0], (pairs[i] as Point)[1]]);
        const seen = truth.map((value, i) => (i === 1 || (i >= 5 && i % 2 === 1) ? value + error : value));
        const ofMirror = [0.7, REFINER_SIDE - 41, 38, 50, 60, ...exchanged].map((value, i) =>
          i === 1 || (i >= 5 && i % 2 === 1) ? value + error : value,
        );
        const both = meanOfBoth(Float32Array.from(seen), Float32Array.from(ofMirror));
        expect(both[0]).toBeCloseTo(0.8, 4);
        truth.slice(1).forEach((value, i) => {
          expect(both[i + 1]).toBeCloseTo(value, 3);
        });
      }),
    );
  });
});

it('a candidate whose middle is outside, or that is far larger than the picture, cannot be looked at again', () => {
  const picture = { width: 300, height: 200 };
  const at = (x: number, y: number, size: number) => canBeRefined(candidateAt({ x, y, size, angle: 0 }), picture);
  expect([at(5, 5, 60), at(299, 199, 60), at(150, 100, 550)]).toEqual([true, true, true]);
  expect([at(-5, 100, 60), at(150, 205, 60), at(150, 100, 700), at(Number.NaN, 100, 60)]).toEqual([false, false, false, false]);
});
