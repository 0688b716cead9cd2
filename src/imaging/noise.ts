const BLOCK = 16;
const PERCENTILE = 0.2;
/** Blocks looked at in a large picture, so that the cost does not grow with size: about 40 ms for any. */
const MOST_BLOCKS = 1536;
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
  return estimate({ rgb, width, columns: width, rows: height, cell: 1 });
}

/**
 * The same on 2×2 sums, scaled so that white noise reads alike. Cameras leave noise that is
 * correlated over pixels: the fine estimate reads a tenth of it, this one most; texture reads
 * higher here, too.
 */
export function coarseNoiseSigma(rgb: Uint8Array, width: number, height: number): number {
  return 2 * estimate({ rgb, width, columns: width >> 1, rows: height >> 1, cell: 2 });
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

function estimate(grid: Grid): number {
  const across = Math.floor((grid.columns - 2) / BLOCK);
  const down = Math.floor((grid.rows - 2) / BLOCK);
  if (across < 1 || down < 1) return 0;
  // An odd stride through the blocks in reading order spreads the sample over the whole picture.
  const total = across * down;
  const step = total <= MOST_BLOCKS ? 1 : Math.ceil(total / MOST_BLOCKS) | 1;
  const samples = new Int32Array((BLOCK + 2) ** 2);
  let sum = 0;
  for (let channel = 0; channel < 3; channel++) {
    const usable: number[] = [];
    const all: number[] = [];
    for (let block = 0; block < total; block += step) {
      readBlock(grid, (block % across) * BLOCK, Math.floor(block / across) * BLOCK, channel, samples);
      const { strength, level } = laplacian(samples, grid.cell * grid.cell);
      all.push(strength);
      if (level > 8 && level < 247) usable.push(strength);
    }
    const values = (usable.length > 0 ? usable : all).sort((a, b) => a - b);
    sum += values[Math.floor(PERCENTILE * (values.length - 1))] ?? 0;
  }
  return ((sum / 3) * Math.sqrt(Math.PI / 2)) / 6;
}

/** Samples of one block with a border of one, from grid position (x, y). */
function readBlock({ rgb, width, cell }: Grid, x: number, y: number, channel: number, samples: Int32Array): void {
  let to = 0;
  for (let j = 0; j < BLOCK + 2; j++) {
    for (let i = 0; i < BLOCK + 2; i++) {
      const at = ((y + j) * cell * width + (x + i) * cell) * 3 + channel;
      samples[to++] =
        cell === 1
          ? (rgb[at] as number)
          : (rgb[at] as number) + (rgb[at + 3] as number) + (rgb[at + width * 3] as number) + (rgb[at + width * 3 + 3] as number);
    }
  }
}

/** Mean |Laplacian| and mean level of a block's interior, per pixel of the sums. */
function laplacian(samples: Int32Array, summed: number): { strength: number; level: number } {
  const row = BLOCK + 2;
  let strength = 0;
  let level = 0;
  for (let j = 1; j <= BLOCK; j++) {
    for (let at = j * row + 1; at <= j * row + BLOCK; at++) {
      const up = (samples[at - row - 1] as number) - 2 * (samples[at - row] as number) + (samples[at - row + 1] as number);
      const middle = (samples[at - 1] as number) - 2 * (samples[at] as number) + (samples[at + 1] as number);
      const down = (samples[at + row - 1] as number) - 2 * (samples[at + row] as number) + (samples[at + row + 1] as number);
      strength += Math.abs(up - 2 * middle + down);
      level += samples[at] as number;
    }
  }
  const count = BLOCK * BLOCK * summed;
  return { strength: strength / count, level: level / count };
}
