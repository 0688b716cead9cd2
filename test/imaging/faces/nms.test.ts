import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Candidate } from '../../../src/imaging/faces/face.ts';
import { suppress, withoutParts } from '../../../src/imaging/faces/nms.ts';
import type { FivePoints } from '../../../src/imaging/faces/template.ts';

const box = (left: number, top: number, side: number, score: number): Candidate => ({
  ...{ left, top, width: side, height: side, score },
  points: [] as unknown as FivePoints,
});
const head = box(100, 100, 100, 0.99);

describe('parts of a head', () => {
  it.each([
    ['an ear half beside it', box(85, 140, 30, 0.8)],
    ['a hand before it', box(160, 170, 35, 0.9)],
    ['a mouth in it', box(135, 165, 30, 0.7)],
  ])('%s is no face of its own', (_, part) => {
    expect(withoutParts(suppress([head, part]))).toEqual([head]);
  });

  it.each([
    ['a face behind it, nearly as large', box(60, 80, 60, 0.9)],
    ['a small face that it only touches', box(75, 60, 30, 0.9)],
    ['a small face that it hides a fifth of', box(76, 120, 30, 0.9)],
  ])('%s is one', (_, other) => {
    expect(withoutParts(suppress([head, other]))).toEqual([head, other]);
  });

  it('a small face that is the surer one stays, and so does the large one', () => {
    const small = box(85, 140, 30, 0.995);
    expect(withoutParts(suppress([head, small]))).toEqual([small, head]);
  });

  it('nothing is left out but for a surer, larger box that it shares something with', () => {
    const any = fc.record({
      left: fc.integer({ min: 0, max: 300 }),
      top: fc.integer({ min: 0, max: 300 }),
      side: fc.integer({ min: 5, max: 200 }),
      score: fc.double({ min: 0.5, max: 1, noNaN: true }),
    });
    fc.assert(
      fc.property(fc.array(any, { maxLength: 12 }), (drawn) => {
        const all = suppress(drawn.map(({ left, top, side, score }) => box(left, top, side, score)));
        const kept = withoutParts(all);
        for (const gone of all.filter((one) => !kept.includes(one))) {
          const owner = all.find(
            (one) =>
              one.score >= gone.score &&
              one.width * 0.4 > gone.width &&
              one.left < gone.left + gone.width &&
              gone.left < one.left + one.width &&
              one.top < gone.top + gone.height &&
              gone.top < one.top + one.height,
          );
          expect(owner).toBeDefined();
        }
      }),
    );
  });
});
