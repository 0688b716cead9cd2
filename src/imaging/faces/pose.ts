import { FACE_LIMITS } from './limits.ts';
import { distance, meanOf, misfit } from './similarity.ts';
import { FACE_TEMPLATE, type FivePoints, TEMPLATE_EYES, toTemplate } from './template.ts';

/** Why a face of this shape is better left alone; undefined when it looks at us well enough. */
export function poseProblem(points: FivePoints): 'profile' | 'points do not form a face' | undefined {
  const toFace = toTemplate(points);
  if (!toFace || !points.flat().every(Number.isFinite)) return 'points do not form a face';
  const [left, right, nose, leftMouth, rightMouth] = points;
  const eyes = distance(left, right);
  const height = distance(meanOf([left, right]), meanOf([leftMouth, rightMouth]));
  const along = ((nose[0] - left[0]) * (right[0] - left[0]) + (nose[1] - left[1]) * (right[1] - left[1])) / Math.max(eyes * eyes, 1e-9);
  if (eyes < FACE_LIMITS.eyes * height || along < FACE_LIMITS.nose[0] || along > FACE_LIMITS.nose[1]) return 'profile';
  return misfit(toFace, points, FACE_TEMPLATE) / TEMPLATE_EYES > FACE_LIMITS.misfit ? 'points do not form a face' : undefined;
}
