import { lumaAt } from './picture.ts';

/** Frequencies (down, across) of an 8×8 DCT that are looked at: the mean and the lowest nine, which are seldom zero. */
export const PLACES: readonly (readonly [number, number])[] = [
  [0, 0],
  [0, 1],
  [1, 0],
  [1, 1],
  [0, 2],
  [2, 0],
  [1, 2],
  [2, 1],
  [0, 3],
  [3, 0],
];
/** Magnitudes are whole numbers of this part of a unit. */
export const PRECISION = 8;
/** What blocks are made of. */
export interface Magnitudes {
  /** For each of `PLACES` phases × count. */
  readonly places: readonly Uint16Array[];
  readonly phases: number;
  /** Blocks of each phase. */
  readonly count: number;
}

/** So wide that a block of each of the 64 phases lies in it. */
const SIDE = 15;
const PITCH = 16;
const FREQUENCIES = 4;
/** Blocks are transformed column by column: across × FREQUENCIES + down. */
const PLACE_IN_BLOCK = Uint8Array.from(PLACES, ([down, across]) => across * FREQUENCIES + down);

/** One sample of HWC uint8 RGB at an offset, 0-255. */
export type Plane = (rgb: Uint8Array, offset: number) => number;

/** Samples of `count` squares of 15×15 px, minus 128. */
export interface Squares {
  readonly samples: Float32Array;
  readonly count: number;
}

/** At most `most` squares of HWC uint8 RGB, spread over it, at multiples of 16; those with a clipped sample are left out. */
export function spreadSquares(rgb: Uint8Array, width: number, height: number, most: number, plane: Plane = lumaAt): Squares {
  const columns = Math.floor((width + 1) / PITCH);
  const total = columns * Math.floor((height + 1) / PITCH);
  // An odd stride in reading order, as for the noise.
  const stride = total <= most ? 1 : Math.ceil(total / most) | 1;
  const samples = new Float32Array(Math.ceil(total / stride) * SIDE * SIDE);
  let count = 0;
  for (let at = 0; at < total; at += stride) {
    const corner = Math.floor(at / columns) * PITCH * width + (at % columns) * PITCH;
    let clipped = false;
    let to = count * SIDE * SIDE;
    for (let y = 0; y < SIDE; y++) {
      const row = (corner + y * width) * 3;
      for (let at = row; at < row + SIDE * 3; at += 3) {
        const value = plane(rgb, at);
        clipped ||= value === 0 || value === 255;
        samples[to++] = value - 128;
      }
    }
    if (!clipped) count++;
  }
  return { samples, count };
}

/**
 * Part of the squares with anything in them that are unlike all others, below which they are a pattern's: chequers, stripes,
 * screens and gradients read 0.38 at most, photographs 0.87 at least.
 */
const LEAST_VARIETY = 0.6;

/** Whether most squares are the same as another one, as only a drawing's are; flat ones do not count. */
export function isPattern({ samples, count }: Squares): boolean {
  const seen = new Set<number>();
  let uneven = 0;
  for (let from = 0; from < count * SIDE * SIDE; from += SIDE * SIDE) {
    const first = samples[from] as number;
    let [sum, flat] = [0, true];
    for (let i = 0; i < SIDE * SIDE; i++) {
      const value = samples[from + i] as number;
      flat &&= value === first;
      // Weights without a common measure: other squares have other sums.
      sum += value * (WEIGHTS[i] as number);
    }
    if (flat) continue;
    uneven++;
    seen.add(sum);
  }
  return seen.size < LEAST_VARIETY * uneven;
}

const WEIGHTS = Float64Array.from({ length: SIDE * SIDE }, (_, i) => Math.sqrt(i + 2));

/** The four lowest terms of the orthonormal DCT-II (ITU-T T.81 A.3.3) of eight samples `stride` apart, by its symmetry. */
function transform(from: Float32Array, at: number, stride: number, to: Float32Array, out: number): void {
  const a = from[at] as number;
  const b = from[at + stride] as number;
  const c = from[at + 2 * stride] as number;
  const d = from[at + 3 * stride] as number;
  const e = from[at + 4 * stride] as number;
  const f = from[at + 5 * stride] as number;
  const g = from[at + 6 * stride] as number;
  const h = from[at + 7 * stride] as number;
  to[out] = (a + b + c + d + e + f + g + h) * EIGHTH_ROOT;
  to[out + 1] = (a - h) * C1 + (b - g) * C3 + (c - f) * C5 + (d - e) * C7;
  to[out + 2] = (a + h - d - e) * C2 + (b + g - c - f) * C6;
  to[out + 3] = (a - h) * C3 - (b - g) * C7 - (c - f) * C1 - (d - e) * C5;
}

const EIGHTH_ROOT = Math.sqrt(1 / 8);
const cosine = (k: number) => 0.5 * Math.cos((k * Math.PI) / 16);
const C1 = cosine(1);
const C2 = cosine(2);
const C3 = cosine(3);
const C5 = cosine(5);
const C6 = cosine(6);
const C7 = cosine(7);

/** Of the block that begins at each phase (8 × row + column) of every square; of all phases, or of one. */
export function blockMagnitudes({ samples, count }: Squares, only?: number): Magnitudes {
  const phases = only === undefined ? 64 : 1;
  const places = PLACES.map(() => new Uint16Array(phases * count));
  const rows = new Float32Array(SIDE * 8 * FREQUENCIES);
  const block = new Float32Array(FREQUENCIES * FREQUENCIES);
  const [top, bottom] = only === undefined ? [0, SIDE] : [only >> 3, (only >> 3) + 8];
  const [left, right] = only === undefined ? [0, 8] : [only & 7, (only & 7) + 1];
  for (let square = 0; square < count; square++) {
    for (let y = top; y < bottom; y++) {
      for (let x = left; x < right; x++) transform(samples, (square * SIDE + y) * SIDE + x, 1, rows, (y * 8 + x) * FREQUENCIES);
    }
    for (let i = 0; i < phases; i++) {
      // The row and column of a phase, together: rows are 8 first columns long.
      const from = (only ?? i) * FREQUENCIES;
      for (let across = 0; across < FREQUENCIES; across++) transform(rows, from + across, 8 * FREQUENCIES, block, across * FREQUENCIES);
      for (let place = 0; place < PLACES.length; place++)
        (places[place] as Uint16Array)[i * count + square] = Math.round(
          Math.abs(block[PLACE_IN_BLOCK[place] as number] as number) * PRECISION,
        );
    }
  }
  return { places, phases, count };
}
