import { blockMagnitudes, isPattern, type Magnitudes, PLACES, type Plane, PRECISION, spreadSquares } from './block-magnitudes.ts';
import type { JpegQuality } from './jpeg-quality.ts';
import { coarsenessOf, STANDARD_CHROMA, STANDARD_LUMA, tableAt } from './jpeg-tables.ts';

/** A JPEG compression that the picture went through before it became this file. */
export interface EarlierJpeg extends JpegQuality {
  /** Column and row of its first whole block, 0-7. */
  readonly phaseX: number;
  readonly phaseY: number;
  /** The evidence for it, in standard deviations of chance. */
  readonly sigmas: number;
}

export interface KnownOfFile {
  /** The file's own tables. */
  readonly jpeg: JpegQuality | undefined;
  readonly grey: boolean;
}

/** Qualities that are told apart. Below, steps are as large as the range of values; above, rounding to pixels hides them. */
const QUALITIES = Array.from({ length: 90 }, (_, i) => i + 6);
/** What decides; `training/earlier.py` has the same numbers. */
export const LIMITS = {
  /** Squares looked at to find the place, and then the quality. */
  few: 256,
  many: 1024,
  /**
   * Evidence from which an earlier compression is believed: so many standard deviations, and a mean cosine. Pictures that
   * were never compressed, resized, blurred, sharpened or noisy ones and single JPEGs at any other phase read 9 or less
   * (24 validation photographs each, 160 and 512 px; two of 24 coarse WebP of 160 px 9.1 and 10.2); quality 30 under 50, shifted, 11-30; 60 saved as PNG 30-75.
   */
  sigmas: 9,
  near: 0.1,
  /** Below `coarseQuality` there are few steps to show; and multiples of the file's own steps fall on some of coarser ones. */
  nearCoarse: 0.35,
  coarseQuality: 20,
  /** Against the file's own tables: from there on it is the earlier compression that is to be repaired (measured: `training/LOG.md`). */
  coarser: 1.5,
  /**
   * Evidence for chroma of full resolution, in the chroma planes: half-size chroma that was enlarged again reads 12 and
   * 0.5 at most, on 14 validation photographs; full-size one 11-46 and 0.4-0.9. Below this quality it hardly matters.
   */
  fullChroma: 13,
  nearFull: 0.4,
  fullQuality: 40,
};

/**
 * Standard deviations without the means of blocks, below which it was drawn, as is what repeats: a mosaic has none at all,
 * photographs of 160 and 400 px at quality 8 to 92, shifted, as PNG and saved again at 95, have 2.2 and more.
 * `training/earlier.py`, which sees photographs alone, asks for neither.
 */
const LEAST_DETAIL = 2;

/** Steps at `PLACES`, and coarseness, of one quality. */
interface Candidate {
  readonly quality: number;
  readonly scale: number;
  readonly steps: readonly number[];
}

function candidate(standard: readonly number[], quality: number): Candidate {
  const table = tableAt(standard, quality);
  return { quality, scale: coarsenessOf(table, standard), steps: PLACES.map(([down, across]) => table[8 * down + across] as number) };
}

const CANDIDATES: readonly Candidate[] = QUALITIES.map((quality) => candidate(STANDARD_LUMA, quality));

/**
 * Looks in HWC uint8 RGB for an earlier compression, clearly coarser than the file's own where that is a JPEG. What was
 * quantised once keeps its DCT coefficients near multiples of the steps, whatever was done after on another grid or with
 * finer steps; so every phase of the grid and every quality's table is tried on a sample of blocks, about 15 ms for any size.
 * Same numbers as `training/earlier.py`. Chroma is taken to be 4:2:0 where it does not read as 4:4:4 clearly.
 *
 * After: Z. Fan, R. de Queiroz, Identification of bitmap compression history, IEEE TIP 12 (2003).
 * @returns undefined where there is none, or one of tables unlike libjpeg's
 */
export function findEarlierJpeg(rgb: Uint8Array, width: number, height: number, { jpeg, grey }: KnownOfFile): EarlierJpeg | undefined {
  const candidates = CANDIDATES.filter(({ scale }) => scale >= LIMITS.coarser * (jpeg?.lumaScale ?? 0));
  const few = spreadSquares(rgb, width, height, LIMITS.few);
  if (candidates.length === 0 || few.count === 0) return undefined;
  const place = strongest(
    blockMagnitudes(few),
    candidates.filter((_, i) => i % 2 === 0),
  ).phase;
  const [phaseY, phaseX] = [place >> 3, place & 7];
  const many = spreadSquares(rgb, width, height, LIMITS.many);
  const magnitudes = blockMagnitudes(many, place);
  const { candidate: found, sigmas, near } = strongest(magnitudes, candidates);
  const ownGrid = jpeg !== undefined && place === 0;
  const least = found.quality < LIMITS.coarseQuality || ownGrid ? LIMITS.nearCoarse : LIMITS.near;
  if (sigmas < LIMITS.sigmas || near < least) return undefined;
  if (strongest(withoutMeans(magnitudes), [found]).sigmas < LEAST_DETAIL || isPattern(many)) return undefined;
  const { quality, scale: lumaScale } = found;
  const chroma = candidate(STANDARD_CHROMA, quality);
  const full = grey || (quality >= LIMITS.fullQuality && hasFullChroma({ rgb, width, height }, place, chroma));
  return { phaseX, phaseY, sigmas, quality, lumaScale, chromaScale: grey ? lumaScale : chroma.scale, subsampling: full ? 0 : 1 };
}

/** A mosaic's blocks are flat, and so the means of those on its grid are whole numbers: only the other coefficients speak of a JPEG. */
function withoutMeans({ places, ...rest }: Magnitudes): Magnitudes {
  return { ...rest, places: places.map((values, place) => (place === 0 ? new Uint16Array(values.length) : values)) };
}

function hasFullChroma(
  { rgb, width, height }: { rgb: Uint8Array; width: number; height: number },
  place: number,
  table: Candidate,
): boolean {
  const [cb, cr] = CHROMA_PLANES.map((plane) =>
    strongest(blockMagnitudes(spreadSquares(rgb, width, height, LIMITS.many, plane), place), [table]),
  ) as [Evidence, Evidence];
  return Math.max(cb.sigmas, cr.sigmas) >= LIMITS.fullChroma && (cb.near + cr.near) / 2 >= LIMITS.nearFull;
}

/** Cb and Cr of ITU-T T.871 §7. */
const CHROMA_PLANES: readonly Plane[] = [
  [-0.168736, -0.331264, 0.5],
  [0.5, -0.418688, -0.081312],
].map(
  ([red = 0, green = 0, blue = 0]) =>
    (rgb, at) =>
      Math.round(128 + red * (rgb[at] as number) + green * (rgb[at + 1] as number) + blue * (rgb[at + 2] as number)),
);

interface Evidence {
  readonly candidate: Candidate;
  readonly phase: number;
  /** Mean cosine of the magnitudes' place between multiples: 1 on them, 0 anywhere. */
  readonly near: number;
  /** The same in standard deviations of what magnitudes anywhere would give. */
  readonly sigmas: number;
}

/** The phase and the table that the magnitudes speak for most. */
function strongest(magnitudes: Magnitudes, candidates: readonly Candidate[]): Evidence {
  const { phases } = magnitudes;
  const sums = sumsBySteps(magnitudes, candidates);
  const spreads = Float64Array.from({ length: phases }, (_, phase) => spreadOf(magnitudes, phase));
  const total = new Float64Array(phases);
  const count = new Float64Array(phases);
  let best: Evidence = { candidate: candidates[0] as Candidate, phase: 0, near: 0, sigmas: Number.NEGATIVE_INFINITY };
  for (const candidate of candidates) {
    total.fill(0);
    count.fill(0);
    candidate.steps.forEach((step, place) => {
      const sum = sums[place]?.get(step) as Float64Array;
      for (let phase = 0; phase < phases; phase++) {
        // Means that are all alike say nothing of the step.
        if (place === 0 && (spreads[phase] as number) <= step) continue;
        const counted = Math.floor((sum[phase] as number) / COUNTED + 0.5);
        count[phase] = (count[phase] as number) + counted;
        total[phase] = (total[phase] as number) + (sum[phase] as number) - counted * COUNTED;
      }
    });
    for (let phase = 0; phase < phases; phase++) {
      const [cosines, seen] = [total[phase] as number, count[phase] as number];
      const sigmas = seen > 0 ? cosines / Math.sqrt(seen / 2) : 0;
      if (sigmas > best.sigmas) best = { candidate, phase, near: seen > 0 ? cosines / seen : 0, sigmas };
    }
  }
  return best;
}

/**
 * For each place and step the sums of `cosinesOf` of every phase. Neighbouring qualities share steps, and a table is
 * used for all phases while it is in the processor's cache: six times as fast as phase by phase.
 */
function sumsBySteps({ places, phases, count }: Magnitudes, candidates: readonly Candidate[]): readonly Map<number, Float64Array>[] {
  return places.map((values, place) => {
    const steps = [...new Set(candidates.map((candidate) => candidate.steps[place] as number))];
    const tables = steps.map((step) =>
      place === 0 ? cosinesOf(step, meanTables, 0) : cosinesOf(step, detailTables, (step * PRECISION) / 2 + 1),
    );
    const sums = steps.map(() => new Float64Array(phases));
    for (let at = 0; at < steps.length; at += 4) addFour(values, count, tables.slice(at, at + 4), sums.slice(at, at + 4));
    return new Map(steps.map((step, i) => [step, sums[i] as Float64Array]));
  });
}

/** Up to four tables in one loop: an addition waits for the one before it, but not for those of the other tables. */
function addFour(values: Uint16Array, count: number, tables: readonly Float32Array[], sums: readonly Float64Array[]): void {
  const [a, b = a, c = a, d = a] = tables as [Float32Array];
  for (let phase = 0, i = 0; i < values.length; phase++) {
    let [one, two, three, four] = [0, 0, 0, 0];
    for (const end = i + count; i < end; i++) {
      const value = values[i] as number;
      one += a[value] as number;
      two += b[value] as number;
      three += c[value] as number;
      four += d[value] as number;
    }
    [one, two, three, four].forEach((sum, n) => {
      const own = sums[n];
      if (own) own[phase] = sum;
    });
  }
}

/** Standard deviation of the means of a phase's blocks, in units of the coefficients. */
function spreadOf({ places, count }: Magnitudes, phase: number): number {
  const values = (places[0] as Uint16Array).subarray(phase * count, (phase + 1) * count);
  const mean = values.reduce((a, b) => a + b, 0) / Math.max(1, count);
  return Math.sqrt(values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / Math.max(1, count)) / PRECISION;
}

/** Of every magnitude there can be: 8 × 128 at most. */
const MAGNITUDES = 1024 * PRECISION + 1;
/** Added to every cosine that counts, so that one sum holds both the cosines and how many there were (at most `LIMITS.many`). */
const COUNTED = 4096;
type Tables = Map<number, Float32Array>;
const meanTables: Tables = new Map();
const detailTables: Tables = new Map();

/** Cosine of each magnitude's place between multiples, plus `COUNTED`; 0 below `from`: what was rounded to zero says nothing. */
function cosinesOf(step: number, tables: Tables, from: number): Float32Array {
  let table = tables.get(step);
  if (!table) {
    table = new Float32Array(MAGNITUDES);
    const period = PRECISION * step;
    const once = Math.min(period, MAGNITUDES);
    for (let value = 0; value < once; value++) table[value] = COUNTED + Math.cos((2 * Math.PI * value) / period);
    for (let value = once; value < MAGNITUDES; value++) table[value] = table[value - period] as number;
    table.fill(0, 0, Math.ceil(from));
    tables.set(step, table);
  }
  return table;
}
