import type { Config } from '../../config.ts';
import { DOCUMENTED_LIMITS, type PictureLimits } from '../../limits.ts';

/** Limits of the documented interface, as configured. */
export function documentedLimits(config: Pick<Config, 'minSide' | 'maxSide' | 'maxFileBytes' | 'maxResultPixels'>): PictureLimits {
  return {
    formats: DOCUMENTED_LIMITS.formats,
    minSide: config.minSide,
    maxSide: config.maxSide,
    maxPixels: config.maxSide * config.maxSide,
    maxBytes: config.maxFileBytes,
    maxResultPixels: config.maxResultPixels,
  };
}
