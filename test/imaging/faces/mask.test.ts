import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { blendFace } from '../../../src/imaging/faces/blend.ts';
import { faceMask, maskBounds, shareInside } from '../../../src/imaging/faces/mask.ts';
import { apply, type Similarity } from '../../../src/imaging/faces/similarity.ts';
import { FACE_SIDE, FACE_TEMPLATE } from '../../../src/imaging/faces/template.ts';

const at = (scale: number, degrees: number, x: number, y: number): Similarity => {
  const angle = (degrees * Math.PI) / 180;
  const [a, b] = [scale * Math.cos(angle), scale * Math.sin(angle)];
  return { a, b, x0: 256 - (a * x - b * y), y0: 270 - (b * x + a * y) };
};

describe('faceMask', () => {
  it('is 1 on all features, 0 on the border of the aligned face and beyond', () => {
    for (const [u, v] of FACE_TEMPLATE) expect(faceMask(u, v)).toBe(1);
    for (let i = 0; i <= FACE_SIDE; i++)
      for (const [u, v] of [
        [i, 0],
        [i, FACE_SIDE],
        [0, i],
        [FACE_SIDE, i],
        [-50, i],
      ] as const)
        expect(faceMask(u, v)).toBe(0);
  });

  it('falls steadily from the middle outwards and never steeply', () => {
    fc.assert(
      fc.property(fc.double({ min: 0, max: 2 * Math.PI, noNaN: true }), (angle) => {
        let before = 1;
        for (let r = 0; r < 260; r++) {
          const mask = faceMask(256 + r * Math.cos(angle), 270 + r * Math.sin(angle));
          expect(mask).toBeLessThanOrEqual(before + 1e-9);
          expect(before - mask).toBeLessThan(0.04);
          before = mask;
        }
      }),
    );
  });

  it('its bounds in the picture leave nothing out', () => {
    const places = fc.tuple(fc.double({ min: 0.3, max: 4, noNaN: true }), fc.integer({ min: -180, max: 180 }), fc.nat(300), fc.nat(200));
    fc.assert(
      fc.property(places, ([scale, degrees, x, y]) => {
        const toFace = at(scale, degrees, x, y);
        const [left, top, right, bottom] = maskBounds(toFace, 300, 200);
        for (let j = 0; j < 200; j += 3) {
          for (let i = 0; i < 300; i += 3) {
            if (i >= left && i < right && j >= top && j < bottom) continue;
            const [u, v] = apply(toFace, [i + 0.5, j + 0.5]);
            if (faceMask(u, v) !== 0) throw new Error(`mask outside its bounds at ${i}, ${j}`);
          }
        }
      }),
      { numRuns: 40 },
    );
  });

  it('knows how much of a face a border cuts off', () => {
    expect(shareInside(at(1, 0, 300, 300), 600, 600)).toBe(1);
    expect(shareInside(at(1, 0, 0, 300), 600, 600)).toBeCloseTo(0.5, 1);
    expect(shareInside(at(1, 30, -400, 300), 600, 600)).toBe(0);
  });
});

const WIDTH = 130;
const HEIGHT = 110;
const GREY = 100;
const CHANGE = 60;
const flat = new Float32Array(FACE_SIDE * FACE_SIDE * 3).fill(CHANGE);

/** Each pixel's share of the change after all faces were blended, in this order. */
function shares(faces: readonly Similarity[], amount = 1): Float32Array {
  const rgb = new Uint8Array(WIDTH * HEIGHT * 3).fill(GREY);
  faces.forEach((toFace, i) => {
    blendFace(rgb, WIDTH, HEIGHT, { change: flat, toFace, amount }, [...faces.slice(0, i), ...faces.slice(i + 1)]);
  });
  return Float32Array.from({ length: WIDTH * HEIGHT }, (_, i) => ((rgb[i * 3] as number) - GREY) / CHANGE);
}

describe('blendFace', () => {
  it('one face: the mask times the amount, exactly', () => {
    for (const amount of [1, 0.5, 0.2]) {
      const toFace = at(4.3, 20, 60, 50);
      const found = shares([toFace], amount);
      const off = found.map((share, i) => {
        const [u, v] = apply(toFace, [(i % WIDTH) + 0.5, Math.floor(i / WIDTH) + 0.5]);
        return Math.abs(share - amount * faceMask(u, v));
      });
      expect(Math.max(...off)).toBeLessThan(0.51 / CHANGE);
    }
  });

  it('overlapping faces share each pixel: together the sum of the masks, at most 1, in any order', () => {
    const face = fc.tuple(fc.double({ min: 4, max: 9, noNaN: true }), fc.integer({ min: -60, max: 60 }), fc.nat(WIDTH), fc.nat(HEIGHT));
    fc.assert(
      fc.property(fc.array(face, { minLength: 2, maxLength: 3 }), fc.constantFrom(1, 0.6), (places, amount) => {
        const faces = places.map((place) => at(...place));
        const forth = shares(faces, amount);
        const back = shares([...faces].reverse(), amount);
        forth.forEach((share, i) => {
          if (i % 7 !== 0) return;
          const place = [(i % WIDTH) + 0.5, Math.floor(i / WIDTH) + 0.5] as const;
          const sum = faces.reduce((total, toFace) => total + faceMask(...apply(toFace, place)), 0);
          expect(Math.abs(share - amount * Math.min(1, sum))).toBeLessThan(1.6 / CHANGE);
          expect(Math.abs(share - (back[i] as number))).toBeLessThan(3.1 / CHANGE);
        });
      }),
      { numRuns: 40 },
    );
  });
});
