import { drawnIn, hasFewColours } from '../../imaging/drawn.ts';
import { findEarlierJpeg } from '../../imaging/earlier-jpeg.ts';
import { isGrey } from '../../imaging/grey.ts';
import { jpegQuality } from '../../imaging/jpeg-quality.ts';
import type { Context } from '../context.ts';
import { CLEAN_COARSE_SIGMA, CLEAN_SIGMA } from './gate.ts';
import { WEIGH_QUALITY } from './weigh.ts';

/** Expects `picture`; guarantees `analysis`: what is wrong with it, from the file's own tables and the pixels. */
export async function analyse(context: Context): Promise<void> {
  const { rgb, width, height } = context.picture;
  const looked = context.engine.look(context.picture);
  const jpeg = context.header.jpeg && jpegQuality(context.header.jpeg);
  const grey = context.facts.greyContainer || isGrey(rgb);
  const earlier = findEarlierJpeg(rgb, width, height, { jpeg, grey });
  const { rawSigma, coarse, blocks, blur } = await looked;
  const webp = context.header.format === 'webp';
  const noise = { rawSigma, coarseSigma: coarse.sigma, evenness: coarse.evenness };
  const quiet = rawSigma < CLEAN_SIGMA;
  // A coarser JPEG's noise is not asked after unless the fine estimate sees it.
  const looksNoisy = !quiet || (coarse.sigma >= CLEAN_COARSE_SIGMA && (jpeg?.quality ?? WEIGH_QUALITY) >= WEIGH_QUALITY);
  const drawn = !jpeg && !webp && hasFewColours(rgb) ? 'few colours' : looksNoisy ? drawnIn(context.picture, quiet) : undefined;
  context.analysis = { jpeg, earlier, ...noise, drawn, blocks, webp, blur, grey };
}
