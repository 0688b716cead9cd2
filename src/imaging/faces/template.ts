import { fitSimilarity, type Point, type Similarity } from './similarity.ts';

/** Image-left eye, image-right eye, nose, image-left and image-right mouth corner of an upright face; they turn with it. */
export type FivePoints = readonly [Point, Point, Point, Point, Point];

/** Side of an aligned face, px. */
export const FACE_SIDE = 512;

/** Where the five points lie in an aligned face: the FFHQ alignment, as the field's face networks are trained on. */
export const FACE_TEMPLATE: FivePoints = [
  [192.98, 239.95],
  [318.9, 240.19],
  [256.64, 314.02],
  [201.26, 371.41],
  [313.09, 371.15],
];

/** Distance of the eyes in an aligned face, px: the yardstick for errors of points. */
export const TEMPLATE_EYES = 125.92;

/** From the picture to the aligned face; undefined when the points fall together. */
export const toTemplate = (points: FivePoints): Similarity | undefined => fitSimilarity(points, FACE_TEMPLATE);
