import type { Point } from './similarity.ts';
import type { FivePoints } from './template.ts';

/** A face somebody found: the detector, or the client who sent its points. */
export interface Face {
  /** Left, top and side of the square around it, px of the picture it was found in. */
  readonly box: readonly [x: number, y: number, size: number];
  /** 0…1; 1 for points that were given. */
  readonly score: number;
  readonly points: FivePoints;
}

/** A rectangle as detectors give it. */
export interface Candidate {
  readonly left: number;
  readonly top: number;
  readonly width: number;
  readonly height: number;
  readonly score: number;
  readonly points: FivePoints;
}

/** The square of the rectangle's area round its centre: the documented interface speaks of squares. */
export function squared({ left, top, width, height }: Omit<Candidate, 'score' | 'points'>): Face['box'] {
  const size = Math.sqrt(width * height);
  return [left + (width - size) / 2, top + (height - size) / 2, size];
}

/** The same face where coordinates are `factor` times as large. */
export function scaled(face: Face, factor: number): Face {
  const [x, y, size] = face.box;
  const scalePoint = ([u, v]: Point): Point => [u * factor, v * factor];
  return { ...face, box: [x * factor, y * factor, size * factor], points: face.points.map(scalePoint) as unknown as FivePoints };
}

/** Smallest side of a face box that is restored, in a picture with this short side: documented by the interface. */
export const smallestFace = (shortSide: number): number => Math.max(48, Math.floor(shortSide / 48));

/** Size classes of the report: by the side of the box in px. */
export function sizeClass(size: number, smallest: number): 'tiny' | 'small' | 'medium' | 'large' {
  if (size < smallest) return 'tiny';
  return size < 128 ? 'small' : size < 384 ? 'medium' : 'large';
}
