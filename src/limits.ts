/** What a picture may be at most. The wire dialects, `/v2` and the CLI each bring their own. */
export interface PictureLimits {
  readonly formats: readonly SourceFormat[];
  readonly minSide: number;
  readonly maxSide: number;
  readonly maxPixels: number;
  readonly maxBytes: number;
  /** Most pixels of an enlarged result; absent: {@link DEFAULT_RESULT_PIXELS}. */
  readonly maxResultPixels?: number;
}

/** 64 megapixels: result and enlarged source are held at once, 3 bytes a pixel each. */
export const DEFAULT_RESULT_PIXELS = 64_000_000;

export type SourceFormat = 'jpg' | 'png' | 'webp' | 'tiff' | 'avif';

/** The limits of the documented interface. */
export const DOCUMENTED_LIMITS: PictureLimits = {
  formats: ['jpg', 'png'],
  minSide: 48,
  maxSide: 4096,
  maxPixels: 4096 * 4096,
  maxBytes: 2 * 1024 * 1024,
};
