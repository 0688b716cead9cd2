import { RestoreOptions } from '../../pipeline/options.ts';
import { RestoreReport } from '../../pipeline/report.ts';
import { type Static, Type } from '../../schema.ts';

/** Options of `/v2`: those of the pipeline, all optional; the result keeps the source's format by default. */
export const V2Options = Type.Partial(
  Type.Object({
    ...RestoreOptions.properties,
    format: Type.Union([Type.Literal('jpg'), Type.Literal('png'), Type.Literal('webp'), Type.Literal('same')], {
      default: 'same',
      description: "Format of the result; same keeps the source's (TIFF becomes PNG, AVIF becomes WebP). Accept is the other way to ask.",
    }),
  }),
  { title: 'RestoreOptions', additionalProperties: false, description: 'How the picture is restored.' },
);
export type V2Options = Static<typeof V2Options>;

/** The JSON form of a request. */
export const V2JsonRequest = Type.Object(
  {
    image: Type.Object(
      {
        url: Type.Optional(Type.String({ description: 'http or https link to the picture.' })),
        base64: Type.Optional(Type.String({ description: 'The picture file as base64; a data: prefix is accepted.' })),
      },
      { additionalProperties: false, description: 'Exactly one of the two.' },
    ),
    options: Type.Optional(V2Options),
  },
  {
    title: 'RestoreRequest',
    additionalProperties: false,
  },
);
export type V2JsonRequest = Static<typeof V2JsonRequest>;

/** Failures of `/v2` (RFC 9457). */
export const Problem = Type.Object(
  {
    type: Type.String({ description: 'Stable name of the kind of failure as a URI.' }),
    title: Type.String({ description: 'Name of the code.' }),
    status: Type.Integer(),
    detail: Type.String({ description: 'What was wrong, the limit, and what was received.' }),
    code: Type.Integer({ description: 'The same code as in the interface family.' }),
    retryable: Type.Boolean({ description: 'Whether the same request may succeed later.' }),
    request_id: Type.String(),
  },
  { title: 'Problem' },
);
export type Problem = Static<typeof Problem>;

const State = Type.Union([
  Type.Literal('queued'),
  Type.Literal('running'),
  Type.Literal('succeeded'),
  Type.Literal('failed'),
  Type.Literal('cancelled'),
  Type.Literal('expired'),
]);

/** A job as `/v2` shows it. */
export const V2Job = Type.Object(
  {
    id: Type.String({ format: 'uuid' }),
    state: State,
    progress: Type.Number({ minimum: 0, maximum: 1, description: 'Share of the tiles that are done.' }),
    created_at: Type.String({ format: 'date-time' }),
    started_at: Type.Optional(Type.String({ format: 'date-time' })),
    finished_at: Type.Optional(Type.String({ format: 'date-time' })),
    expires_at: Type.String({ format: 'date-time', description: 'Job, source and result are deleted then.' }),
    links: Type.Object({ self: Type.String(), events: Type.String(), source: Type.String(), result: Type.Optional(Type.String()) }),
    result: Type.Optional(
      Type.Object({
        url: Type.String({ description: 'Absolute link that needs no key until the job expires.' }),
        mediaType: Type.String(),
        width: Type.Integer(),
        height: Type.Integer(),
        bytes: Type.Integer(),
      }),
    ),
    report: Type.Optional(RestoreReport),
    error: Type.Optional(Problem),
  },
  { title: 'Job' },
);
export type V2Job = Static<typeof V2Job>;
