import type { Clarity } from './clarity.ts';
import { FACE_LIMITS } from './limits.ts';

/**
 * How much of the face network's change is worth blending over the general restoration when nobody says,
 * 0…1: all of it where a face is blurred, or noisy under its compression; less where the general network
 * alone is as good, which is then steadier. Values and where they come from: `FACE_LIMITS.amount`.
 */
export function faceAmount({ noise, blur }: Clarity, compressed: boolean): number {
  const { noisy, veryNoisy, blurred, least } = FACE_LIMITS.amount;
  const [from, to] = blurred;
  // Noise hides blur: a noisy face reads sharp.
  const softness = Math.min(1, Math.max(0, (blur - from) / (to - from)));
  const sharp = noise < noisy ? (compressed ? least.compressed : least.clean) : compressed && noise < veryNoisy ? 1 : least.noisy;
  return sharp + softness * (1 - sharp);
}
