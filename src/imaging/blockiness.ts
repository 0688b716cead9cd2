import { lumaAt } from './picture.ts';

/** Traces of 8×8 coding blocks, whatever the container says now. */
export interface Blockiness {
  /** Mean step across the strongest grid line divided by the mean of the other seven; about 1 without blocks. */
  readonly ratio: number;
  /** Column and row of the first grid line, 0-7. 0 means the grid starts at the picture's corner. */
  readonly phaseX: number;
  readonly phaseY: number;
}

const LINES = 512;

/**
 * Finds the block grid of HWC uint8 RGB. What is averaged per phase is how far a pixel step sticks out
 * of its two neighbours' mean, so plain edges and texture cancel and only repeated seams remain.
 *
 * After: Z. Wang, A. Bovik, B. Evans, Blind measurement of blocking artifacts, ICIP 2000, and the
 * phase search of Z. Fan, R. de Queiroz, Identification of bitmap compression history, TIP 12 (2003).
 */
export function blockinessOf(rgb: Uint8Array, width: number, height: number): Blockiness {
  const across = phases(rgb, width, height, 3, width * 3);
  const down = phases(rgb, height, width, width * 3, 3);
  return { ratio: Math.round(Math.sqrt(across.ratio * down.ratio) * 1000) / 1000, phaseX: across.phase, phaseY: down.phase };
}

/** Along one direction: `step` bytes between neighbours, `stride` bytes between lines. */
function phases(rgb: Uint8Array, length: number, lines: number, step: number, stride: number): { ratio: number; phase: number } {
  const sums = new Float64Array(8);
  const counts = new Float64Array(8);
  const every = Math.max(1, Math.floor(lines / LINES));
  const line = new Int32Array(length);
  for (let j = 0; j < lines; j += every) {
    for (let i = 0; i < length; i++) line[i] = lumaAt(rgb, j * stride + i * step);
    for (let i = 2; i < length - 1; i++) {
      const here = Math.abs((line[i] as number) - (line[i - 1] as number));
      const beside = Math.abs((line[i - 1] as number) - (line[i - 2] as number)) + Math.abs((line[i + 1] as number) - (line[i] as number));
      // Busy places hide blocks; a step of 32 and more is an edge of the picture itself.
      if (here < 32 && beside < 32) {
        sums[i & 7] = (sums[i & 7] as number) + here;
        counts[i & 7] = (counts[i & 7] as number) + 1;
      }
    }
  }
  const means = Array.from(sums, (sum, i) => sum / Math.max(1, counts[i] as number));
  const phase = means.indexOf(Math.max(...means));
  const others = means.filter((_, i) => i !== phase).reduce((a, b) => a + b, 0) / 7;
  return { ratio: others > 0 ? (means[phase] as number) / others : (means[phase] as number) > 0 ? 8 : 1, phase };
}
