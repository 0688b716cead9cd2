import { reportedSigma } from '../imaging/noise.ts';
import { uprightSize } from '../imaging/orient.ts';
import type { Context } from './context.ts';
import type { RestoreReport } from './report.ts';
import { isClean } from './steps/gate.ts';

/** The public report of a finished context. */
export function reportOf(context: Context): RestoreReport {
  const { header, facts, analysis, gate, task } = context;
  const [width, height] = uprightSize(header.width ?? context.picture.width, header.height ?? context.picture.height, header.orientation);
  return {
    source: {
      width,
      height,
      format: header.format,
      bytes: context.bytes.length,
      orientation: header.orientation,
      alpha: facts.alpha,
      grey: analysis.grey,
      bits: facts.bits,
      icc: facts.icc !== undefined,
    },
    analysis: {
      jpegQuality: analysis.jpeg?.quality ?? null,
      earlierJpegQuality: analysis.earlier?.quality ?? null,
      noiseSigma: reportedSigma(analysis.rawSigma),
      blur: analysis.blur,
      clean: context.softness === undefined && context.enlarged === undefined && (isClean(analysis) || context.trust === 0),
    },
    model: gate.action === 'copy' || task.options.strength === 0 ? null : context.model.manifest.name,
    ...(context.choice && context.precision ? { choice: context.choice } : {}),
    ...(context.precision ? { precision: context.precision } : {}),
    gate,
    ...(context.softness === undefined ? {} : { deblurred: Math.round(context.softness * 100) / 100 }),
    strength: task.options.strength,
    faces: context.faces,
    faceStage: context.faceStage,
    timings: context.timings,
    warnings: context.warnings,
  };
}
