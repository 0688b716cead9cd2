import type { JpegMarkers } from './jpeg-markers.ts';

/** Sums of ITU-T T.81 Annex K's tables K.1 (luma) and K.2 (chroma): libjpeg's quality 50. */
const STANDARD_LUMA_SUM = 3688;
const STANDARD_CHROMA_SUM = 5667;

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
  const sum = (table: readonly number[] | undefined) => table?.reduce((a, b) => a + b, 0);
  const luma = sum(markers.tables.get(markers.tableOf[0] ?? 0));
  if (!luma) return undefined;
  const lumaScale = luma / STANDARD_LUMA_SUM;
  const chroma = markers.tableOf.length >= 3 ? sum(markers.tables.get(markers.tableOf[1] ?? 1)) : undefined;
  const chromaScale = chroma ? chroma / STANDARD_CHROMA_SUM : lumaScale;
  return { lumaScale, chromaScale, subsampling: subsamplingOf(markers), quality: qualityOf(lumaScale) };
}

function subsamplingOf(markers: JpegMarkers): number {
  const [luma, chroma] = markers.sampling;
  if (!luma || !chroma || markers.sampling.length < 3) return 0;
  const ratio = (luma[0] * luma[1]) / Math.max(1, chroma[0] * chroma[1]);
  return ratio >= 4 ? 1 : ratio >= 2 ? 0.5 : 0;
}

/** Inverse of libjpeg's jpeg_quality_scaling. Coarser than quality 1 reads 1. */
function qualityOf(scale: number): number {
  const quality = scale >= 1 ? 50 / scale : 100 - 50 * scale;
  return Math.min(100, Math.max(1, Math.round(quality)));
}
