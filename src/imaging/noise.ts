const BLOCK = 16;
const PERCENTILE = 0.2;
const QUIETEST = 0.02;
/** Blocks looked at in a large picture, so that the cost does not grow with size: about 10 ms for any. */
const MOST_BLOCKS = 1024;
/** White noise reads low at the 20th percentile; measured on flat fields, sigma 2-50: 1.08. */
const CALIBRATION = 1.08;

/**
 * Raw noise estimate of HWC uint8 RGB, 0-255 scale: Immerkær's Laplacian per 16×16 block, 20th
 * percentile over blocks that are not clipped, mean over channels. The networks are conditioned on
 * exactly this number, so `training/analysis.py` computes it the same way.
 *
 * Source: J. Immerkær, Fast Noise Variance Estimation, CVIU 64 (1996).
 */
export function rawNoiseSigma(rgb: Uint8Array, width: number, height: number): number {
  return sigmaAt(PERCENTILE, blockStrengths({ rgb, width, columns: width, rows: height, cell: 1 }));
}

/**
 * The same on 2×2 sums, scaled so that white noise reads alike. Cameras leave noise that is
 * correlated over pixels: the fine estimate reads a tenth of it, this one most; texture reads
 * higher here, too.
 */
export function coarseNoise(rgb: Uint8Array, width: number, height: number): CoarseNoise {
  const strengths = blockStrengths({ rgb, width, columns: width >> 1, rows: height >> 1, cell: 2 });
  const sigma = 2 * sigmaAt(PERCENTILE, strengths);
  return { sigma, evenness: sigma > 0 ? (2 * sigmaAt(QUIETEST, strengths)) / sigma : 0 };
}

export interface CoarseNoise {
  /** 0-255 scale, as `rawNoiseSigma`. */
  readonly sigma: number;
  /**
   * The quietest blocks against the quiet ones, 0…1. Noise lies over the whole picture, texture does
   * not: clean photographs read 0.2-0.68, noise of sigma 8 and more 0.7-0.92 (LIVE1, McMaster,
   * validation photographs, SIDD and DND crops).
   */
  readonly evenness: number;
}

/** The estimate a person reads: calibrated on white noise, one decimal. */
export const reportedSigma = (raw: number) => Math.round(raw * CALIBRATION * 10) / 10;

/** A picture seen as columns × rows samples, each the sum of cell × cell pixels. */
interface Grid {
  readonly rgb: Uint8Array;
  readonly width: number;
  readonly columns: number;
  readonly rows: number;
  readonly cell: 1 | 2;
}

/** Mean |Laplacian| of the usable blocks of each channel, ascending. */
function blockStrengths(grid: Grid): readonly Float64Array[] {
  const across = Math.floor((grid.columns - 2) / BLOCK);
  const down = Math.floor((grid.rows - 2) / BLOCK);
  if (across < 1 || down < 1) return [];
  // An odd stride through the blocks in reading order spreads the sample over the whole picture.
  const total = across * down;
  const step = total <= MOST_BLOCKS ? 1 : Math.ceil(total / MOST_BLOCKS) | 1;
  const block: Block = { samples: new Int32Array(SIDE * ROW), strength: [0, 0, 0], level: [0, 0, 0] };
  const usable: number[][] = [[], [], []];
  const all: number[][] = [[], [], []];
  const count = BLOCK * BLOCK * grid.cell * grid.cell;
  for (let at = 0; at < total; at += step) {
    readBlock(grid, (at % across) * BLOCK, Math.floor(at / across) * BLOCK, block.samples);
    laplacian(block);
    for (let c = 0; c < 3; c++) {
      const [strength, level] = [(block.strength[c] as number) / count, (block.level[c] as number) / count];
      all[c]?.push(strength);
      if (level > 8 && level < 247) usable[c]?.push(strength);
    }
  }
  return usable.map((values, c) => Float64Array.from((values.length > 0 ? values : all[c]) ?? []).sort());
}

/** Standard deviation by the block at this part of the order, mean over channels; 0 without blocks. */
function sigmaAt(part: number, strengths: readonly Float64Array[]): number {
  const sum = strengths.reduce((total, values) => total + (values[Math.floor(part * (values.length - 1))] ?? 0), 0);
  return ((sum / 3) * Math.sqrt(Math.PI / 2)) / 6;
}

/** A block with a border of one. */
const SIDE = BLOCK + 2;
const ROW = SIDE * 3;

interface Block {
  /** SIDE × SIDE × 3. */
  readonly samples: Int32Array;
  /** Sums over the block's interior, by channel: |Laplacian|, and the samples. */
  readonly strength: [number, number, number];
  readonly level: [number, number, number];
}

/** Samples of one block from grid position (x, y). */
function readBlock({ rgb, width, cell }: Grid, x: number, y: number, samples: Int32Array): void {
  const down = width * 3;
  let to = 0;
  for (let j = 0; j < SIDE; j++) {
    let at = ((y + j) * cell * width + x * cell) * 3;
    if (cell === 1) {
      for (let i = 0; i < ROW; i++) samples[to++] = rgb[at++] as number;
      continue;
    }
    for (let below = at + down; to < (j + 1) * ROW; to += 3, at += 6, below += 6) {
      samples[to] = (rgb[at] as number) + (rgb[at + 3] as number) + (rgb[below] as number) + (rgb[below + 3] as number);
      samples[to + 1] = (rgb[at + 1] as number) + (rgb[at + 4] as number) + (rgb[below + 1] as number) + (rgb[below + 4] as number);
      samples[to + 2] = (rgb[at + 2] as number) + (rgb[at + 5] as number) + (rgb[below + 2] as number) + (rgb[below + 5] as number);
    }
  }
}

/** Fills `strength` and `level`. The operator is [1 -2 1] along both axes: down at each column, then across three of them. */
function laplacian({ samples, strength, level }: Block): void {
  const bentAt = (at: number) => (samples[at - ROW] as number) - 2 * (samples[at] as number) + (samples[at + ROW] as number);
  for (let c = 0; c < 3; c++) {
    let bends = 0;
    let levels = 0;
    for (let j = 1; j <= BLOCK; j++) {
      let at = j * ROW + 3 + c;
      let before = bentAt(at - 3);
      let here = bentAt(at);
      for (const end = at + 3 * BLOCK; at < end; ) {
        levels += samples[at] as number;
        at += 3;
        const after = bentAt(at);
        bends += Math.abs(before - 2 * here + after);
        before = here;
        here = after;
      }
    }
    strength[c] = bends;
    level[c] = levels;
  }
}
