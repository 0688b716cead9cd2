import type { Context } from '../context.ts';

/** At and above this quality by its own tables, a quiet JPEG has nothing to repair. */
const CLEAN_QUALITY = 96;
/** Raw noise sigma below which a lossless picture counts as noise-free. */
const CLEAN_SIGMA = 0.9;

/** Expects `analysis`; guarantees `gate`: copy what is clean, restore the rest. */
export function gate(context: Context): void {
  const { jpeg, rawSigma } = context.analysis;
  if (jpeg && jpeg.quality >= CLEAN_QUALITY && rawSigma < CLEAN_SIGMA) {
    context.gate = { action: 'copy', reason: `JPEG quality ${jpeg.quality} and no visible noise` };
  } else {
    context.gate = { action: 'restore', reason: jpeg ? `JPEG quality ${jpeg.quality}` : 'no compression tables to judge by' };
  }
}
