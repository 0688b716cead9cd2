import { exactLumaAt } from './picture.ts';

/** Pixels of each side, in the middle, that are looked at. More would tell more of noise, too. */
const SIDE = 1024;
/** Below so many px of a side there are too few blocks. */
const LEAST_SIDE = 96;
/** Levels, of 2×2 means, at which a bend counts half, and at which a place does; the mean of 5×5 bends says how calm one is. */
const SOFT = 6;
const CALM = 3;
const AROUND = 5;
/** What changes over so many columns is the picture. */
const TREND = 33;
/** Nothing sticks out by more than so many times what half of all columns do. */
const OUTLYING = 4.5;
/** Frequencies for each column. */
const OVERSAMPLED = 2;
/** Part of the frequencies at either side of one that say what chance has there, and how many times it is taken in that part. */
const LEVEL = 0.08;
const LEVELS = 8;
/** So many times chance tells no less than more of it: a fence is one frequency, blocks are some. */
const MOST = 8;
/** Part of the most evidence from which on a frequency may be the one. */
const NEARLY = 0.9;
/** Sides of blocks, in columns of 2×2 means: 9 to 36 px, as those of 8 px are after enlarging by 1.1 to 4.5. */
const PERIODS = { least: 4.5, most: 18 };
const HARMONICS = 5;
/** Side, in the same, of the file's own blocks. */
const OWN = 4;

/**
 * Evidence that HWC uint8 RGB was a JPEG while it was smaller: coding blocks of another side than 8 px, which enlarging
 * leaves. Between them lines bend all over the picture at one distance and its parts, so the spectrum of how much columns
 * (rows) bend has lines there; frequencies of the file's own blocks are left out. About 30 ms for any size from 1 MP on.
 *
 * `training/lattice.py` has the same numbers. Of the 24 validation photographs, 300 to 600 px, blurred ones (also under
 * quality 80 and 50) read 5 and more in 2.3, 6 in 0.5 of 100, JPEGs enlarged 1.15 to 4 times, of quality 30 to 90, 5 in 85 and 6 in 80,
 * of those that the network for soft pictures would make worse 6 in 92. What was enlarged without ever being compressed reads 6
 * in 22, too, where the filter repeats within few pixels, and some pictures that were slightly resized without antialiasing do.
 *
 * After: A. Popescu, H. Farid, Exposing digital forgeries by detecting traces of resampling, IEEE TSP 53 (2005), for periods
 * that resizing leaves; T. Bianchi, A. Piva, Reverse engineering of double JPEG compression in the presence of image resizing,
 * WIFS 2012, for blocks that were resized.
 */
export function latticeOf(rgb: Uint8Array, width: number, height: number): Lattice {
  if (Math.min(width, height) < LEAST_SIDE) return { evidence: 0, period: 0 };
  const plane = meansInTheMiddle(rgb, width, height);
  const size = OVERSAMPLED * Math.max(plane.columns, plane.rows);
  const [across, down] = [evidence(bendsAt(plane), size), evidence(bendsAt(onItsSide(plane)), size)];
  const both = across.counted.map((value, i) => (value + (down.counted[i] as number)) / Math.SQRT2);
  const most = both.reduce((a, b) => Math.max(a, b));
  const whole = across.whole.map((value, i) =>
    (both[i] as number) < NEARLY * most ? Number.NEGATIVE_INFINITY : value + (down.whole[i] as number),
  );
  const best = whole.reduce((best, value, i) => (value > (whole[best] as number) ? i : best), 0);
  return { evidence: Math.max(0, most), period: (4 * size) / (firstOf(size) + best) };
}

/** Blocks of another side than 8 px. */
export interface Lattice {
  /** In standard deviations of chance, the largest of all periods; 0 and more. */
  readonly evidence: number;
  /** Their side, px, where there are any; it may be half or twice that. */
  readonly period: number;
}

interface Plane {
  readonly luma: Float32Array;
  readonly columns: number;
  readonly rows: number;
}

/** Luma of the middle of the picture in means of 2×2 pixels. */
function meansInTheMiddle(rgb: Uint8Array, width: number, height: number): Plane {
  const [columns, rows] = [Math.min(width, SIDE) >> 1, Math.min(height, SIDE) >> 1];
  const [left, top] = [(width - 2 * columns) >> 1, (height - 2 * rows) >> 1];
  const luma = new Float32Array(columns * rows);
  for (let y = 0, i = 0; y < rows; y++) {
    let at = ((top + 2 * y) * width + left) * 3;
    for (const below = width * 3, end = i + columns; i < end; i++, at += 6) {
      luma[i] = (exactLumaAt(rgb, at) + exactLumaAt(rgb, at + 3) + exactLumaAt(rgb, at + below) + exactLumaAt(rgb, at + below + 3)) / 4;
    }
  }
  return { luma, columns, rows };
}

/** How much lines bend at each column, 0…1, in calm places: large bends, the picture's own, count little more than small ones. */
function bendsAt({ luma, columns, rows }: Plane): Float64Array {
  const width = columns - 2;
  const bends = new Float32Array(width * rows);
  for (let y = 0, i = 0; y < rows; y++)
    for (let x = 0, at = y * columns; x < width; x++, i++, at++)
      bends[i] = Math.abs((luma[at] as number) - 2 * (luma[at + 1] as number) + (luma[at + 2] as number));
  const half = AROUND >> 1;
  const [sums, weights] = [new Float64Array(width - 2 * half), new Float64Array(width - 2 * half)];
  const around = new Float64Array(width);
  for (let y = half; y < rows - half; y++) {
    around.fill(0);
    for (let row = y - half; row <= y + half; row++) addTo(around, bends, row * width);
    let busy = 0;
    for (let x = 0; x < width; x++) {
      busy += (around[x] as number) - (around[x - AROUND] ?? 0);
      const column = x - 2 * half;
      if (column < 0) continue;
      const weight = 1 / (1 + (busy / AROUND ** 2 / CALM) ** 2);
      const bend = bends[y * width + x - half] as number;
      weights[column] = (weights[column] as number) + weight;
      sums[column] = (sums[column] as number) + (weight * bend) / (bend + SOFT);
    }
  }
  return sums.map((sum, i) => sum / (weights[i] as number));
}

function addTo(sums: Float64Array, values: Float32Array, from: number): void {
  for (let i = 0; i < sums.length; i++) sums[i] = (sums[i] as number) + (values[from + i] as number);
}

function onItsSide({ luma, columns, rows }: Plane): Plane {
  const turned = new Float32Array(luma.length);
  for (let y = 0, at = 0; y < rows; y++) for (let x = 0; x < columns; x++, at++) turned[x * rows + y] = luma[at] as number;
  return { luma: turned, columns: rows, rows: columns };
}

/** The lowest frequency that is looked at, in halves of 1/size. */
const firstOf = (size: number) => Math.ceil((2 * size) / PERIODS.most);

/** By frequency, in halves of 1/size. */
interface Evidence {
  /** What stands out of chance at it and its multiples, none by more than `MOST`, in standard deviations of chance. */
  readonly counted: Float64Array;
  /** The same by however much: neighbours that all stand out by more than that are told apart by it. */
  readonly whole: Float64Array;
}

function evidence(bends: Float64Array, size: number): Evidence {
  const power = powerOf(tapered(withoutTrend(bends)), size);
  const level = levelsOf(power);
  const reach = (1.5 * size) / bends.length;
  const isOwn = (bin: number) => Math.abs(bin - (Math.round((bin * OWN) / size) * size) / OWN) < reach;
  const out = power.map((value, bin) => (isOwn(bin) ? Number.NaN : value / (level[bin] as number)));
  const [from, to] = [firstOf(size), Math.floor((2 * size) / PERIODS.least)];
  const [counted, whole] = [new Float64Array(to - from + 1), new Float64Array(to - from + 1)];
  for (let i = 0; i < counted.length; i++) {
    const lines = Array.from({ length: HARMONICS }, (_, k) => out[((k + 1) * (from + i) + 1) >> 1] ?? Number.NaN);
    const seen = lines.filter((value) => !Number.isNaN(value));
    const scale = Math.sqrt(Math.max(1, seen.length));
    counted[i] = seen.reduce((sum, value) => sum + Math.min(MOST, value) - 1, 0) / scale;
    whole[i] = seen.reduce((sum, value) => sum + value, 0) / scale;
  }
  return { counted, whole };
}

/** Less the mean of those around each, and never far out. */
function withoutTrend(values: Float64Array): Float64Array {
  const half = TREND >> 1;
  const apart = values.map((value, i) => value - mean(values.subarray(Math.max(0, i - half), i + half + 1)));
  const most = OUTLYING * median(apart.map(Math.abs));
  return apart.map((value) => Math.max(-most, Math.min(most, value)));
}

/** Hann's window. */
const tapered = (values: Float64Array) =>
  values.map((value, i) => value * (0.5 - 0.5 * Math.cos((2 * Math.PI * (i + 0.5)) / values.length)));

/** Squared magnitudes at multiples of 1/size below one half; size is even. */
function powerOf(values: Float64Array, size: number): Float64Array {
  const angles = Float64Array.from({ length: size }, (_, i) => (2 * Math.PI * i) / size);
  const [cosines, sines] = [angles.map(Math.cos), angles.map(Math.sin)];
  return Float64Array.from({ length: size >> 1 }, (_, bin) => {
    let [real, imaginary] = [0, 0];
    for (let i = 0, turn = 0; i < values.length; i++, turn = (turn + bin) % size) {
      real += (values[i] as number) * (cosines[turn] as number);
      imaginary += (values[i] as number) * (sines[turn] as number);
    }
    return real ** 2 + imaginary ** 2;
  });
}

/** What chance has near each frequency: the mean of an exponential distribution of the median there. */
function levelsOf(power: Float64Array): Float64Array {
  const half = Math.max(1, Math.round(power.length * LEVEL));
  const step = Math.max(1, Math.floor(half / LEVELS));
  const levels = new Float64Array(power.length);
  for (let at = 0; at < power.length; at += step) {
    const middle = at + (step >> 1);
    levels.fill(median(power.slice(Math.max(0, middle - half), middle + half + 1)) / Math.LN2 + 1e-12, at, at + step);
  }
  return levels;
}

const mean = (values: Float64Array) => values.reduce((sum, value) => sum + value, 0) / values.length;

function median(values: Float64Array): number {
  const sorted = values.slice().sort();
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? (sorted[middle] as number) : ((sorted[middle - 1] as number) + (sorted[middle] as number)) / 2;
}
