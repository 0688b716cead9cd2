import { compose, type Similarity, scaleOf } from './similarity.ts';

/** Three interleaved channels. */
export interface Raster {
  readonly data: Uint8Array | Float32Array;
  readonly width: number;
  readonly height: number;
}

const REACH = 2;

/** Catmull-Rom: passes through the samples, and what it takes from the sides sums to nothing. */
function kernel(x: number): number {
  if (x < 1) return 1.5 * x ** 3 - 2.5 * x ** 2 + 1;
  return x < 2 ? -0.5 * x ** 3 + 2.5 * x ** 2 - 4 * x + 2 : 0;
}

/** What shrinks more than this is reduced by whole cells first. */
const MOST_SHRINK = 2;
const MOST_TAPS = 2 * REACH * MOST_SHRINK;
/** Places between two pixels that are told apart. */
const FINE = 256;

/** For each of `FINE` + 1 places the weights of `taps` pixels, summing to one: place ÷ `FINE` px lie between the kernel's end and the first of them. */
function weightTable(widen: number, taps: number): Float32Array {
  const table = new Float32Array((FINE + 1) * taps);
  for (let place = 0; place <= FINE; place++) {
    const weights = Array.from({ length: taps }, (_, i) => kernel(Math.abs((place / FINE + i) / widen - REACH)));
    const sum = weights.reduce((total, weight) => total + weight, 0);
    weights.forEach((weight, i) => {
      table[place * taps + i] = weight / sum;
    });
  }
  return table;
}

/**
 * Reads a raster at any place with a bicubic kernel that is widened by `widen` (at least 1), so that
 * shrinking does not alias. Beyond the edges the raster is mirrored.
 */
export class Sampler {
  readonly #raster: Raster;
  readonly #reach: number;
  readonly #taps: number;
  readonly #weights: Float32Array;
  readonly #columns = new Int32Array(MOST_TAPS);
  /** The three values of the last place read. */
  readonly out = new Float32Array(3);

  constructor(raster: Raster, widen: number) {
    const within = Math.min(MOST_SHRINK, Math.max(1, widen));
    this.#raster = raster;
    this.#reach = REACH * within;
    this.#taps = Math.ceil(2 * this.#reach);
    this.#weights = weightTable(within, this.#taps);
  }

  /** Reads at (x, y), pixel centres at + ½, into `out`. */
  read(x: number, y: number): void {
    const { width, height } = this.#raster;
    const taps = this.#taps;
    const [startX, startY] = [x - 0.5 - this.#reach, y - 0.5 - this.#reach];
    const [left, top] = [Math.ceil(startX), Math.ceil(startY)];
    const across = (((left - startX) * FINE + 0.5) | 0) * taps;
    const down = (((top - startY) * FINE + 0.5) | 0) * taps;
    if (left >= 0 && top >= 0 && left + taps <= width && top + taps <= height) this.#inside(left, top, across, down);
    else this.#beyond(left, top, across, down);
  }

  #inside(left: number, top: number, across: number, down: number): void {
    const { data, width } = this.#raster;
    const weights = this.#weights;
    const taps = this.#taps;
    let red = 0;
    let green = 0;
    let blue = 0;
    for (let j = 0, row = (top * width + left) * 3; j < taps; j++, row += width * 3) {
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

  #beyond(left: number, top: number, across: number, down: number): void {
    const { data, width, height } = this.#raster;
    const weights = this.#weights;
    const taps = this.#taps;
    const columns = this.#columns;
    for (let i = 0; i < taps; i++) columns[i] = mirrored(left + i, width) * 3;
    let red = 0;
    let green = 0;
    let blue = 0;
    for (let j = 0; j < taps; j++) {
      const row = mirrored(top + j, height) * width * 3;
      const strength = weights[down + j] as number;
      for (let i = 0; i < taps; i++) {
        const at = row + (columns[i] as number);
        const weight = strength * (weights[across + i] as number);
        red += weight * (data[at] as number);
        green += weight * (data[at + 1] as number);
        blue += weight * (data[at + 2] as number);
      }
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

/** Left, top, right, bottom: the last two are outside. */
export type Rectangle = readonly [number, number, number, number];

/**
 * A reader for target pixels that lie in the raster where `map` says, and that mapping as the reader
 * needs it. Only the rectangle (of the raster) is going to be read: where the mapping shrinks much,
 * a reduced copy of it is made, else nothing is copied.
 */
export function readerFor(source: Raster, map: Similarity, rectangle: Rectangle): { sampler: Sampler; map: Similarity } {
  const shrink = scaleOf(map);
  if (shrink <= MOST_SHRINK) return { sampler: new Sampler(source, shrink), map };
  const factor = Math.floor(shrink);
  const margin = 2 * REACH * factor * MOST_SHRINK;
  const [left, top, right, bottom] = rectangle;
  const reduced = reduce(source, [left - margin, top - margin, right + margin, bottom + margin], factor);
  return { sampler: new Sampler(reduced.raster, shrink / factor), map: compose(map, reduced.map) };
}

/** Means of `factor` × `factor` pixels over a rectangle, and the mapping from the raster's coordinates into them. */
function reduce(source: Raster, [left, top, right, bottom]: Rectangle, factor: number): { raster: Raster; map: Similarity } {
  const x0 = Math.max(0, Math.floor(left / factor) * factor);
  const y0 = Math.max(0, Math.floor(top / factor) * factor);
  const width = Math.max(1, Math.ceil((Math.min(right, source.width) - x0) / factor));
  const height = Math.max(1, Math.ceil((Math.min(bottom, source.height) - y0) / factor));
  const data = new Float32Array(width * height * 3);
  for (let y = 0; y < height; y++) {
    const rows = Math.min(factor, source.height - y0 - y * factor);
    for (let x = 0; x < width; x++) {
      const columns = Math.min(factor, source.width - x0 - x * factor);
      let red = 0;
      let green = 0;
      let blue = 0;
      for (let j = 0; j < rows; j++) {
        let at = ((y0 + y * factor + j) * source.width + x0 + x * factor) * 3;
        for (let i = 0; i < columns; i++, at += 3) {
          red += source.data[at] as number;
          green += source.data[at + 1] as number;
          blue += source.data[at + 2] as number;
        }
      }
      const count = rows * columns;
      const to = (y * width + x) * 3;
      data[to] = red / count;
      data[to + 1] = green / count;
      data[to + 2] = blue / count;
    }
  }
  return { raster: { data, width, height }, map: { a: 1 / factor, b: 0, x0: -x0 / factor, y0: -y0 / factor } };
}
