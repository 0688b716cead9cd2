import { cutOut, partOf } from '../../imaging/faces/cut.ts';
import { decodeDetections } from '../../imaging/faces/decode.ts';
import {
  type CopyRule,
  type DetectionCopy,
  type DetectionView,
  detectionCopy,
  type TurnedView,
  turned,
  turnedBack,
} from '../../imaging/faces/detection-copy.ts';
import { type Candidate, type Face, scaled, squared } from '../../imaging/faces/face.ts';
import { suppress, withoutParts } from '../../imaging/faces/nms.ts';
import { jointScore } from '../../imaging/faces/refine.ts';
import type { FivePoints } from '../../imaging/faces/template.ts';
import type { FaceDetector } from '../../inference/detector.ts';
import { refine } from './refine.ts';
import { scoresOf } from './scores.ts';

/** Pixels in which faces are looked for: HWC uint8 RGB. */
export interface Pixels {
  readonly rgb: Uint8Array;
  readonly width: number;
  readonly height: number;
}

/**
 * Shows the documented smallest face with at least 16 px, in pictures of up to 2304 px with 21-24: what was
 * measured as `documented` in the detector's card. More is not worth its time: at 1 MP the whole picture took
 * a third of a fast restoration.
 */
const fullRule = ({ width, height }: Pixels): CopyRule => ({
  shortSide: Math.min(1024, Math.max(512, Math.min(width, height) / 2)),
  longSide: 4096,
});
/** Brings a face that fills the picture down to a size that detectors know. */
const SMALL: CopyRule = { shortSide: 256, longSide: 1024 };
/** For pictures in which nothing was found as they are. */
const TURNED: CopyRule = { shortSide: 384, longSide: 1280 };
/** For a box that was given, and for a face that was restored. */
const CLOSE: CopyRule = { shortSide: 256, longSide: 256 };

/** All faces of a picture, best first, also of one that is upside down or lies on its side. */
export async function findFaces(pixels: Pixels, detector: FaceDetector): Promise<Face[]> {
  const { candidate, least, turned: sureTurned } = scoresOf(detector);
  const full = await copyFor(pixels, fullRule(pixels), detector);
  const twice = detector.size === undefined && Math.min(full.width, full.height) > 1.5 * SMALL.shortSide;
  // The second copy is made while the detector is at the first.
  const [small, candidates] = await Promise.all([
    twice ? copyFor(pixels, SMALL, detector, full) : undefined,
    look(detector, full, candidate),
  ]);
  if (small) candidates.push(...(await look(detector, small, candidate)));
  const found = await confirmed(candidates, pixels, detector, least);
  if (found.length > 0) return found.map(faceOf);
  const { hint = 0 } = detector;
  if (hint > 0 && !candidates.some(({ score }) => score >= hint)) return [];
  const copy = await copyFor(pixels, TURNED, detector, full);
  const leastTurned = detector.refiner ? candidate : sureTurned;
  let best: Candidate[] = [];
  for (const view of [3, 6, 8].map((orientation) => turned(copy, orientation as 3 | 6 | 8))) {
    const seen = await confirmed(await lookTurned(detector, copy, await view, leastTurned), pixels, detector, sureTurned);
    if (total(seen) > total(best)) best = seen;
  }
  return best.map(faceOf);
}

/** The face in a square that somebody gave, or undefined when the detector sees none there. */
export async function findInBox(pixels: Pixels, [x, y, size]: Face['box'], detector: FaceDetector): Promise<Face | undefined> {
  const { candidate, least } = scoresOf(detector);
  const part = partOf(pixels.width, pixels.height, [x - size / 2, y - size / 2, 2 * size]);
  const cut = { rgb: cutOut(pixels.rgb, pixels.width, part), width: part.width, height: part.height };
  const seen = await look(detector, await copyFor(cut, CLOSE, detector), candidate / 2);
  const faces = await confirmed(
    seen.map((each) => moved(each, part.left, part.top)),
    pixels,
    detector,
    least / 2,
  );
  const near = ({ left, top, width, height }: Candidate) =>
    Math.abs(left + width / 2 - x - size / 2) < size / 2 && Math.abs(top + height / 2 - y - size / 2) < size / 2;
  const face = faces.find(near);
  return face && faceOf(face);
}

/** The five points the detector sees in an aligned face; undefined when it sees no face. */
export async function pointsOf(aligned: Pixels, detector: FaceDetector): Promise<FivePoints | undefined> {
  const { candidate, least } = scoresOf(detector);
  const seen = await look(detector, await copyFor(aligned, CLOSE, detector), candidate / 2);
  return (await confirmed(seen, aligned, detector, least / 2))[0]?.points;
}

/** One candidate for each face, best first: as the detector saw it, or as its refiner does where it has one. */
async function confirmed(candidates: readonly Candidate[], pixels: Pixels, { refiner }: FaceDetector, least: number): Promise<Candidate[]> {
  if (!refiner) return suppress(candidates);
  // What could not reach the score whatever the refiner said is not worth its look: most candidates of a picture without faces.
  const single = suppress(candidates.filter(({ score }) => jointScore(score, 1) >= least));
  return withoutParts(suppress((await refine(single, pixels, refiner)).filter(({ score }) => score >= least)));
}

const copyFor = ({ rgb, width, height }: Pixels, rule: CopyRule, { size }: FaceDetector, larger?: DetectionCopy) =>
  detectionCopy(rgb, width, height, size === undefined ? rule : { ...rule, size }, larger);

const total = (candidates: readonly Candidate[]) => candidates.reduce((sum, { score }) => sum + score, 0);

const faceOf = (candidate: Candidate): Face => ({ box: squared(candidate), score: candidate.score, points: candidate.points });

/** Candidates in the coordinates of the picture the copy was made of. */
async function look(detector: FaceDetector, copy: DetectionView, least: number): Promise<Candidate[]> {
  const outputs = await detector.run(copy.rgb, copy.width, copy.height);
  return decodeDetections(detector.family, outputs, copy.width, copy.height, least).map((candidate) => enlarged(candidate, copy.factor));
}

async function lookTurned(detector: FaceDetector, copy: DetectionCopy, view: TurnedView, least: number): Promise<Candidate[]> {
  const found = await look(detector, { ...view, factor: 1 }, least);
  const back = turnedBack(copy, view.orientation);
  return found.map(({ left, top, width, height, score, points }) => {
    const [one, other] = [back([left, top]), back([left + width, top + height])];
    const upright = {
      left: Math.min(one[0], other[0]),
      top: Math.min(one[1], other[1]),
      width: Math.abs(one[0] - other[0]),
      height: Math.abs(one[1] - other[1]),
      score,
      points: points.map(back) as unknown as FivePoints,
    };
    return enlarged(upright, copy.factor);
  });
}

function enlarged(candidate: Candidate, factor: number): Candidate {
  const { left, top, width, height } = candidate;
  return {
    ...{ left: left * factor, top: top * factor, width: width * factor, height: height * factor, score: candidate.score },
    points: scaled({ box: [0, 0, 0], score: 0, points: candidate.points }, factor).points,
  };
}

function moved(candidate: Candidate, x: number, y: number): Candidate {
  return {
    ...candidate,
    left: candidate.left + x,
    top: candidate.top + y,
    points: candidate.points.map(([u, v]) => [u + x, v + y]) as unknown as FivePoints,
  };
}
