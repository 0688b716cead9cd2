import { describe, expect, it } from 'vitest';
import { matchColours, slowChange } from '../../../src/imaging/faces/colour-match.ts';
import { colourShift, guardProblem, pointsMoved, structureLikeness } from '../../../src/imaging/faces/guard.ts';
import { FACE_SIDE, FACE_TEMPLATE } from '../../../src/imaging/faces/template.ts';

/** An aligned picture as a function of the place. */
const faceOf = (at: (u: number, v: number, c: number) => number) =>
  Uint8Array.from({ length: FACE_SIDE * FACE_SIDE * 3 }, (_, i) => {
    const pixel = Math.floor(i / 3);
    return Math.min(255, Math.max(0, Math.round(at(pixel % FACE_SIDE, Math.floor(pixel / FACE_SIDE), i % 3))));
  });
const blobs = (dx = 0) =>
  faceOf((u, v) => 120 + FACE_TEMPLATE.reduce((sum, [x, y]) => sum - 80 * Math.exp(-((u - x - dx) ** 2 + (v - y) ** 2) / 900), 0));
const minus = (one: Uint8Array, other: Uint8Array) => Float32Array.from(one, (value, i) => value - (other[i] as number));

describe('structureLikeness', () => {
  const face = blobs();
  it('is 1 for the same face, and nearly so with noise, or when it was sharpened', () => {
    expect(structureLikeness(face, face)).toBeCloseTo(1, 6);
    expect(
      structureLikeness(
        face,
        faceOf((u, v, c) => (face[(v * FACE_SIDE + u) * 3 + c] as number) + ((u * 7 + v * 13) % 31) - 15),
      ),
    ).toBeGreaterThan(0.9);
  });
  it('falls when features move or go', () => {
    const [near, far] = [structureLikeness(face, blobs(6)), structureLikeness(face, blobs(40))];
    expect(near).toBeLessThan(1);
    expect(far).toBeLessThan(near);
    expect(guardProblem({ colour: 0, structure: far })).toMatch(/structure changed \(likeness 0\.\d\d\)/);
    expect(
      guardProblem({
        colour: 0,
        structure: structureLikeness(
          face,
          faceOf(() => 120),
        ),
      }),
    ).toMatch(/structure changed/);
  });
});

describe('colours', () => {
  const face = blobs();
  it('a cast is a shift, detail is none', () => {
    const cast = faceOf((u, v, c) => (face[(v * FACE_SIDE + u) * 3 + c] as number) + (c === 0 ? 25 : 0));
    expect(colourShift(slowChange(minus(cast, face)))).toBeCloseTo(25, 0);
    expect(guardProblem({ colour: 25, structure: 1 })).toBe('its colour moved by 25.0');
    const fine = faceOf((u, v, c) => (face[(v * FACE_SIDE + u) * 3 + c] as number) + ((u + v) % 2 === 0 ? 20 : -20));
    expect(colourShift(slowChange(minus(fine, face)))).toBeLessThan(0.5);
  });

  it('matching takes out a shift and a slow gradient, and leaves detail', () => {
    const detail = (i: number) => ((Math.floor(i / 3) + Math.floor(i / 3 / FACE_SIDE)) % 2 === 0 ? 12 : -12);
    const change = Float32Array.from(
      { length: FACE_SIDE * FACE_SIDE * 3 },
      (_, i) => 9 + ((Math.floor(i / 3) % FACE_SIDE) - 256) * 0.02 + detail(i),
    );
    matchColours(change, slowChange(change));
    const inner = change.filter((_, i) => Math.abs((Math.floor(i / 3) % FACE_SIDE) - 256) < 150);
    const offsets = Float32Array.from({ length: 3000 }, (_, i) => inner[i * 97] as number);
    const places = Float32Array.from({ length: 3000 }, (_, i) => Math.abs(Math.abs(offsets[i] as number) - 12));
    expect(places.reduce((most, value) => Math.max(most, value), 0)).toBeLessThan(0.2);
  });
});

describe('pointsMoved', () => {
  it('is the mean way in distances of the eyes', () => {
    expect(pointsMoved(FACE_TEMPLATE, FACE_TEMPLATE)).toBe(0);
    const moved = pointsMoved(
      FACE_TEMPLATE,
      FACE_TEMPLATE.map(([x, y]) => [x + 12.592, y] as const),
    );
    expect(moved).toBeCloseTo(0.1, 6);
    expect(guardProblem({ colour: 0, structure: 1, points: 0.5 })).toMatch(/features moved by 50 %/);
    expect(guardProblem({ colour: 0, structure: 1, points: 0 })).toBeUndefined();
  });
});
