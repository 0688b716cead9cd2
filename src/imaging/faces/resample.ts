import { compose, type Similarity, scaleOf } from './similarity.ts';

/** Three interleaved channels. */
export interface Raster {
  readonly data: Uint8Array | Float32Array;
  readonly width: number;
  readonly height: number;
}

/** Left, top, right, bottom: the last two are outside. */
export type Rectangle = readonly [number, number, number, number];

const REACH = 2;

/** Catmull-Rom: passes through the samples, and what it takes from the sides sums to nothing. */
function kernel(x: number): number {
  if (x < 1) return (1.5 * x - 2.5) * x * x + 1;
  return x < 2 ? ((-0.5 * x + 2.5) * x - 4) * x + 2 : 0;
}

/** What shrinks more than this is reduced by whole cells first. */
const MOST_SHRINK = 2;
/** Places between two pixels that are told apart. */
const FINE = 256;

/** For each of `FINE` + 1 places the weights of `taps` pixels, summing to one: place ÷ `FINE` px lie between the kernel's end and the first of them. */
function weightTable(widen: number, taps: number): Float32Array {
  const table = new Float32Array((FINE + 1) * taps);
  for (let place = 0; place <= FINE; place++) {
    const weights = table.subarray(place * taps, (place + 1) * taps);
    let sum = 0;
    for (let i = 0; i < taps; i++) {
      const weight = kernel(Math.abs((place / FINE + i) / widen - REACH));
      weights[i] = weight;
      sum += weight;
    }
    for (let i = 0; i < taps; i++) weights[i] = (weights[i] as number) / sum;
  }
  return table;
}

/**
 * Reads its own copy of a part of a raster at any place with a bicubic kernel that is widened by `widen`
 * (at least 1), so that shrinking does not alias. The copy is of one type and reaches beyond all that is read:
 * the loop over the taps is half as long again over arrays of two types.
 */
export class Sampler {
  readonly #data: Float32Array;
  readonly #row: number;
  readonly #reach: number;
  readonly #taps: number;
  readonly #weights: Float32Array;
  /** The three values of the last place read. */
  readonly out = new Float32Array(3);

  constructor({ data, width }: Part, widen: number) {
    const within = Math.min(MOST_SHRINK, Math.max(1, widen));
    this.#data = data;
    this.#row = width * 3;
    this.#reach = REACH * within;
    this.#taps = Math.ceil(2 * this.#reach);
    this.#weights = weightTable(within, this.#taps);
  }

  /** Reads at (x, y), pixel centres at + ½, into `out`. */
  read(x: number, y: number): void {
    const data = this.#data;
    const weights = this.#weights;
    const taps = this.#taps;
    const startX = x - 0.5 - this.#reach;
    const startY = y - 0.5 - this.#reach;
    const left = Math.ceil(startX);
    const top = Math.ceil(startY);
    const across = (((left - startX) * FINE + 0.5) | 0) * taps;
    const down = (((top - startY) * FINE + 0.5) | 0) * taps;
    let red = 0;
    let green = 0;
    let blue = 0;
    for (let j = 0, row = top * this.#row + left * 3; j < taps; j++, row += this.#row) {
      let r = 0;
      let g = 0;
      let b = 0;
      for (let i = 0, at = row; i < taps; i++, at += 3) {
        const weight = weights[across + i] as number;
        r += weight * (data[at] as number);
        g += weight * (data[at + 1] as number);
        b += weight * (data[at + 2] as number);
      }
      const weight = weights[down + j] as number;
      red += weight * r;
      green += weight * g;
      blue += weight * b;
    }
    this.out[0] = red;
    this.out[1] = green;
    this.out[2] = blue;
  }
}

/** An index mirrored at the edges of 0 … length − 1, the edge itself not doubled, as often as needed. */
export function mirrored(index: number, length: number): number {
  if (index >= 0 && index < length) return index;
  const period = Math.max(1, 2 * (length - 1));
  const folded = ((index % period) + period) % period;
  return folded < length ? folded : period - folded;
}

/**
 * A reader for target pixels that lie in the raster where `map` says, and that mapping as the reader
 * needs it. Only the rectangle (of the raster) may be read. Beyond its edges the raster is mirrored;
 * where the mapping shrinks much, the part is reduced first.
 */
export function readerFor(source: Raster, map: Similarity, rectangle: Rectangle): { sampler: Sampler; map: Similarity } {
  const shrink = scaleOf(map);
  const factor = shrink <= MOST_SHRINK ? 1 : Math.floor(shrink);
  const part = copyOfPart(source, rectangle, factor, Math.ceil(REACH * Math.max(1, shrink / factor)) + 1);
  return { sampler: new Sampler(part, shrink / factor), map: compose(map, part.map) };
}

interface Part {
  readonly data: Float32Array;
  readonly width: number;
  /** From the raster's coordinates into the part's. */
  readonly map: Similarity;
}

/** Means of cells of `factor` × `factor` pixels, of all that lie in the rectangle and of `margin` cells round it. */
function copyOfPart(source: Raster, [left, top, right, bottom]: Rectangle, factor: number, margin: number): Part {
  const columns = cellsOf(left, right, source.width, factor, margin);
  const rows = cellsOf(top, bottom, source.height, factor, margin);
  const width = columns.starts.length;
  const data = new Float32Array(width * rows.starts.length * 3);
  const add = factor === 1 ? copyRow : addRow;
  rows.starts.forEach((y, row) => {
    const to = data.subarray(row * width * 3, (row + 1) * width * 3);
    const height = Math.min(factor, source.height - y);
    for (let j = 0; j < height; j++) add(to, source, y + j, columns.starts, factor, height);
  });
  return { data, width, map: { a: 1 / factor, b: 0, x0: -columns.first, y0: -rows.first } };
}

/** The first cell of a part along one side, and where each of its cells begins in the raster: in the mirror image beyond the edges. */
function cellsOf(from: number, to: number, length: number, factor: number, margin: number): { first: number; starts: Int32Array } {
  const first = Math.floor(from / factor) - margin;
  const count = Math.max(1, Math.ceil(to / factor) + margin - first);
  const cells = Math.ceil(length / factor);
  return { first, starts: Int32Array.from({ length: count }, (_, i) => mirrored(first + i, cells) * factor) };
}

function copyRow(to: Float32Array, { data, width }: Raster, y: number, starts: Int32Array): void {
  for (let x = 0, i = 0; x < starts.length; x++, i += 3) {
    const at = (y * width + (starts[x] as number)) * 3;
    to[i] = data[at] as number;
    to[i + 1] = data[at + 1] as number;
    to[i + 2] = data[at + 2] as number;
  }
}

/** Adds to each cell the share that one row of the raster has in its mean. */
function addRow(to: Float32Array, { data, width }: Raster, y: number, starts: Int32Array, factor: number, rows: number): void {
  for (let x = 0, i = 0; x < starts.length; x++, i += 3) {
    const start = starts[x] as number;
    const count = Math.min(factor, width - start);
    let red = 0;
    let green = 0;
    let blue = 0;
    for (let k = 0, at = (y * width + start) * 3; k < count; k++, at += 3) {
      red += data[at] as number;
      green += data[at + 1] as number;
      blue += data[at + 2] as number;
    }
    const share = 1 / (count * rows);
    to[i] = (to[i] as number) + red * share;
    to[i + 1] = (to[i + 1] as number) + green * share;
    to[i + 2] = (to[i + 2] as number) + blue * share;
  }
}
