const BLOCK = 16;
const PERCENTILE = 0.2;
/** Blocks looked at in a large picture: about one megapixel, so the cost does not grow with size. */
const MOST_BLOCKS = 4096;
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
  const columns = Math.floor((width - 2) / BLOCK);
  const rows = Math.floor((height - 2) / BLOCK);
  if (columns < 1 || rows < 1) return 0;
  // An odd stride through the blocks in reading order spreads the sample over the whole picture.
  const total = columns * rows;
  const step = total <= MOST_BLOCKS ? 1 : Math.ceil(total / MOST_BLOCKS) | 1;
  let sum = 0;
  for (let channel = 0; channel < 3; channel++) {
    const usable: number[] = [];
    const all: number[] = [];
    for (let block = 0; block < total; block += step) {
      const { strength, level } = blockLaplacian(rgb, width, (block % columns) * BLOCK, Math.floor(block / columns) * BLOCK, channel);
      all.push(strength);
      if (level > 8 && level < 247) usable.push(strength);
    }
    const values = (usable.length > 0 ? usable : all).sort((a, b) => a - b);
    sum += values[Math.floor(PERCENTILE * (values.length - 1))] ?? 0;
  }
  return ((sum / 3) * Math.sqrt(Math.PI / 2)) / 6;
}

/** The estimate a person reads: calibrated on white noise, one decimal. */
export const reportedSigma = (raw: number) => Math.round(raw * CALIBRATION * 10) / 10;

/** Mean |Laplacian| and mean level of the block whose interior starts at (x+1, y+1). */
function blockLaplacian(rgb: Uint8Array, width: number, x: number, y: number, channel: number) {
  const row = width * 3;
  let strength = 0;
  let level = 0;
  for (let j = 1; j <= BLOCK; j++) {
    let at = ((y + j) * width + x + 1) * 3 + channel;
    for (let i = 0; i < BLOCK; i++, at += 3) {
      const up = (rgb[at - row - 3] as number) - 2 * (rgb[at - row] as number) + (rgb[at - row + 3] as number);
      const middle = (rgb[at - 3] as number) - 2 * (rgb[at] as number) + (rgb[at + 3] as number);
      const down = (rgb[at + row - 3] as number) - 2 * (rgb[at + row] as number) + (rgb[at + row + 3] as number);
      strength += Math.abs(up - 2 * middle + down);
      level += rgb[at] as number;
    }
  }
  return { strength: strength / (BLOCK * BLOCK), level: level / (BLOCK * BLOCK) };
}
