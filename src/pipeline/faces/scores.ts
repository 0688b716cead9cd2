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
  /** It counts in a picture that had to be turned for it: three more looks are three more chances to be wrong. */
  readonly turned: number;
}

const OF_FAMILY: Readonly<Record<DetectorFamily, Omit<Scores, 'candidate'>>> = {
  mingxi: { least: 0.6, sure: 0.73, turned: 0.85 },
  yunet: { least: 0.6, sure: 0.7, turned: 0.8 },
  scrfd: { least: 0.5, sure: 0.6, turned: 0.7 },
};

/**
 * With a refiner; joint scores (`imaging/faces/refine.ts`). `least` is the operating point chosen on validation
 * pictures (`training.threshold` in the manifest), which the test split showed to be generous: 0.19 false boxes per
 * picture. What is changed must reach `sure`: 0.02 there, 0.93 of the faces (models/face-detect/CARD.md).
 */
const REFINED: Scores = { candidate: 0.12, least: 0.55, sure: 0.75, turned: 0.85 };

/** The thresholds that hold for a detector, with or without its refiner. */
export function scoresOf({ family, refiner }: FaceDetector): Scores {
  const { least, ...others } = OF_FAMILY[family];
  return refiner ? REFINED : { candidate: least, least, ...others };
}
