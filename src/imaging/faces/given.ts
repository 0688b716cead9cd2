import type { Face } from './face.ts';
import { apply, fitSimilarity, inverse, meanOf, misfit, type Point } from './similarity.ts';
import { FACE_TEMPLATE, type FivePoints, TEMPLATE_EYES } from './template.ts';

/** A face somebody else found: ready to be used, or a box to look for its points in. */
export type GivenFace = Face | { readonly box: Face['box'] };

/** Beyond this misfit (in distances of the eyes) a numbering of points is not the one they were given in. */
const WRONG_NUMBERING = 0.3;
/** Around an aligned face's features, px of the template: the box a detector would give. */
const BOX = { centre: [256, 285] as Point, size: 300 };

type Indices = readonly (readonly number[])[];

/** Image-left eye, image-right eye, nose, mouth corners of the usual numberings; several numbers are averaged. */
const NUMBERINGS: Readonly<Record<number, readonly Indices[]>> = {
  // In either person's order: the mirrored one does not fit a face that is not mirrored.
  5: [
    [[0], [1], [2], [3], [4]],
    [[1], [0], [2], [4], [3]],
  ],
  // 300-W (Multi-PIE).
  68: [[range(36, 42), range(42, 48), [30], [48], [54]]],
  // JD-landmark's, and the one of InsightFace's networks.
  106: [
    [range(52, 58), range(58, 64), [46], [84], [90]],
    [range(33, 43), range(87, 97), [86], [52], [61]],
  ],
};

/**
 * Faces out of points that a client sent (upright pixels): two are opposite corners of a box, or both
 * eyes where they lie flatter than a box would; three are the eyes and the nose, four the eyes and the
 * mouth corners; five, 68 and 106 are numbered as usual. Of anything else, and of a numbering that
 * gives no face, the box round all points is used to look for a face in.
 */
export function givenFace(points: readonly Point[]): GivenFace {
  if (points.length === 2) return fromTwo(points as readonly [Point, Point]);
  if (points.length === 3 || points.length === 4) {
    const template = points.length === 3 ? FACE_TEMPLATE.slice(0, 3) : [0, 1, 3, 4].map((i) => FACE_TEMPLATE[i] as Point);
    return completed(points, template) ?? around(points);
  }
  // Five points can only mean one thing; whether they form a face is judged later.
  const most = points.length === 5 ? Number.POSITIVE_INFINITY : WRONG_NUMBERING;
  let best: { points: FivePoints; off: number } | undefined;
  for (const numbering of NUMBERINGS[points.length] ?? []) {
    const five = numbering.map((indices) => meanOf(indices.map((i) => points[i] as Point))) as unknown as FivePoints;
    const map = fitSimilarity(FACE_TEMPLATE, five);
    if (!map) continue;
    const toFace = inverse(map);
    const off = misfit(toFace, five, FACE_TEMPLATE) / TEMPLATE_EYES;
    if (off < (best?.off ?? most)) best = { points: five, off };
  }
  return best ? { box: boxFor(best.points), score: 1, points: best.points } : around(points);
}

function fromTwo([one, other]: readonly [Point, Point]): GivenFace {
  const [width, height] = [Math.abs(one[0] - other[0]), Math.abs(one[1] - other[1])];
  if (height >= width / 2) return around([one, other]);
  const eyes = one[0] <= other[0] ? [one, other] : [other, one];
  return completed(eyes, FACE_TEMPLATE.slice(0, 2)) ?? around(eyes);
}

/** The five points where only some are known: the template's, brought over them. */
function completed(points: readonly Point[], template: readonly Point[]): Face | undefined {
  const fromFace = fitSimilarity(template, points);
  if (!fromFace) return undefined;
  const five = FACE_TEMPLATE.map((point) => apply(fromFace, point)) as unknown as FivePoints;
  return { box: boxFor(five), score: 1, points: five };
}

function boxFor(points: FivePoints): Face['box'] {
  const fromFace = fitSimilarity(FACE_TEMPLATE, points);
  if (!fromFace) return around(points).box;
  const size = BOX.size * Math.hypot(fromFace.a, fromFace.b);
  const [x, y] = apply(fromFace, BOX.centre);
  return [x - size / 2, y - size / 2, size];
}

function around(points: readonly Point[]): { readonly box: Face['box'] } {
  const [xs, ys] = [points.map(([x]) => x), points.map(([, y]) => y)];
  const [left, top] = [Math.min(...xs), Math.min(...ys)];
  const [width, height] = [Math.max(...xs) - left, Math.max(...ys) - top];
  const size = Math.max(width, height);
  return { box: [left + (width - size) / 2, top + (height - size) / 2, size] };
}

function range(from: number, to: number): number[] {
  return Array.from({ length: to - from }, (_, i) => from + i);
}
