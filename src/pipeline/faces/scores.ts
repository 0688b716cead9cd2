import type { DetectorFamily } from '../../imaging/faces/decode.ts';
import type { FaceDetector } from '../../inference/detector.ts';

/** From which score on something is what. */
export interface Scores {
  /** Of the detector: worth a second look. Without a refiner nothing has one. */
  readonly candidate: number;
  /** It is a face. */
  readonly least: number;
  /** It is sure enough to be changed. */
  readonly sure: number;
  /** The same of a face of `LARGE` px and more: one so large and yet so unsure is past recognition, and nothing in it to restore. */
  readonly sureLarge: number;
  /** It counts in a picture that had to be turned for it: three more looks are three more chances to be wrong. */
  readonly turned: number;
}

const OF_FAMILY: Readonly<Record<DetectorFamily, Omit<Scores, 'candidate'>>> = {
  mingxi: { least: 0.6, sure: 0.73, sureLarge: 0.73, turned: 0.85 },
  yunet: { least: 0.6, sure: 0.7, sureLarge: 0.7, turned: 0.8 },
  scrfd: { least: 0.5, sure: 0.6, sureLarge: 0.6, turned: 0.7 },
};

/**
 * With a refiner; joint scores (`imaging/faces/refine.ts`). `least` is the operating point (`training.threshold` in the
 * manifest): at the smallest documented size 0.96 of the faces of the test split at 0.09 false boxes per picture. What
 * is changed must reach `sure`: 0.90 at 0.00 there, 0.94 and 0.00 of the split as it is (models/face-detect/CARD.md).
 * Large ones: 52 badly harmed validation faces (blur to sigma 8, an eighth of the size) score 0.99 and more, the
 * recognisable ones of the test portraits 0.957, the two past recognition 0.908 and 0.921 (docs/quality/faces.md).
 */
const REFINED: Scores = { candidate: 0.12, least: 0.6, sure: 0.75, sureLarge: 0.94, turned: 0.85 };

/** Side of a box from which a face is large, and up to which it is small, px: between them, what is sure changes gradually. */
const LARGE = 128;
const SMALL = 64;

/** The score from which on a face with a box of this side may be changed. */
export function sureAt(side: number, { sure, sureLarge }: Pick<Scores, 'sure' | 'sureLarge'>): number {
  const part = Math.min(1, Math.max(0, Math.log2(side / SMALL) / Math.log2(LARGE / SMALL)));
  return sure + part * (sureLarge - sure);
}

/** The thresholds that hold for a detector, with or without its refiner. */
export function scoresOf({ family, refiner }: FaceDetector): Scores {
  const { least, ...others } = OF_FAMILY[family];
  return refiner ? REFINED : { candidate: least, least, ...others };
}
