import type { Pixels } from './forms.ts';
import { exactLumaAt } from './picture.ts';
import { sampleOf } from './sample.ts';

const BLOCK = 16;
/** Blocks below which nothing is said. */
const FEWEST = 24;
/** Mean luma beyond which a block is clipped. */
const [DARKEST, BRIGHTEST] = [12, 243];

interface Size {
  readonly width: number;
  readonly height: number;
}

/** Where two restorations of one picture differ. */
export interface Difference {
  /** Root mean square over the usable blocks and the three colours, in levels. */
  readonly size: number;
  /**
   * How it follows the picture's own contrast, −1…1: the correlation of the logarithms of both over blocks of 16×16, less
   * what either owes to the block's brightness, as a camera's noise does. Texture that is taken away lies where there is
   * contrast, noise lies everywhere.
   */
  readonly follows: number;
}

/** What a restoration took away from a picture of the same size, by samples of both. */
export function takenFrom(picture: Pixels, restored: Uint8Array): Difference | undefined {
  const sample = sampleOf(picture);
  return differenceOf(sampleOf({ ...picture, rgb: restored }).rgb, sample.rgb, sample);
}

/**
 * Of two restorations of the same size, HWC uint8 RGB, the second the more careful one, or the source itself; undefined
 * where too few blocks are neither black nor white.
 */
export function differenceOf(bold: Uint8Array, careful: Uint8Array, { width, height }: Size): Difference | undefined {
  const blocks: Block[] = [];
  for (let y = 0; y + BLOCK <= height; y += BLOCK) {
    for (let x = 0; x + BLOCK <= width; x += BLOCK) {
      const block = blockAt(bold, careful, width, x, y);
      if (block.brightness > DARKEST && block.brightness < BRIGHTEST) blocks.push(block);
    }
  }
  if (blocks.length < FEWEST) return undefined;
  const size = Math.sqrt(meanOf(blocks.map(({ change }) => change ** 2)));
  const owed = axesOf(blocks.map(({ brightness }) => brightness / 255));
  const change = without(owed, centred(blocks.map((block) => Math.log(block.change + 0.1))));
  const contrast = without(owed, centred(blocks.map((block) => Math.log(block.contrast + 0.3))));
  const alone = Math.sqrt(product(change, change) * product(contrast, contrast));
  return { size, follows: alone > TINY ? product(change, contrast) / alone : 0 };
}

interface Block {
  /** Mean luma of the bold one. */
  readonly brightness: number;
  /** Its standard deviation, root mean square over the colours. */
  readonly contrast: number;
  /** What the careful one is apart, root mean square over pixels and colours. */
  readonly change: number;
}

function blockAt(bold: Uint8Array, careful: Uint8Array, width: number, x: number, y: number): Block {
  const sums = [0, 0, 0];
  let [luma, squares, apart] = [0, 0, 0];
  for (let j = y; j < y + BLOCK; j++) {
    for (let i = x, at = (j * width + x) * 3; i < x + BLOCK; i++, at += 3) {
      luma += exactLumaAt(bold, at);
      for (let c = 0; c < 3; c++) {
        const value = bold[at + c] as number;
        sums[c] = (sums[c] as number) + value;
        squares += value * value;
        apart += ((careful[at + c] as number) - value) ** 2;
      }
    }
  }
  const count = BLOCK * BLOCK;
  const mean = sums.reduce((total, sum) => total + (sum / count) ** 2, 0);
  return { brightness: luma / count, contrast: Math.sqrt(Math.max(0, squares / count - mean) / 3), change: Math.sqrt(apart / count / 3) };
}

/** Sums of squares that are rounding errors. */
const TINY = 1e-9;

const meanOf = (values: readonly number[]) => values.reduce((sum, value) => sum + value, 0) / values.length;
const product = (one: readonly number[], other: readonly number[]) => one.reduce((sum, value, i) => sum + value * (other[i] as number), 0);

function centred(values: readonly number[]): number[] {
  const mean = meanOf(values);
  return values.map((value) => value - mean);
}

/** The brightness and its square as two axes at right angles. */
function axesOf(brightness: readonly number[]): readonly number[][] {
  const straight = centred(brightness);
  return [straight, without([straight], centred(brightness.map((value) => value ** 2)))];
}

/** Centred values less their part along each axis. */
function without(axes: readonly (readonly number[])[], values: readonly number[]): number[] {
  return axes.reduce<number[]>(
    (rest, axis) => {
      const length = product(axis, axis);
      const part = length > TINY ? product(rest, axis) / length : 0;
      return rest.map((value, i) => value - part * (axis[i] as number));
    },
    [...values],
  );
}
