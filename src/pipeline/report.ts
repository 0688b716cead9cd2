import { Precision } from '../models/manifest.ts';
import { type Static, Type } from '../schema.ts';

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
      earlierJpegQuality: Type.Optional(
        Type.Union([Type.Integer(), Type.Null()], {
          description:
            'Quality of a coarser JPEG compression that the pixels went through before; null where none was found. Reports of earlier versions have none.',
        }),
      ),
      noiseSigma: Type.Number({ description: 'Noise standard deviation, 0-255 scale.' }),
      blur: Type.Number({ description: '0 sharp … 1 blurred.' }),
      clean: Type.Boolean(),
    }),
    model: Type.Union([Type.String(), Type.Null()], { description: 'The network that ran; null when the gate copied the source through.' }),
    choice: Type.Optional(Type.String({ description: 'Why it was that network; absent when none ran.' })),
    precision: Type.Optional(
      Type.Union(Precision.anyOf, {
        description: 'Numbers that network computed in: 32-bit floating point or 8-bit integers; absent when none ran.',
      }),
    ),
    gate: Type.Object({
      action: Type.Union([Type.Literal('copy'), Type.Literal('soften'), Type.Literal('restore')]),
      reason: Type.String(),
    }),
    deblurred: Type.Optional(
      Type.Number({
        minimum: 0,
        maximum: 1,
        description: 'The part of what the network for soft pictures changed that was blended in; absent when it did not run.',
      }),
    ),
    strength: Type.Number(),
    faces: Type.Array(
      Type.Object({
        box: Type.Tuple([Type.Number(), Type.Number(), Type.Number()], {
          description: 'Left, top and side of the square around the face, in upright source pixels.',
        }),
        score: Type.Number({ description: '0-1; 1 for faces that were given.' }),
        points: Type.Array(Type.Tuple([Type.Number(), Type.Number()]), {
          description: 'Eyes, nose, mouth corners (image-left ones first), in upright source pixels; none where none were found.',
        }),
        size: Type.Union([Type.Literal('tiny'), Type.Literal('small'), Type.Literal('medium'), Type.Literal('large')], {
          description: 'tiny: below the documented smallest side; small: to 128 px, medium: to 384 px.',
        }),
        action: Type.Union([Type.Literal('restored'), Type.Literal('left'), Type.Literal('dropped')], {
          description: 'left: as the rest of the picture; dropped: restored, but it moved too far, so it was left after all.',
        }),
        amount: Type.Optional(
          Type.Number({
            minimum: 0,
            maximum: 1,
            description:
              'Of a restored face: the part of the change by the face network that was blended in. Reports of earlier versions have none.',
          }),
        ),
        reason: Type.Optional(Type.String({ description: 'Why it was left or dropped.' })),
      }),
      { description: 'Faces that were found or given, largest first.' },
    ),
    faceStage: Type.Optional(
      Type.Object(
        {
          detector: Type.Union([Type.String(), Type.Null()], { description: 'The network that looked for faces.' }),
          model: Type.Union([Type.String(), Type.Null()], { description: 'The network for faces.' }),
          note: Type.Optional(Type.String({ description: 'Why the stage did nothing, where that was not asked for.' })),
        },
        { description: 'Networks of the face stage; null where it did not run. Reports of earlier versions have none.' },
      ),
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
  /** The network's work in units of the default network's; absent: unknown. */
  readonly work?: number;
}
