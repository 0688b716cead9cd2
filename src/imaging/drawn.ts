import { isPattern, spreadSquares } from './block-magnitudes.ts';
import type { Pixels } from './forms.ts';
import { lumaAt } from './picture.ts';

/** What in a picture reads as noise and is none: it was drawn. */
export type Drawn = 'few colours' | 'regular pattern' | 'regular lines' | 'lines' | 'dots';

const BLOCK = 16;
/** A block with the border that its second differences need. */
const SIDE = BLOCK + 2;
/** Blocks looked at, spread over the picture, and so few that nothing is said. */
const [MOST, FEWEST] = [512, 8];
/** Mean luma beyond which a block is clipped. */
const [DARKEST, BRIGHTEST] = [8, 247];
/** From the quiet blocks, where a picture shows its noise if it has any: this part of their order. */
const [FROM, TO] = [0.1, 0.3];
/** Distances at which a pattern may repeat, px; noise of cameras is correlated over less. */
const [NEAR, FAR] = [3, 12];
/**
 * Limits. Of 24 validation photographs with white, correlated, grey and Poisson noise of sigma 2 to 50, as they are and as
 * JPEG of quality 50, 75 and 90, the correlation is 0.23 at most and the evenness 0.54 at least (0.6 where the noise estimate
 * is 6 and more; 0.8 is a Gaussian's own); chequers, screens, stripes and weaves have correlations of 0.78 and more,
 * lettering and tables an evenness of 0.43 to 0.64. Where the fine estimate sees no noise, photographs read from 0.5 on, enlarged
 * pixels 0.21. Coarse coding fills small print with rings until it is as even as noise (0.6 to 0.66 at quality 15 to 75): there
 * half of the picture must be one light ground, which no night with its noise is.
 */
export const LIMITS = { correlation: 0.4, evenness: 0.53, quietEvenness: 0.4, evennessOnPage: 0.7 };
/** Levels of luma that are one ground, the part of the picture that has them, and the least of them. */
export const PAGE = { levels: 17, part: 0.5, lightest: 160 };
/**
 * Two tones: so much of the picture in the outer quarters between these percentiles of its luma, which lie so far apart.
 * Drawings of two colours have 0.87 and more under any compression; noise of 60 and more on two tones blurs them. Not taken for
 * light letters on a dark ground: a night with lit windows and its noise, in a JPEG, is as uneven and has two tones as well.
 */
export const TWO_TONES = { from: 0.05, to: 0.95, contrast: 120, part: 0.86 };
/** Sigma from which noise in two tones is dots, as dithering draws greys (75 to 107). */
export const DOTS_SIGMA = 60;

/** Colours up to which a picture is drawn, and how far apart they are at least: noise has neighbouring ones. */
export const FEW = { colours: 64, apart: 2, pixelsPerColour: 64 };

/**
 * Whether HWC uint8 RGB has so few colours, so far from each other, that nothing but drawing made them. For pixels that were
 * never compressed with loss. Stops at the first colour too many.
 */
export function hasFewColours(rgb: Uint8Array): boolean {
  const most = Math.min(FEW.colours, Math.floor(rgb.length / 3 / FEW.pixelsPerColour));
  const seen = new Set<number>();
  let [last, low, high] = [-1, 255, 0];
  for (let i = 0; i < rgb.length; i += 3) {
    const colour = ((rgb[i] as number) << 16) | ((rgb[i + 1] as number) << 8) | (rgb[i + 2] as number);
    if (colour === last) continue;
    last = colour;
    if (seen.has(colour)) continue;
    if (seen.size >= most) return false;
    seen.add(colour);
    const luma = lumaAt(rgb, i);
    [low, high] = [Math.min(low, luma), Math.max(high, luma)];
  }
  return high - low >= FEW.apart * seen.size;
}

/**
 * Tells noise from what only reads like it, in the Laplacian of the quiet blocks of HWC uint8 RGB. Noise is a Gaussian, or
 * nearly: mean size against root mean square 0.8. Lines and letters on a plain ground are rarer and larger. A pattern comes
 * again. About 8 ms for any size. Undefined: noise, or too little to tell.
 * @param quiet the fine noise estimate (`noise.ts`) sees none, only the coarse one does
 */
export function drawnIn({ rgb, width, height }: Pixels, quiet: boolean): Drawn | undefined {
  const blocks = quietBlocks(rgb, width, height);
  if (blocks.length === 0) return undefined;
  const evennesses = blocks.map(({ strength, square }) => (square > 0 ? strength / Math.sqrt(square) : 0)).sort((a, b) => a - b);
  const evenness = evennesses[evennesses.length >> 1] as number;
  const least = quiet ? LIMITS.quietEvenness : LIMITS.evenness;
  const lines = evenness < least || (!quiet && evenness < LIMITS.evennessOnPage && isPage(rgb));
  if (correlationOf(blocks) < LIMITS.correlation) return lines ? 'lines' : isDots(blocks, rgb) ? 'dots' : undefined;
  if (!lines) return 'regular pattern';
  // A page's lines of small print come again as well, but not with the same letters.
  return isPattern(spreadSquares(rgb, width, height, MOST)) ? 'regular lines' : 'lines';
}

/** Share of the picture at each level of luma, of about 65 000 pixels an odd number apart. */
function lumaHistogram(rgb: Uint8Array): Float64Array {
  const histogram = new Float64Array(256);
  const step = 3 * (Math.floor(rgb.length / 3 / 65_536) | 1);
  const share = 1 / Math.ceil(rgb.length / step);
  for (let i = 0; i < rgb.length; i += step) {
    const luma = lumaAt(rgb, i);
    histogram[luma] = (histogram[luma] as number) + share;
  }
  return histogram;
}

const shareOf = (histogram: Float64Array, from: number, to: number) => histogram.subarray(from, to).reduce((a, b) => a + b, 0);

/** Whether most of it is one light ground. */
function isPage(rgb: Uint8Array): boolean {
  const histogram = lumaHistogram(rgb);
  for (let low = PAGE.lightest; low + PAGE.levels <= 256; low++) if (shareOf(histogram, low, low + PAGE.levels) >= PAGE.part) return true;
  return false;
}

/** Whether nearly all of it is one of two tones. */
function isTwoToned(rgb: Uint8Array): boolean {
  const histogram = lumaHistogram(rgb);
  const levelAt = (part: number) => {
    let [level, below] = [0, histogram[0] as number];
    while (below < part && level < 255) below += histogram[++level] as number;
    return level;
  };
  const [low, high] = [levelAt(TWO_TONES.from), levelAt(TWO_TONES.to)];
  const quarter = (high - low) / 4;
  const outer = shareOf(histogram, 0, Math.round(low + quarter)) + shareOf(histogram, Math.round(high - quarter) + 1, 256);
  return high - low >= TWO_TONES.contrast && outer >= TWO_TONES.part;
}

/** Whether what reads as noise is dots of two tones: too strong to be noise, by the median of the blocks (the Laplacian's gain is 6). */
function isDots(blocks: readonly Block[], rgb: Uint8Array): boolean {
  const squares = blocks.map(({ square }) => square).sort((a, b) => a - b);
  return Math.sqrt(squares[squares.length >> 1] as number) / 6 >= DOTS_SIGMA && isTwoToned(rgb);
}

interface Block {
  /** Laplacian of the luma, BLOCK × BLOCK. */
  readonly bent: Float64Array;
  /** Mean of its sizes, and of its squares. */
  readonly strength: number;
  readonly square: number;
  readonly level: number;
}

function quietBlocks(rgb: Uint8Array, width: number, height: number): readonly Block[] {
  const across = Math.floor((width - 2) / BLOCK);
  const total = across * Math.floor((height - 2) / BLOCK);
  if (across < 1 || total < FEWEST) return [];
  // An odd stride in reading order, as for the noise.
  const stride = total <= MOST ? 1 : Math.ceil(total / MOST) | 1;
  const blocks: Block[] = [];
  for (let at = 0; at < total; at += stride) {
    const block = blockAt(rgb, width, (at % across) * BLOCK, Math.floor(at / across) * BLOCK);
    if (block.level > DARKEST && block.level < BRIGHTEST) blocks.push(block);
  }
  if (blocks.length < FEWEST) return [];
  blocks.sort((a, b) => a.strength - b.strength);
  return blocks.slice(Math.floor(FROM * blocks.length), Math.ceil(TO * blocks.length));
}

function blockAt(rgb: Uint8Array, width: number, x: number, y: number): Block {
  const luma = new Float64Array(SIDE * SIDE);
  let level = 0;
  for (let j = 0, to = 0; j < SIDE; j++) {
    for (let i = 0, at = ((y + j) * width + x) * 3; i < SIDE; i++, at += 3) level += luma[to++] = lumaAt(rgb, at);
  }
  const bentDown = new Float64Array(SIDE * SIDE);
  for (let i = SIDE; i < luma.length - SIDE; i++) {
    bentDown[i] = (luma[i - SIDE] as number) - 2 * (luma[i] as number) + (luma[i + SIDE] as number);
  }
  const bent = new Float64Array(BLOCK * BLOCK);
  let [strength, square] = [0, 0];
  for (let j = 0; j < BLOCK; j++) {
    for (let i = 0, at = (j + 1) * SIDE + 1; i < BLOCK; i++, at++) {
      const value = (bentDown[at - 1] as number) - 2 * (bentDown[at] as number) + (bentDown[at + 1] as number);
      bent[j * BLOCK + i] = value;
      strength += Math.abs(value);
      square += value * value;
    }
  }
  const count = BLOCK * BLOCK;
  return { bent, strength: strength / count, square: square / count, level: level / luma.length };
}

/** The largest normalised autocorrelation along an axis, of all blocks together. */
function correlationOf(blocks: readonly Block[]): number {
  let most = 0;
  for (let distance = NEAR; distance <= FAR; distance++) {
    for (const vertical of [false, true]) {
      let [product, scale] = [0, 0];
      for (const { bent } of blocks) {
        let [both, one, other] = [0, 0, 0];
        for (let j = 0; j < (vertical ? BLOCK - distance : BLOCK); j++) {
          for (let i = 0; i < (vertical ? BLOCK : BLOCK - distance); i++) {
            const a = bent[j * BLOCK + i] as number;
            const b = bent[vertical ? (j + distance) * BLOCK + i : j * BLOCK + i + distance] as number;
            both += a * b;
            one += a * a;
            other += b * b;
          }
        }
        product += both;
        scale += Math.sqrt(one * other);
      }
      if (scale > 0) most = Math.max(most, Math.abs(product) / scale);
    }
  }
  return most;
}
