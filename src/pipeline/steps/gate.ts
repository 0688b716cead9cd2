import { reportedSigma } from '../../imaging/noise.ts';
import type { Suffering } from '../../models/manifest.ts';
import type { Analysis, Context } from '../context.ts';

/** At and above this quality by its own tables, a quiet JPEG without older blocks has nothing to repair. */
const CLEAN_QUALITY = 96;
/** Raw noise sigma below which a picture counts as noise-free. */
const CLEAN_SIGMA = 0.9;
/** Clean pictures read 1.00-1.05, JPEG at quality 90 1.04-1.4, at 60 1.2-2 (LIVE1 and McMaster). */
const BLOCKS_SEEN = 1.06;
/** Raw noise sigma from which the noise network repairs a JPEG better than the compression network. */
const NOISY_SIGMA = 4;

/**
 * Expects `analysis`, `model`; guarantees `gate` (copy what is clean, restore the rest) and `suffering`.
 * What is to be enlarged always goes through the network.
 */
export function gate(context: Context): void {
  const { analysis } = context;
  context.suffering = sufferingOf(analysis);
  const seen = describe(analysis);
  context.gate =
    isClean(analysis) && context.model.manifest.scale === 1
      ? { action: 'copy', reason: `nothing to repair: ${seen}` }
      : { action: 'restore', reason: seen };
}

/** Nothing to repair, by what analyse found. */
export function isClean({ jpeg, rawSigma, blocks }: Analysis): boolean {
  return jpeg !== undefined && jpeg.quality >= CLEAN_QUALITY && rawSigma < CLEAN_SIGMA && blocks.ratio < BLOCKS_SEEN;
}

function sufferingOf({ jpeg, rawSigma, blocks }: Analysis): Suffering {
  return (jpeg || blocks.ratio >= BLOCKS_SEEN) && rawSigma < NOISY_SIGMA ? 'compression' : 'noise';
}

function describe({ jpeg, rawSigma, blocks }: Analysis): string {
  const parts = [jpeg ? `JPEG quality ${jpeg.quality}` : 'no compression tables'];
  if (blocks.ratio >= BLOCKS_SEEN) parts.push(`coding blocks ${blocks.ratio.toFixed(2)}`);
  parts.push(`noise σ ${reportedSigma(rawSigma)}`);
  return parts.join(', ');
}
