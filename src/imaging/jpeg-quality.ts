import type { JpegMarkers } from './jpeg-markers.ts';
import { coarsenessOf, STANDARD_CHROMA, STANDARD_LUMA, sumOf, tableAt } from './jpeg-tables.ts';

/** How coarsely a JPEG file was quantised, by its own tables. */
export interface JpegQuality {
  /** Coarseness against Annex K: 1 at quality 50, 5 at 10, 0.2 at 90. */
  readonly lumaScale: number;
  readonly chromaScale: number;
  /** 1 for 4:2:0 and coarser, 0.5 for 4:2:2 and 4:4:0, 0 for 4:4:4 and grey. */
  readonly subsampling: number;
  /** The libjpeg quality (1-100) whose luma table is as coarse. */
  readonly quality: number;
}

/** Exact knowledge, not an estimate; undefined when the file has no luma table (abbreviated stream). */
export function jpegQuality(markers: JpegMarkers): JpegQuality | undefined {
  const luma = markers.tables.get(markers.tableOf[0] ?? 0);
  if (!luma || sumOf(luma) === 0) return undefined;
  const lumaScale = coarsenessOf(luma, STANDARD_LUMA);
  const chroma = markers.tableOf.length >= 3 ? markers.tables.get(markers.tableOf[1] ?? 1) : undefined;
  const chromaScale = chroma && sumOf(chroma) > 0 ? coarsenessOf(chroma, STANDARD_CHROMA) : lumaScale;
  return { lumaScale, chromaScale, subsampling: subsamplingOf(markers), quality: qualityOf(sumOf(luma)) };
}

function subsamplingOf(markers: JpegMarkers): number {
  const [luma, chroma] = markers.sampling;
  if (!luma || !chroma || markers.sampling.length < 3) return 0;
  const ratio = (luma[0] * luma[1]) / Math.max(1, chroma[0] * chroma[1]);
  return ratio >= 4 ? 1 : ratio >= 2 ? 0.5 : 0;
}

const LUMA_SUMS = Array.from({ length: 100 }, (_, i) => sumOf(tableAt(STANDARD_LUMA, i + 1)));

/** The quality whose table sum is nearest; the higher of two equals. */
function qualityOf(lumaSum: number): number {
  let best = 100;
  for (let quality = 99; quality >= 1; quality--) {
    if (Math.abs((LUMA_SUMS[quality - 1] as number) - lumaSum) < Math.abs((LUMA_SUMS[best - 1] as number) - lumaSum)) best = quality;
  }
  return best;
}
