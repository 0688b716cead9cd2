import { faceMask } from './mask.ts';
import { FACE_SIDE } from './template.ts';

/** Every how many pixels the mask is asked: it is smooth. */
const PITCH = 4;

/** How much a change (HWC, 512×512, levels) changes where it will be blended in: root mean square, weighted by the mask. */
export function changeSize(change: Float32Array): number {
  let [sum, weights] = [0, 0];
  for (let y = 0; y < FACE_SIDE; y += PITCH) {
    for (let x = 0; x < FACE_SIDE; x += PITCH) {
      const weight = faceMask(x, y);
      if (weight === 0) continue;
      const at = (y * FACE_SIDE + x) * 3;
      for (let c = at; c < at + 3; c++) sum += weight * (change[c] as number) ** 2;
      weights += 3 * weight;
    }
  }
  return Math.sqrt(sum / weights);
}
