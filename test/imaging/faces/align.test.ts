import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { alignFace } from '../../../src/imaging/faces/align.ts';
import { apply, inverse, type Similarity } from '../../../src/imaging/faces/similarity.ts';
import { FACE_SIDE } from '../../../src/imaging/faces/template.ts';

/** A picture that is a smooth function of the place, so that any resampling of it is known. */
function wavesOf(width: number, height: number, period: number) {
  const at = (x: number, y: number, c: number) =>
    128 + 50 * Math.sin((2 * Math.PI * x) / period + c) + 50 * Math.cos((2 * Math.PI * y) / (period * 1.3) + 2 * c);
  const rgb = new Uint8Array(width * height * 3);
  for (let i = 0; i < rgb.length; i++) {
    const pixel = Math.floor(i / 3);
    rgb[i] = Math.round(at((pixel % width) + 0.5, Math.floor(pixel / width) + 0.5, i % 3));
  }
  return { rgb, at };
}

/** Coordinates mirrored at the picture's edges, as the aligned face continues beyond them. */
const mirror = (x: number, length: number) => {
  const folded = (((x - 0.5) % (2 * (length - 1))) + 2 * (length - 1)) % (2 * (length - 1));
  return 0.5 + (folded <= length - 1 ? folded : 2 * (length - 1) - folded);
};

/** Largest difference between the aligned face and the function it is a picture of, on a grid of places. */
function worst(width: number, height: number, period: number, toFace: Similarity): number {
  const { rgb, at } = wavesOf(width, height, period);
  const face = alignFace(rgb, width, height, toFace);
  const fromFace = inverse(toFace);
  let most = 0;
  for (let v = 3; v < FACE_SIDE; v += 23) {
    for (let u = 2; u < FACE_SIDE; u += 19) {
      const [x, y] = apply(fromFace, [u + 0.5, v + 0.5]);
      // On the edge itself the mirrored function has a kink, which no kernel follows.
      const near = Math.min(...[x, width - x, y, height - y].map(Math.abs)) < 4 / Math.hypot(toFace.a, toFace.b) + 4;
      // A reduced raster is mirrored at its own pixels: beyond the edge it is the same only nearly.
      const beyond = x < 0 || y < 0 || x > width || y > height;
      if (near || (beyond && Math.hypot(toFace.a, toFace.b) < 0.5)) continue;
      for (let c = 0; c < 3; c++) {
        const expected = at(mirror(x, width), mirror(y, height), c);
        most = Math.max(most, Math.abs((face[(v * FACE_SIDE + u) * 3 + c] as number) - expected));
      }
    }
  }
  return most;
}

const turned = (scale: number, degrees: number, x: number, y: number, width: number, height: number): Similarity => {
  const angle = (degrees * Math.PI) / 180;
  const [a, b] = [scale * Math.cos(angle), scale * Math.sin(angle)];
  // The picture's place (x, y) of its size lies in the middle of the face.
  return { a, b, x0: 256 - (a * x * width - b * y * height), y0: 256 - (b * x * width + a * y * height) };
};

describe('alignFace', () => {
  it('a face that lies as the template does is cut out unchanged', () => {
    const { rgb } = wavesOf(600, 560, 40);
    const face = alignFace(rgb, 600, 560, { a: 1, b: 0, x0: -31, y0: -17 });
    for (let v = 0; v < FACE_SIDE; v += 7)
      expect(face.subarray(v * FACE_SIDE * 3, (v + 1) * FACE_SIDE * 3)).toEqual(
        rgb.subarray(((v + 17) * 600 + 31) * 3, ((v + 17) * 600 + 31 + FACE_SIDE) * 3),
      );
  });

  it('shows the picture where the similarity says, turned, enlarged, reduced, and mirrored beyond the edges', () => {
    const places = fc.record({
      scale: fc.double({ min: 0.2, max: 9, noNaN: true }),
      degrees: fc.integer({ min: -180, max: 180 }),
      x: fc.double({ min: 0, max: 1, noNaN: true }),
      y: fc.double({ min: 0, max: 1, noNaN: true }),
    });
    fc.assert(
      fc.property(places, ({ scale, degrees, x, y }) => {
        // The waves are long enough for the reduced raster to hold them: 24 of its pixels.
        const period = Math.max(24, 48 / scale);
        expect(worst(420, 360, period, turned(scale, degrees, x, y, 420, 360))).toBeLessThan(2.5);
      }),
      { numRuns: 10 },
    );
  });

  it('a face much larger than the template is averaged, not sampled: fine stripes become grey', () => {
    const side = 1300;
    const rgb = Uint8Array.from({ length: side * side * 3 }, (_, i) => (Math.floor(i / 3) % 2 === 0 ? 0 : 255));
    const face = alignFace(rgb, side, side, { a: 0.4, b: 0.03, x0: 0, y0: 0 });
    const middle = face.subarray(200 * FACE_SIDE * 3, 300 * FACE_SIDE * 3);
    expect(middle.reduce((most, value) => Math.max(most, Math.abs(value - 127.5)), 0)).toBeLessThan(12);
  });
});
