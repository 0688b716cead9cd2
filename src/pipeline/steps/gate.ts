import { reportedSigma } from '../../imaging/noise.ts';
import type { Suffering } from '../../models/manifest.ts';
import type { ModelEntry } from '../../models/registry.ts';
import type { Analysis, Context } from '../context.ts';

/** At and above this quality by its own tables, a quiet JPEG without older blocks has nothing to repair. */
export const CLEAN_QUALITY = 96;
/**
 * A picture whose fine and coarse estimates are both below these has no noise worth the risk, nor one whose fine estimate
 * is and whose coarse noise lies less evenly than this. Whether what is left is noise or texture, a restoration of it tells
 * (`weigh`, `trust`). Fitted on 40 training photographs, tried on the 24 validation ones, with five kinds of noise: asked of
 * all pictures, 0.04 dB more would be gained, by noise that nobody sees, and every clean picture's sample restored.
 */
export const CLEAN_SIGMA = 1.8;
/** The same of the coarse estimate. */
export const CLEAN_COARSE_SIGMA = 2;
export const CLEAN_EVEN = 0.4;
/**
 * Where a restoration is not asked, after an earlier compression, or cannot tell, since too little of the picture is neither
 * black nor white: below this evenness what reads as noise may be texture (`imaging/noise.ts`), and trust grows with the fine
 * estimate, from a half at `CLEAN_SIGMA` to whole at `NOISY_SIGMA`.
 */
export const EVEN = 0.7;
/** Trust where it begins to grow. */
export const LEAST_TRUST = 0.5;
/**
 * An earlier compression of this quality and better matters less than noise that can be seen: this much of the coarse
 * estimate, this evenly. Of nine noisy camera pictures six have it (`../shared/data/test/real9`), of 48 clean validation
 * photographs at quality 88 and 93 three.
 */
export const LIGHT_QUALITY = 85;
export const LIGHT_COARSE_SIGMA = 5;
export const LIGHT_EVEN = 0.55;
/** From which on nothing but compression explains blocks, in a file without tables. */
export const BLOCKS_SURE = 1.2;
/** The same of the softer blocks of a WebP file, where it is known that there may be some (`Blockiness.ratio`). */
export const WEBP_BLOCKS = 1.1;
/**
 * Raw noise sigma from which a compressed picture goes to the noise network. Clean fine texture reads up
 * to 5 (LIVE1 stream, Classic5 barbara), and the noise network would take it for noise.
 */
export const NOISY_SIGMA = 6;

/**
 * Expects `analysis`, `model`; guarantees `gate` (copy what is clean, or everything when only faces are
 * wanted; soften where noise may be texture; restore the rest), `suffering` and `trust`; `weigh` and `trust` know more.
 * What is to be enlarged, or given to an imported network by choice, always goes through it: the
 * thresholds are the shipped networks' own, and another network may repair what these do not see.
 */
export function gate(context: Context): void {
  const { analysis, model } = context;
  context.suffering = sufferingOf(analysis);
  const own = isOwn(model);
  context.trust = own ? trustIn(analysis) : 1;
  context.gate = decide(context, own);
}

/** The thresholds are the shipped networks' own. */
export const isOwn = ({ origin, manifest }: ModelEntry): boolean => origin === 'shipped' && manifest.scale === 1;

function decide(context: Context, own: boolean): Context['gate'] {
  const { analysis, task } = context;
  const seen = describe(analysis);
  if (task.options.face === 'only') return { action: 'copy', reason: `nothing but faces was asked for: ${seen}` };
  if (own && isClean(analysis)) return { action: 'copy', reason: `nothing to repair: ${seen}` };
  if (own && isDrawn(analysis) && analysis.drawn?.startsWith('regular'))
    return { action: 'copy', reason: `a network would not know it: ${seen}` };
  return believed(context);
}

/** What is done with a restoration, by how much it is believed. */
export function believed({ trust, analysis, weighed }: Context): Context['gate'] {
  const seen = `${describe(analysis)}${weighed ? ', which is more to be repaired than the compression' : ''}`;
  if (trust === 0) return { action: 'copy', reason: `what reads as noise is texture: ${seen}` };
  if (trust < 1)
    return { action: 'soften', reason: `what reads as noise may be texture, restored by ${Math.round(trust * 100)} %: ${seen}` };
  return { action: 'restore', reason: seen };
}

/** Nothing to repair, by what analyse found. */
export function isClean(analysis: Analysis): boolean {
  if (analysis.drawn === 'few colours') return true;
  if (isCompressed(analysis)) return false;
  if (isDrawn(analysis)) return true;
  return isQuiet(analysis) && (analysis.coarseSigma < CLEAN_COARSE_SIGMA || analysis.evenness < CLEAN_EVEN);
}

/** Nothing fine that reads as noise. */
export const isQuiet = ({ rawSigma }: Analysis): boolean => rawSigma < CLEAN_SIGMA;

/** Goes to the noise network for noise alone, which may be texture instead. */
export const mayBeTexture = ({ suffering, analysis }: Pick<Context, 'suffering' | 'analysis'>): boolean =>
  suffering === 'noise' && !isCompressed(analysis);

/**
 * What reads as noise was drawn. Under compression only where the noise network would be asked: less than that is left to the
 * other one, which gains 1.4 dB on a weave at quality 50 and 75.
 */
export function isDrawn(analysis: Analysis): boolean {
  const { drawn, rawSigma } = analysis;
  return drawn !== undefined && (drawn === 'regular lines' || !isCompressed(analysis) || rawSigma >= NOISY_SIGMA);
}

/** How much of a restoration is to be believed by what analyse found, 0.5…1. */
function trustIn(analysis: Analysis): number {
  if (analysis.evenness >= EVEN) return 1;
  if (isCompressed(analysis) && !isNoiseUnderLightCompression(analysis)) return 1;
  const sure = (analysis.rawSigma - CLEAN_SIGMA) / (NOISY_SIGMA - CLEAN_SIGMA);
  return Math.min(1, LEAST_TRUST + (1 - LEAST_TRUST) * Math.max(0, sure));
}

/** Compression left traces that are worth repairing. */
export const isCompressed = (analysis: Analysis): boolean => isCoarse(analysis) || hasBlocks(analysis);

/** The same beyond doubt, for faces. */
export const isSurelyCompressed = (analysis: Analysis): boolean => isCoarse(analysis) || analysis.blocks.standsOut >= BLOCKS_SURE;

/** By tables: the file's own, or those found in the pixels. */
function isCoarse({ jpeg, earlier }: Analysis): boolean {
  return (jpeg !== undefined && jpeg.quality < CLEAN_QUALITY) || earlier !== undefined;
}

const hasBlocks = ({ blocks, webp }: Analysis): boolean => blocks.found || (webp && blocks.ratio >= WEBP_BLOCKS);

function sufferingOf(analysis: Analysis): Suffering {
  if (isNoiseUnderLightCompression(analysis)) return 'noise';
  const coded = analysis.jpeg || analysis.earlier || hasBlocks(analysis);
  return coded && (analysis.rawSigma < NOISY_SIGMA || isDrawn(analysis)) ? 'compression' : 'noise';
}

/**
 * As a camera leaves it, in a file without tables that came by way of an editor: the noise is beyond doubt the greater harm.
 * The others: `weigh`.
 */
function isNoiseUnderLightCompression({ jpeg, earlier, drawn, coarseSigma, evenness }: Analysis): boolean {
  const light = !jpeg && !drawn && earlier !== undefined && earlier.quality >= LIGHT_QUALITY;
  return light && coarseSigma >= LIGHT_COARSE_SIGMA && evenness >= LIGHT_EVEN;
}

/** What was found, in words. */
export function describe(analysis: Analysis): string {
  const { jpeg, earlier, rawSigma, blocks } = analysis;
  const parts = [jpeg ? `JPEG quality ${jpeg.quality}` : 'no compression tables'];
  if (earlier) parts.push(`JPEG of quality ${earlier.quality} before`);
  if (hasBlocks(analysis)) parts.push(`coding blocks ${blocks.ratio.toFixed(2)}`);
  parts.push(analysis.drawn && isDrawn(analysis) ? analysis.drawn : `noise σ ${reportedSigma(rawSigma)}`);
  return parts.join(', ');
}
