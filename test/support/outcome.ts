import type { RestoreOutcome } from '../../src/pipeline/report.ts';

/** What a pipeline that restored nothing says of a picture of this size. */
export function outcomeOf(width: number, height: number, format: RestoreOutcome['format']): RestoreOutcome {
  return {
    ...{ width, height, format, bytes: 1 },
    report: {
      source: { width, height, format: 'jpg', bytes: 1, orientation: 1, alpha: false, grey: false, bits: 8, icc: false },
      analysis: { jpegQuality: null, noiseSigma: 0, blur: 0, clean: true },
      model: null,
      gate: { action: 'copy', reason: 'test' },
      strength: 1,
      faces: [],
      timings: {},
      warnings: [],
    },
  };
}
