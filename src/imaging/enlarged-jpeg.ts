import { type Part, resized } from './bicubic.ts';
import { type EarlierJpeg, findEarlierJpeg } from './earlier-jpeg.ts';
import type { Pixels } from './forms.ts';
import type { Lattice } from './lattice.ts';

/** A JPEG compression that the picture went through while it was smaller. */
export interface EnlargedJpeg {
  readonly earlier: EarlierJpeg;
  /** Its size then, px. */
  readonly width: number;
  readonly height: number;
}

/** Longest side, px: in larger ones the period says less of the size. */
const MOST_SIDE = 2048;
/** Side of the middle that is asked, px, a multiple of 8, so that the first block begins in it where it does in the whole. */
const MIDDLE = 384;
const LEAST_SIDE = 48;
/** Sizes tried on either side of the one that the period says, px along the longer side: 95 of 100 lie within. */
const REACH = 4;
/** Times the period found: blocks leave lines at parts of their side, too. */
const TIMES = [1, 0.5, 2];
/** Evidence from which one is believed: more than where only one size is asked, as one of up to 27 reads high by chance. */
const LEAST_SIGMAS = 11;
/** Evidence after which no other size is tried. */
const SURE_SIGMAS = 20;
/** Sides of blocks after enlarging, px. */
const PERIODS = { least: 8.6, most: 40 };

/**
 * The size that HWC uint8 RGB had when it was a JPEG, before somebody enlarged it, and that JPEG's tables: of the sizes that
 * the lattice's period speaks for, the one at which the picture, made smaller again, has the coefficients of one on multiples of
 * a table's steps (`findEarlierJpeg`); for that the size must be the very one. About 30 to 60 ms for each size: no more
 * of it is made than the middle.
 * @returns undefined where no size has that
 */
export function findEnlargedJpeg(picture: Pixels, { period }: Lattice, grey: boolean): EnlargedJpeg | undefined {
  if (Math.max(picture.width, picture.height) > MOST_SIDE) return undefined;
  for (const side of TIMES.map((times) => times * period)) {
    if (side < PERIODS.least || side > PERIODS.most) continue;
    let best: EnlargedJpeg | undefined;
    for (const size of sizesBefore(picture, side)) {
      const small = resized(picture, size, middleOf(size));
      const earlier = findEarlierJpeg(small.rgb, small.width, small.height, { jpeg: undefined, grey });
      if (earlier && earlier.sigmas >= Math.max(LEAST_SIGMAS, best?.earlier.sigmas ?? 0)) best = { earlier, ...size };
      if (best && best.earlier.sigmas >= SURE_SIGMAS) return best;
    }
    if (best) return best;
  }
  return undefined;
}

function sizesBefore({ width, height }: Pixels, side: number): { width: number; height: number }[] {
  const longer = Math.max(width, height);
  const middle = Math.round((longer * 8) / side);
  const steps = Array.from({ length: 2 * REACH + 1 }, (_, i) => (i % 2 === 0 ? i / 2 : -(i + 1) / 2));
  return steps
    .map((step) => (middle + step) / longer)
    .map((share) => ({ width: Math.round(width * share), height: Math.round(height * share) }))
    .filter((size) => Math.min(size.width, size.height) >= LEAST_SIDE);
}

function middleOf({ width, height }: { width: number; height: number }): Part {
  const [left, top] = [width, height].map((length) => Math.floor(Math.max(0, length - MIDDLE) / 16) * 8) as [number, number];
  return { left, top, width: Math.min(width, MIDDLE), height: Math.min(height, MIDDLE) };
}
