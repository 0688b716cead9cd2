import { FACE_SIDE } from './template.ts';

/** Cells a side: a cell is a third of the distance between the eyes and mouth and more than an eye. */
const CELLS = 8;
const CELL = FACE_SIDE / CELLS;

/**
 * The slow part of a change (HWC, 512×512): means of 8×8 cells, smoothed. What a restoration changes
 * there is colour and light, not detail.
 */
export function slowChange(change: Float32Array): Float32Array {
  const means = new Float32Array(CELLS * CELLS * 3);
  for (let y = 0, at = 0; y < FACE_SIDE; y++) {
    const row = Math.floor(y / CELL) * CELLS;
    for (let x = 0; x < FACE_SIDE; x++, at += 3) {
      const to = (row + Math.floor(x / CELL)) * 3;
      for (let c = 0; c < 3; c++) means[to + c] = (means[to + c] as number) + (change[at + c] as number) / (CELL * CELL);
    }
  }
  return smoothed(means);
}

/**
 * Takes the slow part out of a change, in place: the face keeps the colours and the light of the
 * picture it is put back into, so its edge cannot show as a lighter or tinted patch.
 */
export function matchColours(change: Float32Array, slow: Float32Array): void {
  for (let y = 0, at = 0; y < FACE_SIDE; y++) {
    const [row, down] = position(y);
    for (let x = 0; x < FACE_SIDE; x++, at += 3) {
      const [column, across] = position(x);
      const corner = (row * CELLS + column) * 3;
      const below = Math.min(CELLS - 1, row + 1) * CELLS * 3 + column * 3;
      const aside = column + 1 < CELLS ? 3 : 0;
      for (let c = 0; c < 3; c++) {
        const upper = mix(slow[corner + c] as number, slow[corner + aside + c] as number, across);
        const lower = mix(slow[below + c] as number, slow[below + aside + c] as number, across);
        change[at + c] = (change[at + c] as number) - mix(upper, lower, down);
      }
    }
  }
}

/** Between which cell centres a pixel lies, and where. */
function position(pixel: number): [cell: number, part: number] {
  const at = Math.min(CELLS - 1, Math.max(0, (pixel + 0.5) / CELL - 0.5));
  const cell = Math.floor(at);
  return [cell, at - cell];
}

const mix = (one: number, other: number, part: number) => one + part * (other - one);

/** 1-2-1 in both directions; the edge repeats. */
function smoothed(cells: Float32Array): Float32Array {
  const along = (values: Float32Array, step: number, place: (i: number) => number) =>
    Float32Array.from(values, (value, i) => {
      const at = place(i);
      const before = at > 0 ? (values[i - step] as number) : value;
      const after = at < CELLS - 1 ? (values[i + step] as number) : value;
      return (before + 2 * value + after) / 4;
    });
  const rows = along(cells, 3, (i) => Math.floor(i / 3) % CELLS);
  return along(rows, CELLS * 3, (i) => Math.floor(i / 3 / CELLS));
}
