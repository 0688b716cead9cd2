import { alignFace } from '../../imaging/faces/align.ts';
import { changeSize } from '../../imaging/faces/change-size.ts';
import { matchColours, slowChange } from '../../imaging/faces/colour-match.ts';
import { amountKeepingGrain, grainLost } from '../../imaging/faces/grain.ts';
import { colourShift, guardProblem, pointsMoved, structureLikeness } from '../../imaging/faces/guard.ts';
import { apply, type Point, type Similarity } from '../../imaging/faces/similarity.ts';
import { FACE_SIDE, type FivePoints } from '../../imaging/faces/template.ts';
import { lumaAt } from '../../imaging/picture.ts';
import type { FaceDetector } from '../../inference/detector.ts';
import type { Network } from '../../inference/session.ts';
import { type Pixels, pointsOf } from './find.ts';

/** What the face network made of one face, or why it is dropped. */
export type RestoredFace = FaceChange | { readonly reason: string };

export interface FaceChange {
  readonly change: Float32Array;
  /** How much of it (0…1) can be blended in without a patch to be seen. */
  readonly most: number;
  /** Root mean square in levels. */
  readonly size: number;
}

export interface FaceOrder {
  /** The picture as it came: the network sees this. */
  readonly source: Pixels;
  /** The picture as it is now: the change is relative to this, and networks with a second input see it too. */
  readonly shown: Pixels;
  readonly toFace: Similarity;
  /** The five points in the picture. */
  readonly points: FivePoints;
  readonly network: Network;
  /** Looks whether the features are where they were; without it only colour and structure are compared. */
  readonly detector: FaceDetector | undefined;
  readonly grey: boolean;
}

const NOTHING = new Float32Array();

/** Aligns, restores, compares, and gives the change in the colours of what is shown. */
export async function restoreFace({ source, shown, toFace, points, network, detector, grey }: FaceOrder): Promise<RestoredFace> {
  const face = alignFace(source.rgb, source.width, source.height, toFace);
  const now = shown.rgb === source.rgb ? face : alignFace(shown.rgb, shown.width, shown.height, toFace);
  const restored = await network.run(face, FACE_SIDE, FACE_SIDE, NOTHING, now);
  if (grey) makeGrey(restored);
  const colour = colourShift(slowChange(difference(restored, face)));
  const structure = structureLikeness(face, restored);
  const problem =
    guardProblem({ colour, structure }) ??
    (detector &&
      (await featuresProblem(
        face,
        restored,
        points.map((point) => apply(toFace, point)),
        detector,
      )));
  if (problem !== undefined) return { reason: problem };
  const most = amountKeepingGrain(grainLost(now, restored));
  const change = difference(restored, now);
  matchColours(change, slowChange(change));
  return { change, most, size: changeSize(change) };
}

/**
 * Both are looked at alike, so what the detector gets wrong in such a face cancels; in a blurred one it
 * finds different places at every look, so those the face was aligned by count as well.
 */
async function featuresProblem(
  face: Uint8Array,
  restored: Uint8Array,
  aligned: readonly Point[],
  detector: FaceDetector,
): Promise<string | undefined> {
  const square = (rgb: Uint8Array): Pixels => ({ rgb, width: FACE_SIDE, height: FACE_SIDE });
  const moved = (points: number) => guardProblem({ colour: 0, structure: 1, points });
  const after = await pointsOf(square(restored), detector);
  // Where they were aligned to: no other look is needed, whatever it would find.
  if (after && moved(pointsMoved(aligned, after)) === undefined) return undefined;
  const before = await pointsOf(square(face), detector);
  if (!before) return undefined;
  if (!after) return 'it was no longer seen as a face';
  return moved(Math.min(pointsMoved(before, after), pointsMoved(aligned, after)));
}

function difference(one: Uint8Array, other: Uint8Array): Float32Array {
  const out = new Float32Array(one.length);
  for (let i = 0; i < out.length; i++) out[i] = (one[i] as number) - (other[i] as number);
  return out;
}

function makeGrey(rgb: Uint8Array): void {
  for (let i = 0; i < rgb.length; i += 3) rgb[i] = rgb[i + 1] = rgb[i + 2] = lumaAt(rgb, i);
}
