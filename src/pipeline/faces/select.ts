import { faceAmount } from '../../imaging/faces/amount.ts';
import { type Clarity, clarityOf, isClear } from '../../imaging/faces/clarity.ts';
import { type Face, smallestFace } from '../../imaging/faces/face.ts';
import { FACE_LIMITS } from '../../imaging/faces/limits.ts';
import { shareInside } from '../../imaging/faces/mask.ts';
import { poseProblem } from '../../imaging/faces/pose.ts';
import type { Similarity } from '../../imaging/faces/similarity.ts';
import { toTemplate } from '../../imaging/faces/template.ts';
import type { Pixels } from './find.ts';
import { sureAt } from './scores.ts';

/** A face to be restored and by how much of the network's change (0…1), or why it is left to the general stage. */
export type Selection =
  | { readonly face: Face; readonly toFace: Similarity; readonly amount: number; readonly reason?: never }
  | { readonly face: Face; readonly toFace?: never; readonly amount?: never; readonly reason: string };

/** What a face must be to be restored, beside `FACE_LIMITS`. */
export interface Demands {
  /** How many times the source's size the picture has. */
  readonly scale: number;
  /** Least score of a small face and of a large one. */
  readonly sure: number;
  readonly sureLarge: number;
  /** The file is a JPEG so coarse that no face in it is clear. */
  readonly compressed: boolean;
  /** The face network, and what it is blended over, are those the amounts were measured with. */
  readonly measured: boolean;
}

/**
 * What is to be done with each face, largest first.
 * @param source the picture before anything was restored
 */
export function selectFaces(faces: readonly Face[], source: Pixels, demands: Demands): Selection[] {
  let restored = 0;
  return [...faces]
    .sort((one, other) => other.box[2] - one.box[2])
    .map((face): Selection => {
      const toFace = toTemplate(face.points);
      let known: Clarity | undefined;
      const seen = () => (known ??= clarityOf(source.rgb, source.width, source.height, face.box));
      const reason = reasonToLeave(face, toFace, source, demands, seen);
      if (reason !== undefined || !toFace) return { face, reason: reason ?? 'points do not form a face' };
      if (restored === FACE_LIMITS.most) return { face, reason: `beyond the ${FACE_LIMITS.most} largest faces` };
      restored += 1;
      // What was enlarged was not measured.
      const amount = demands.measured && demands.scale === 1 ? faceAmount(seen(), demands.compressed) : 1;
      return { face, toFace, amount };
    });
}

/** In order of their cost: the first that holds. */
function reasonToLeave(
  { box, score, points }: Face,
  toFace: Similarity | undefined,
  { width, height }: Pixels,
  { scale, sure, sureLarge, compressed }: Demands,
  seen: () => Clarity,
): string | undefined {
  const smallest = smallestFace(Math.min(width, height) / scale);
  if (box[2] < smallest * scale) return `smaller than ${smallest} px`;
  if (score < sureAt(box[2] / scale, { sure, sureLarge })) return 'uncertain';
  const pose = poseProblem(points);
  if (pose || !toFace) return pose;
  if (shareInside(toFace, width, height) < FACE_LIMITS.inside) return 'cut by the border';
  // What was enlarged has less noise than its source and no detail to lose.
  const risky = scale === 1 && !compressed;
  return risky && isClear(seen(), box[2]) ? 'already clear' : undefined;
}
