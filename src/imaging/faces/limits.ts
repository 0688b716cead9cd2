/**
 * What a face must be to be restored, and how far its restoration may move it: the one table of the
 * face stage. How the values were found: docs/guide/engine.md, `scripts/face-limits.ts` prints the data.
 */
export const FACE_LIMITS = {
  /** Most faces of one picture that are restored, largest first: bounds the time of a group photograph. */
  most: 50,
  /** Share of the oval that must lie inside the picture. */
  inside: 0.72,
  /** Nose between the eyes, measured along the line through them (0 and 1: below an eye): outside, the face is in profile. */
  nose: [0.02, 0.98],
  /** Distance of the eyes in distances of eyes and mouth: 0.96 in front, less the more a face is turned. */
  eyes: 0.5,
  /** Misfit of the five points to the template, in distances of the eyes. */
  misfit: 0.24,
  /** A face is clear, and left alone, when it has less noise (raw sigma), … */
  clearNoise: 1.8,
  /** … less blur, … */
  clearBlur: 0.46,
  /** … and no coding blocks above this ratio. */
  clearBlocks: 1.06,
  /** Largest slow change of colour, 0-255. */
  colour: 14,
  /** Least likeness of structure at an eighth of the size, −1…1. */
  structure: 0.8,
  /** Largest mean movement of the five points, in distances of the eyes. */
  movement: 0.12,
} as const;
