import { drawSquare, greyBeyond } from '../../imaging/faces/align.ts';
import type { Candidate } from '../../imaging/faces/face.ts';
import {
  canBeRefined,
  jointScore,
  meanOfBoth,
  REFINER_NUMBERS,
  REFINER_SIDE,
  refinedCandidate,
  refinerSquare,
} from '../../imaging/faces/refine.ts';
import { orientSamples } from '../../imaging/orient.ts';
import type { FaceRefiner } from '../../inference/refiner.ts';
import type { Pixels } from './find.ts';

/** How often a refiner looks: the second time at where it said itself that the face is, and at the mirror image of that. */
const PASSES = 2;
/** Below this score of a look there is no other look: nothing is hidden there that a better square would show. */
const HOPELESS = 0.05;
/** Candidates in one run, with their mirror images 16 squares: bounds memory, and more at once is not faster. */
const BATCH = 8;
/** Most candidates of one picture that are looked at again, best first: bounds the time of a hostile one. */
export const MOST_CANDIDATES = 200;

const SQUARE = REFINER_SIDE * REFINER_SIDE * 3;
/** The Exif orientation in which left and right are exchanged. */
const MIRROR_IMAGE = 2;

/**
 * Candidates as the refiner sees them in the picture's own pixels: box, points, and the joint score.
 * Those in which it sees no face, or that it cannot be shown, are left out.
 */
export async function refine(candidates: readonly Candidate[], pixels: Pixels, refiner: FaceRefiner): Promise<Candidate[]> {
  const chosen = [...candidates].sort((one, other) => other.score - one.score).slice(0, MOST_CANDIDATES);
  const found: Candidate[] = [];
  for (let from = 0; from < chosen.length; from += BATCH) {
    let batch = chosen.slice(from, from + BATCH).map((now) => ({ detector: now.score, now }));
    for (let pass = 0; pass < PASSES; pass++) {
      batch = batch.filter(({ now }) => canBeRefined(now, pixels));
      const seen = await lookAgain(
        batch.map(({ now }) => now),
        pixels,
        refiner,
        pass === PASSES - 1,
      );
      batch = batch.flatMap(({ detector }, i) => {
        const now = seen[i];
        return now && now.score >= HOPELESS ? [{ detector, now }] : [];
      });
    }
    found.push(...batch.map(({ detector, now }) => ({ ...now, score: jointScore(detector, now.score) })));
  }
  return found;
}

/** One look at each, or the mean of one and one in the mirror: with the refiner's own scores, in the same order. */
async function lookAgain(
  candidates: readonly Candidate[],
  { rgb, width, height }: Pixels,
  refiner: FaceRefiner,
  mirrored: boolean,
): Promise<(Candidate | undefined)[]> {
  if (candidates.length === 0) return [];
  const looks = mirrored ? 2 * candidates.length : candidates.length;
  const squares = new Uint8Array(looks * SQUARE);
  const squareAt = (i: number) => squares.subarray(i * SQUARE, (i + 1) * SQUARE);
  const places = candidates.map(refinerSquare);
  places.forEach((fromSquare, i) => {
    const square = squareAt(i);
    drawSquare(square, REFINER_SIDE, { data: rgb, width, height }, fromSquare);
    // As in training: half a face is not a whole one with its mirror image.
    greyBeyond(square, REFINER_SIDE, { width, height }, fromSquare);
    if (mirrored) squares.set(orientSamples(square, REFINER_SIDE, REFINER_SIDE, 3, MIRROR_IMAGE), (candidates.length + i) * SQUARE);
  });
  const said = await refiner.look(squares, looks);
  const seenAt = (i: number) => said.subarray(i * REFINER_NUMBERS, (i + 1) * REFINER_NUMBERS);
  return places.map((fromSquare, i) =>
    refinedCandidate(fromSquare, mirrored ? meanOfBoth(seenAt(i), seenAt(candidates.length + i)) : seenAt(i)),
  );
}
