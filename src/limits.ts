/** What a picture may be at most. The wire dialects, `/v2` and the CLI each bring their own. */
export interface PictureLimits {
  readonly formats: readonly SourceFormat[];
  readonly minSide: number;
  readonly maxSide: number;
  readonly maxPixels: number;
  readonly maxBytes: number;
}

export type SourceFormat = 'jpg' | 'png' | 'webp' | 'tiff' | 'avif';

/** The limits of the documented interface. */
export const DOCUMENTED_LIMITS: PictureLimits = {
  formats: ['jpg', 'png'],
  minSide: 48,
  maxSide: 4096,
  maxPixels: 4096 * 4096,
  maxBytes: 2 * 1024 * 1024,
};
