import { type Raster, type Rectangle, readerFor } from './resample.ts';
import { apply, inverse, type Point, type Similarity } from './similarity.ts';
import { FACE_SIDE } from './template.ts';

/**
 * The aligned face out of HWC uint8 RGB: 512×512, bicubic, averaged where the face is larger than
 * that. What lies beyond the picture is its mirror image.
 * @param toFace from the picture to the aligned face
 */
export function alignFace(rgb: Uint8Array, width: number, height: number, toFace: Similarity): Uint8Array {
  const out = new Uint8Array(FACE_SIDE * FACE_SIDE * 3);
  drawSquare(out, FACE_SIDE, { data: rgb, width, height }, inverse(toFace));
  return out;
}

/**
 * Draws what lies in a turned square of a raster into `out`, HWC uint8 of `side` × `side` px: bicubic,
 * without aliasing where it shrinks, mirrored beyond the edges.
 * @param fromSquare from the square's coordinates to the raster's
 */
export function drawSquare(out: Uint8Array, side: number, raster: Raster, fromSquare: Similarity): void {
  const { sampler, map } = readerFor(raster, fromSquare, boundsOf(cornersOf(side, fromSquare)));
  for (let v = 0, to = 0; v < side; v++) {
    let [x, y] = apply(map, [0.5, v + 0.5]);
    for (let u = 0; u < side; u++, x += map.a, y += map.b, to += 3) {
      sampler.read(x, y);
      out[to] = rounded(sampler.out[0] as number);
      out[to + 1] = rounded(sampler.out[1] as number);
      out[to + 2] = rounded(sampler.out[2] as number);
    }
  }
}

/** Makes grey, in a square as `drawSquare` drew it, of all that lies beyond the raster. */
export function greyBeyond(
  out: Uint8Array,
  side: number,
  { width, height }: { readonly width: number; readonly height: number },
  fromSquare: Similarity,
): void {
  if (cornersOf(side, fromSquare).every(([x, y]) => x >= 0 && y >= 0 && x <= width && y <= height)) return;
  for (let v = 0, to = 0; v < side; v++) {
    for (let u = 0; u < side; u++, to += 3) {
      const [x, y] = apply(fromSquare, [u + 0.5, v + 0.5]);
      if (x < 0 || y < 0 || x > width || y > height) out.fill(GREY, to, to + 3);
    }
  }
}

const GREY = 127;
const cornersOf = (side: number, fromSquare: Similarity) => [0, side].flatMap((x) => [0, side].map((y) => apply(fromSquare, [x, y])));
const rounded = (value: number) => (value <= 0 ? 0 : value >= 255 ? 255 : (value + 0.5) | 0);

/** The upright rectangle round all that an aligned face shows, also beyond the picture. */
export const squareBounds = (toFace: Similarity): Rectangle => boundsOf(cornersOf(FACE_SIDE, inverse(toFace)));

/** The upright rectangle round some points. */
export function boundsOf(points: readonly Point[]): Rectangle {
  const [xs, ys] = [points.map(([x]) => x), points.map(([, y]) => y)];
  return [Math.floor(Math.min(...xs)), Math.floor(Math.min(...ys)), Math.ceil(Math.max(...xs)), Math.ceil(Math.max(...ys))];
}
