import { lumaAt } from '../picture.ts';
import { FACE_LIMITS } from './limits.ts';
import { faceMask } from './mask.ts';
import { FACE_SIDE } from './template.ts';

/** Sides of the cells at which grain is looked for, px of the aligned face: print and film show it there, finer grain has no blur to stand out from. */
const CELLS = [2, 4] as const;

/**
 * How much grain one aligned face (HWC uint8, 512×512) has more than another, in levels: film grain, halftone
 * or noise that the general stage left and that is still all around the face. Without it a face is a smooth patch.
 */
export function grainLost(before: Uint8Array, after: Uint8Array): number {
  return Math.max(0, ...CELLS.map((cell) => grainOf(before, cell) - grainOf(after, cell)));
}

/** The largest part of a change, 0…1, that takes no more grain than can be taken unseen. */
export function amountKeepingGrain(lost: number): number {
  const { unseen, least } = FACE_LIMITS.grain;
  return lost <= unseen ? 1 : Math.max(least, unseen / lost);
}

/**
 * Median over the oval of what is left of means of cells by the mask of J. Immerkær, Fast Noise Variance Estimation
 * (CVIU 64, 1996), whose sum is nothing over planes and edges; edges that remain are no half of a face.
 */
function grainOf(rgb: Uint8Array, cell: number): number {
  const side = FACE_SIDE / cell;
  const means = new Float32Array(side * side);
  for (let y = 0, at = 0; y < FACE_SIDE; y++) {
    const row = Math.floor(y / cell) * side;
    for (let x = 0; x < FACE_SIDE; x++, at += 3) {
      const to = row + Math.floor(x / cell);
      means[to] = (means[to] as number) + lumaAt(rgb, at) / (cell * cell);
    }
  }
  const left: number[] = [];
  // As many places at every scale: a median of ten thousand is steady.
  const step = 4 / cell;
  for (let y = 1; y < side - 1; y += step) {
    for (let x = 1; x < side - 1; x += step) {
      if (faceMask((x + 0.5) * cell, (y + 0.5) * cell) < 1) continue;
      const at = (dy: number, dx: number) => means[(y + dy) * side + x + dx] as number;
      const cross = at(-1, 0) + at(1, 0) + at(0, -1) + at(0, 1);
      const corners = at(-1, -1) + at(-1, 1) + at(1, -1) + at(1, 1);
      left.push(Math.abs(at(0, 0) - cross / 2 + corners / 4));
    }
  }
  return Float32Array.from(left).sort()[left.length >> 1] ?? 0;
}
