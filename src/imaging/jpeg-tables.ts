/** ITU-T T.81 Annex K, tables K.1 (luma) and K.2 (chroma): libjpeg's tables at quality 50, in reading order. */
export const STANDARD_LUMA: readonly number[] = [
  16, 11, 10, 16, 24, 40, 51, 61, 12, 12, 14, 19, 26, 58, 60, 55, 14, 13, 16, 24, 40, 57, 69, 56, 14, 17, 22, 29, 51, 87, 80, 62, 18, 22,
  37, 56, 68, 109, 103, 77, 24, 35, 55, 64, 81, 104, 113, 92, 49, 64, 78, 87, 103, 121, 120, 101, 72, 92, 95, 98, 112, 100, 103, 99,
];
export const STANDARD_CHROMA: readonly number[] = [
  17, 18, 24, 47, 99, 99, 99, 99, 18, 21, 26, 66, 99, 99, 99, 99, 24, 26, 56, 99, 99, 99, 99, 99, 47, 66, 99, 99, 99, 99, 99, 99, 99, 99,
  99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99,
];

/** What the networks were told of chroma is against this number (`training/analysis.py`); K.2's own sum is 5505. */
const CHROMA_SUM = 5667;

export const sumOf = (table: readonly number[]): number => table.reduce((a, b) => a + b, 0);

/** libjpeg's table at a quality of 1-100 (jpeg_quality_scaling and the clip to 1…255). */
export function tableAt(standard: readonly number[], quality: number): number[] {
  const scale = quality < 50 ? Math.floor(5000 / quality) : 200 - 2 * quality;
  return standard.map((value) => Math.min(255, Math.max(1, Math.floor((value * scale + 50) / 100))));
}

/** How coarse a table is against its standard: 1 at quality 50, 5 at 10, 0.2 at 90. */
export const coarsenessOf = (table: readonly number[], standard: readonly number[]): number =>
  sumOf(table) / (standard === STANDARD_CHROMA ? CHROMA_SUM : sumOf(standard));
