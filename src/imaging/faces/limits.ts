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
  /**
   * A face with a box of 150 px is clear, and left alone, when it has less noise (raw sigma) and less
   * blur than this. The other values are for twice the size, up to 384 px and down to 64: a large face
   * loses by a touch of noise what a small one hides. Where the network gained nothing on validation
   * faces: noise of sigma 1 at 300 px reads 1.2 (+1.4 dB), at 150 px 1.5 (-0.5 dB), sigma 2 at 75 px 2.4
   * (-0.1 dB), 4.2 (+2.4 dB); blur of 1 px at 300 px reads 0.54 (-0.1 dB), at 150 px 0.56 (+0.2 dB), of
   * 0.7 px at 75 px 0.51 (+0.8 dB). Clean faces read 0.6-2.1 and 0.27-0.48.
   */
  clear: { noise: 1.9, noiseDoubled: -0.65, blur: 0.52, blurDoubled: 0.06 },
  /**
   * How much of the face network is blended in (`imaging/faces/amount.ts`), by the noise (raw sigma) and the blur of
   * the box: what remains of the change for faces that are sharp and compressed, sharp and not, or `noisy`; all of it
   * from the second blur on, and where compression has eaten into noise, up to `veryNoisy`. Fitted on 153 draws of 51
   * validation faces (`scripts/face-gain.ts`, docs/quality/faces.md): of those that are changed, with all of it, 94 % are
   * better than by the general network (PSNR, SSIM); with these 98 % (network 0.5.0; with 0.8.0 95 and 98-99 %).
   */
  amount: { noisy: 2.5, veryNoisy: 8, blurred: [0.54, 0.66], least: { compressed: 0.35, clean: 0.35, noisy: 0.75 } },
  /**
   * Least change (`changeSize`, levels) that is blended in when nobody says how much: below it the general network has
   * done what there was to do, nothing can be seen of the rest, and which of both is nearer to the truth is chance.
   */
  change: 0.35,
  /**
   * Grain (levels) that may go from a face while it stays around it, and the least part of a change that is blended in
   * for its sake. Portraits without any lose 0-0.05, those whose patch could be seen lost 0.8 (film), 0.9 and 4.1 (halftone).
   */
  grain: { unseen: 0.4, least: 0.25 },
  /** Largest slow change of colour, 0-255; on validation faces at most 1.5, none of 238 harmed ones near it (docs/quality/faces.md). */
  colour: 8,
  /** Least likeness of structure at an eighth of the size, -1…1; on validation faces at least 0.97. */
  structure: 0.9,
  /** Largest mean movement of the five points, in distances of the eyes; on validation faces 0.07 and less, up to 0.13 where blur of 5 px or noise hides them. */
  movement: 0.15,
} as const;
