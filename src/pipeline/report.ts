import { type Static, Type } from 'typebox';

const Milliseconds = Type.Number({ minimum: 0 });

/** One JSON shape everywhere: `--report FILE`, `report: true` and the job's record. */
export const RestoreReport = Type.Object(
  {
    source: Type.Object({
      width: Type.Integer({ description: 'Upright width in pixels.' }),
      height: Type.Integer({ description: 'Upright height in pixels.' }),
      format: Type.String(),
      bytes: Type.Integer(),
      orientation: Type.Integer({ minimum: 1, maximum: 8, description: 'Exif orientation of the source file.' }),
      alpha: Type.Boolean(),
      grey: Type.Boolean(),
      bits: Type.Union([Type.Literal(8), Type.Literal(16)]),
      icc: Type.Boolean(),
    }),
    analysis: Type.Object({
      jpegQuality: Type.Union([Type.Integer(), Type.Null()], {
        description: "Quality 1-100 by the file's own quantisation tables; null for other formats.",
      }),
      noiseSigma: Type.Number({ description: 'Noise standard deviation, 0-255 scale.' }),
      blur: Type.Number({ description: '0 sharp … 1 blurred.' }),
      clean: Type.Boolean(),
    }),
    model: Type.Union([Type.String(), Type.Null()], { description: 'The network that ran; null when the gate copied the source through.' }),
    gate: Type.Object({
      action: Type.Union([Type.Literal('copy'), Type.Literal('soften'), Type.Literal('restore')]),
      reason: Type.String(),
    }),
    strength: Type.Number(),
    faces: Type.Array(
      Type.Object({
        box: Type.Tuple([Type.Number(), Type.Number(), Type.Number()]),
        score: Type.Number(),
        points: Type.Array(Type.Tuple([Type.Number(), Type.Number()])),
        action: Type.String(),
        reason: Type.Optional(Type.String()),
      }),
    ),
    timings: Type.Record(Type.String(), Milliseconds),
    warnings: Type.Array(Type.String()),
  },
  { title: 'RestoreReport' },
);
export type RestoreReport = Static<typeof RestoreReport>;

/** What a finished task says about the result file. */
export interface RestoreOutcome {
  readonly report: RestoreReport;
  readonly width: number;
  readonly height: number;
  readonly format: 'jpg' | 'png' | 'webp';
  readonly bytes: number;
}
