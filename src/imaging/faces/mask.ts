import { boundsOf } from './align.ts';
import type { Rectangle } from './resample.ts';
import { apply, inverse, type Point, type Similarity } from './similarity.ts';

/** Middle of the oval in the aligned face, px: between the eyes and the nose. */
const CENTRE: Point = [256, 270];
/** Half axes within which the restored face counts in full: brows, cheeks and chin are inside. */
const FULL = [150, 190] as const;
/** Half axes beyond which it does not count at all; inside the aligned face. */
const NOTHING = [222, 240] as const;

/** How much the restored face counts at a place of the aligned face: 1 on the face, 0 outside, soft between. */
export function faceMask(u: number, v: number): number {
  const du = u - CENTRE[0];
  const dv = v - CENTRE[1];
  const outer = (du / NOTHING[0]) ** 2 + (dv / NOTHING[1]) ** 2;
  if (outer >= 1) return 0;
  const inner = (du / FULL[0]) ** 2 + (dv / FULL[1]) ** 2;
  if (inner <= 1) return 1;
  // Where the ray from the middle stands between the two ovals: 0 at the outer one, 1 at the inner one.
  const toOuter = 1 / Math.sqrt(outer);
  const toInner = 1 / Math.sqrt(inner);
  const clear = (toOuter - 1) / (toOuter - toInner);
  return clear * clear * (3 - 2 * clear);
}

/** The rectangle of the picture outside of which the mask is 0, within the picture. */
export function maskBounds(toFace: Similarity, width: number, height: number): Rectangle {
  const fromFace = inverse(toFace);
  const corners = [-1, 1].flatMap((x) => [-1, 1].map((y): Point => [CENTRE[0] + x * NOTHING[0], CENTRE[1] + y * NOTHING[1]]));
  const [left, top, right, bottom] = boundsOf(corners.map((corner) => apply(fromFace, corner)));
  return [Math.max(0, left), Math.max(0, top), Math.min(width, right), Math.min(height, bottom)];
}

/** Share of the oval, weighted by the mask, that lies inside the picture: 1 for a face that no border cuts. */
export function shareInside(toFace: Similarity, width: number, height: number): number {
  const fromFace = inverse(toFace);
  let [inside, all] = [0, 0];
  for (let v = CENTRE[1] - NOTHING[1]; v <= CENTRE[1] + NOTHING[1]; v += 8) {
    for (let u = CENTRE[0] - NOTHING[0]; u <= CENTRE[0] + NOTHING[0]; u += 8) {
      const weight = faceMask(u, v);
      const [x, y] = apply(fromFace, [u, v]);
      all += weight;
      if (x >= 0 && y >= 0 && x <= width && y <= height) inside += weight;
    }
  }
  return inside / all;
}
