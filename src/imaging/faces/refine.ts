import type { Candidate } from './face.ts';
import { apply, fitSimilarity, type Point, type Similarity, scaleOf } from './similarity.ts';
import { FACE_TEMPLATE, type FivePoints } from './template.ts';

/** Side of the square in which a refiner sees one candidate, px. */
export const REFINER_SIDE = 80;
/** What a refiner says of one candidate: score, centre and sides of the box, five points; lengths in px of its square. */
export const REFINER_NUMBERS = 15;
/** Side of the square in sides of the candidate's box: the face and enough around to find it when the box is a third off. */
const AROUND = 1.5;

/** The detector's part of a joint score. Fitted on validation pictures (`training/face_detect/cascade.py`): the refiner, who looks closely, knows better. */
const DETECTOR_PART = 0.3;

/** How sure two networks are together, 0…1: a weighted geometric mean, so that either can refuse. */
export const jointScore = (detector: number, refiner: number): number =>
  Math.max(0, detector) ** DETECTOR_PART * Math.max(0, refiner) ** (1 - DETECTOR_PART);

/**
 * From the square that a refiner is shown to the picture: round the middle of the candidate's box,
 * turned as its points are, so that the face stands upright in it.
 */
export function refinerSquare({ left, top, width, height, points }: Candidate): Similarity {
  const turn = fitSimilarity(FACE_TEMPLATE, points);
  const scale = (AROUND * Math.sqrt(width * height)) / REFINER_SIDE;
  const length = turn ? scaleOf(turn) : 0;
  const known = turn !== undefined && Number.isFinite(length) && length > 0;
  const [a, b] = known ? [(turn.a / length) * scale, (turn.b / length) * scale] : [scale, 0];
  const middle = REFINER_SIDE / 2;
  return { a, b, x0: left + width / 2 - (a - b) * middle, y0: top + height / 2 - (b + a) * middle };
}

/**
 * What a refiner said of a candidate, in the picture's coordinates and with its own score alone;
 * undefined where that is no face at all. The box it speaks of holds an ellipse that is upright in
 * the square: in the picture the box is the one round that ellipse, turned.
 * @param fromSquare as `refinerSquare` gave it
 * @param seen `REFINER_NUMBERS` numbers
 */
export function refinedCandidate(fromSquare: Similarity, seen: Float32Array): Candidate | undefined {
  const [score, u, v, wide, high] = seen as unknown as [number, number, number, number, number];
  if (!seen.every(Number.isFinite) || wide <= 0 || high <= 0) return undefined;
  const [x, y] = apply(fromSquare, [u, v]);
  const { a, b } = fromSquare;
  const [width, height] = [Math.hypot(wide * a, high * b), Math.hypot(wide * b, high * a)];
  if (width <= 1 || height <= 1) return undefined;
  const points = [5, 7, 9, 11, 13].map((i): Point => apply(fromSquare, [seen[i] as number, seen[i + 1] as number]));
  return {
    left: x - width / 2,
    top: y - height / 2,
    ...{ width, height },
    score: Math.min(1, Math.max(0, score)),
    points: points as unknown as FivePoints,
  };
}

/** Which of the five points of a mirrored face is which: the eyes and the corners of the mouth change places. */
const MIRRORED_POINTS = [1, 0, 2, 4, 3] as const;

/**
 * Mean of what a refiner said of a square and of its mirror image, in the square's coordinates: errors to
 * one side cancel (landmarks of the test split 0.1-0.3 % of the eye distance better; training/LOG.md).
 * @param seen `REFINER_NUMBERS` numbers, as is `ofMirror`
 */
export function meanOfBoth(seen: Float32Array, ofMirror: Float32Array): Float32Array {
  const back = Float32Array.from(ofMirror);
  back[1] = REFINER_SIDE - (ofMirror[1] as number);
  MIRRORED_POINTS.forEach((from, to) => {
    back[5 + 2 * to] = REFINER_SIDE - (ofMirror[5 + 2 * from] as number);
    back[6 + 2 * to] = ofMirror[6 + 2 * from] as number;
  });
  return seen.map((one, i) => (one + (back[i] as number)) / 2);
}

/** Whether a refiner can be shown a candidate at all: its middle in the picture, its size within reason. */
export function canBeRefined(
  { left, top, width, height }: Candidate,
  picture: { readonly width: number; readonly height: number },
): boolean {
  const [x, y] = [left + width / 2, top + height / 2];
  const inside = x >= 0 && y >= 0 && x <= picture.width && y <= picture.height;
  return inside && Math.sqrt(width * height) <= 2 * Math.max(picture.width, picture.height);
}
