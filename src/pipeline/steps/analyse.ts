import { blockinessOf } from '../../imaging/blockiness.ts';
import { blurOf } from '../../imaging/blur.ts';
import { findEarlierJpeg } from '../../imaging/earlier-jpeg.ts';
import { isGrey } from '../../imaging/grey.ts';
import { jpegQuality } from '../../imaging/jpeg-quality.ts';
import { coarseNoise, rawNoiseSigma } from '../../imaging/noise.ts';
import type { Context } from '../context.ts';

/** Expects `picture`; guarantees `analysis`: what is wrong with it, from the file's own tables and the pixels. */
export function analyse(context: Context): void {
  const { rgb, width, height } = context.picture;
  const coarse = coarseNoise(rgb, width, height);
  const jpeg = context.header.jpeg && jpegQuality(context.header.jpeg);
  const grey = context.facts.greyContainer || isGrey(rgb);
  context.analysis = {
    jpeg,
    earlier: findEarlierJpeg(rgb, width, height, { jpeg, grey }),
    rawSigma: rawNoiseSigma(rgb, width, height),
    coarseSigma: coarse.sigma,
    evenness: coarse.evenness,
    blocks: blockinessOf(rgb, width, height),
    webp: context.header.format === 'webp',
    blur: blurOf(rgb, width, height),
    grey,
  };
}
