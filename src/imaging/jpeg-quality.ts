import type { JpegMarkers } from './jpeg-markers.ts';

/** ITU-T T.81 Annex K, table K.1: libjpeg's luma table at quality 50. */
const STANDARD_LUMA = [
  16, 11, 10, 16, 24, 40, 51, 61, 12, 12, 14, 19, 26, 58, 60, 55, 14, 13, 16, 24, 40, 57, 69, 56, 14, 17, 22, 29, 51, 87, 80, 62, 18, 22,
  37, 56, 68, 109, 103, 77, 24, 35, 55, 64, 81, 104, 113, 92, 49, 64, 78, 87, 103, 121, 120, 101, 72, 92, 95, 98, 112, 100, 103, 99,
];
const STANDARD_LUMA_SUM = 3688;
/** Sum of table K.2 (chroma). */
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
  return { lumaScale, chromaScale, subsampling: subsamplingOf(markers), quality: qualityOf(luma) };
}

function subsamplingOf(markers: JpegMarkers): number {
  const [luma, chroma] = markers.sampling;
  if (!luma || !chroma || markers.sampling.length < 3) return 0;
  const ratio = (luma[0] * luma[1]) / Math.max(1, chroma[0] * chroma[1]);
  return ratio >= 4 ? 1 : ratio >= 2 ? 0.5 : 0;
}

/** Sum of libjpeg's luma table at a quality (jpeg_quality_scaling and the clip to 1…255). */
function lumaSumAt(quality: number): number {
  const scale = quality < 50 ? Math.floor(5000 / quality) : 200 - 2 * quality;
  return STANDARD_LUMA.reduce((sum, value) => sum + Math.min(255, Math.max(1, Math.floor((value * scale + 50) / 100))), 0);
}

const LUMA_SUMS = Array.from({ length: 100 }, (_, i) => lumaSumAt(i + 1));

/** The quality whose table sum is nearest; the higher of two equals. */
function qualityOf(lumaSum: number): number {
  let best = 100;
  for (let quality = 99; quality >= 1; quality--) {
    if (Math.abs((LUMA_SUMS[quality - 1] as number) - lumaSum) < Math.abs((LUMA_SUMS[best - 1] as number) - lumaSum)) best = quality;
  }
  return best;
}
