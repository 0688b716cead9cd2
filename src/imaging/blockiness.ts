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
const BUSY = 32;

/**
 * Finds the block grid of HWC uint8 RGB. What is averaged per phase is how far a pixel step sticks out
 * of its two neighbours' mean, so plain edges and texture cancel and only repeated seams remain.
 *
 * After: Z. Wang, A. Bovik, B. Evans, Blind measurement of blocking artifacts, ICIP 2000, and the
 * phase search of Z. Fan, R. de Queiroz, Identification of bitmap compression history, TIP 12 (2003).
 */
export function blockinessOf(rgb: Uint8Array, width: number, height: number): Blockiness {
  const across = strongest(stepsAcross(rgb, width, height));
  const down = strongest(stepsDown(rgb, width, height));
  return { ratio: Math.round(Math.sqrt(across.ratio * down.ratio) * 1000) / 1000, phaseX: across.phase, phaseY: down.phase };
}

/** By the phase of the pixel that a step leads to: sum of the steps that count, and how many they are. */
interface Steps {
  readonly sums: Float64Array;
  readonly counts: Float64Array;
}

const noSteps = (): Steps => ({ sums: new Float64Array(8), counts: new Float64Array(8) });

/** Every how many lines are looked at. */
const every = (lines: number) => Math.max(1, Math.floor(lines / LINES));

function stepsAcross(rgb: Uint8Array, width: number, height: number): Steps {
  const steps = noSteps();
  const line = new Int32Array(width);
  for (let y = 0; y < height; y += every(height)) {
    for (let x = 0, at = y * width * 3; x < width; x++, at += 3) line[x] = lumaAt(rgb, at);
    // Phase by phase: eight sums in memory, one pixel after the other, would take three times as long.
    for (let phase = 0; phase < 8; phase++) {
      let sum = 0;
      let count = 0;
      for (let x = phase < 2 ? phase + 8 : phase; x < width - 1; x += 8) {
        const step = counted(line[x - 2] as number, line[x - 1] as number, line[x] as number, line[x + 1] as number);
        const one = 1 + (step >> 31);
        sum += step * one;
        count += one;
      }
      add(steps, phase, sum, count);
    }
  }
  return steps;
}

/** Row by row, with the last four of them at hand: columns one after the other would miss the cache at every pixel. */
function stepsDown(rgb: Uint8Array, width: number, height: number): Steps {
  const steps = noSteps();
  const pitch = every(width);
  const columns = Math.ceil(width / pitch);
  let [a, b, c, d] = [new Int32Array(columns), new Int32Array(columns), new Int32Array(columns), new Int32Array(columns)];
  for (let y = 0; y < height; y++) {
    [a, b, c, d] = [b, c, d, a];
    for (let i = 0, at = y * width * 3; i < columns; i++, at += pitch * 3) d[i] = lumaAt(rgb, at);
    if (y < 3) continue;
    let sum = 0;
    let count = 0;
    for (let i = 0; i < columns; i++) {
      const step = counted(a[i] as number, b[i] as number, c[i] as number, d[i] as number);
      const one = 1 + (step >> 31);
      sum += step * one;
      count += one;
    }
    add(steps, (y - 1) & 7, sum, count);
  }
  return steps;
}

/** The step between the middle two of four pixels in a row; -1 in a busy place, where blocks hide, and at an edge of the picture itself. */
function counted(a: number, b: number, c: number, d: number): number {
  const here = Math.abs(c - b);
  const beside = Math.abs(b - a) + Math.abs(d - c);
  return here < BUSY && beside < BUSY ? here : -1;
}

function add({ sums, counts }: Steps, phase: number, sum: number, count: number): void {
  sums[phase] = (sums[phase] as number) + sum;
  counts[phase] = (counts[phase] as number) + count;
}

function strongest({ sums, counts }: Steps): { ratio: number; phase: number } {
  const means = Array.from(sums, (sum, i) => sum / Math.max(1, counts[i] as number));
  const phase = means.indexOf(Math.max(...means));
  const others = means.filter((_, i) => i !== phase).reduce((a, b) => a + b, 0) / 7;
  return { ratio: others > 0 ? (means[phase] as number) / others : (means[phase] as number) > 0 ? 8 : 1, phase };
}
