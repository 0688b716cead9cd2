import { reportedSigma } from '../../imaging/noise.ts';
import type { Suffering } from '../../models/manifest.ts';
import type { Analysis, Context } from '../context.ts';

/** At and above this quality by its own tables, a quiet JPEG without older blocks has nothing to repair. */
const CLEAN_QUALITY = 96;
/**
 * A picture whose fine and coarse estimates are both below these has no noise worth the risk. Fitted on
 * 24 validation photographs: white noise of sigma 1 (reads 1.1-1.8) is made worse on 83 % of them,
 * sigma 2 (reads from 2.0) better on 71 %, correlated noise of sigma 6 (coarse from 2.8) better on 96 %.
 */
const CLEAN_SIGMA = 1.8;
const CLEAN_COARSE_SIGMA = 3;
/** Clean pictures read 1.00-1.05, JPEG at quality 90 1.04-1.4, at 60 1.2-2 (LIVE1 and McMaster). */
const BLOCKS_SEEN = 1.06;
/**
 * Raw noise sigma from which a compressed picture goes to the noise network. Clean fine texture reads up
 * to 5 (LIVE1 stream, Classic5 barbara), and the noise network would take it for noise.
 */
const NOISY_SIGMA = 6;

/**
 * Expects `analysis`, `model`; guarantees `gate` (copy what is clean, or everything when only faces are
 * wanted; restore the rest) and `suffering`.
 * What is to be enlarged, or given to an imported network by choice, always goes through it: the
 * thresholds are the shipped networks' own, and another network may repair what these do not see.
 */
export function gate(context: Context): void {
  const { analysis } = context;
  context.suffering = sufferingOf(analysis);
  const seen = describe(analysis);
  if (context.task.options.face === 'only') {
    context.gate = { action: 'copy', reason: `nothing but faces was asked for: ${seen}` };
    return;
  }
  context.gate =
    isClean(analysis) && context.model.origin === 'shipped' && context.model.manifest.scale === 1
      ? { action: 'copy', reason: `nothing to repair: ${seen}` }
      : { action: 'restore', reason: seen };
}

/** Nothing to repair, by what analyse found. */
export function isClean(analysis: Analysis): boolean {
  return !isCompressed(analysis) && analysis.rawSigma < CLEAN_SIGMA && analysis.coarseSigma < CLEAN_COARSE_SIGMA;
}

/** Compression left traces that are worth repairing. */
export function isCompressed({ jpeg, blocks }: Analysis): boolean {
  return (jpeg !== undefined && jpeg.quality < CLEAN_QUALITY) || blocks.ratio >= BLOCKS_SEEN;
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
