import { type Rectangle, readerFor } from './resample.ts';
import { apply, inverse, type Point, type Similarity } from './similarity.ts';
import { FACE_SIDE } from './template.ts';

const CORNERS: readonly Point[] = [
  [0, 0],
  [FACE_SIDE, 0],
  [0, FACE_SIDE],
  [FACE_SIDE, FACE_SIDE],
];

/**
 * The aligned face out of HWC uint8 RGB: 512×512, bicubic, averaged where the face is larger than
 * that. What lies beyond the picture is its mirror image.
 * @param toFace from the picture to the aligned face
 */
export function alignFace(rgb: Uint8Array, width: number, height: number, toFace: Similarity): Uint8Array {
  const fromFace = inverse(toFace);
  const { sampler, map } = readerFor({ data: rgb, width, height }, fromFace, boundsOf(CORNERS.map((corner) => apply(fromFace, corner))));
  const out = new Uint8Array(FACE_SIDE * FACE_SIDE * 3);
  for (let v = 0, to = 0; v < FACE_SIDE; v++) {
    let [x, y] = apply(map, [0.5, v + 0.5]);
    for (let u = 0; u < FACE_SIDE; u++, x += map.a, y += map.b, to += 3) {
      sampler.read(x, y);
      out[to] = rounded(sampler.out[0] as number);
      out[to + 1] = rounded(sampler.out[1] as number);
      out[to + 2] = rounded(sampler.out[2] as number);
    }
  }
  return out;
}

const rounded = (value: number) => (value <= 0 ? 0 : value >= 255 ? 255 : (value + 0.5) | 0);

/** The upright rectangle round some points. */
export function boundsOf(points: readonly Point[]): Rectangle {
  const [xs, ys] = [points.map(([x]) => x), points.map(([, y]) => y)];
  return [Math.floor(Math.min(...xs)), Math.floor(Math.min(...ys)), Math.ceil(Math.max(...xs)), Math.ceil(Math.max(...ys))];
}
