import type { PictureLimits } from '../limits.ts';
import { type Static, Type } from '../schema.ts';

export { DOCUMENTED_LIMITS, type PictureLimits, type SourceFormat } from '../limits.ts';

/** What a caller may choose for one picture. Defaults are the documented behaviour. */
export const RestoreOptions = Type.Object({
  strength: Type.Number({ minimum: 0, maximum: 1, default: 1, description: 'Blend between the source (0) and the full restoration (1).' }),
  face: Type.Union([Type.Literal('auto'), Type.Literal('off'), Type.Literal('only')], {
    default: 'auto',
    description: 'Face stage: where faces are found, never, or nothing but faces.',
  }),
  faceStrength: Type.Optional(Type.Number({ minimum: 0, maximum: 1, description: 'How much of the face stage is blended in.' })),
  model: Type.String({ default: 'auto', description: 'A network by name, or auto.' }),
  scale: Type.Union([Type.Literal(1), Type.Literal(2), Type.Literal(4)], {
    default: 1,
    description: 'Enlargement; only with a network that offers it.',
  }),
  format: Type.Union([Type.Literal('jpg'), Type.Literal('png'), Type.Literal('webp'), Type.Literal('same')], {
    default: 'jpg',
    description: "Format of the result; same keeps the source's.",
  }),
  quality: Type.Integer({ minimum: 1, maximum: 100, default: 95, description: 'JPEG or WebP quality of the result.' }),
  metadata: Type.Union([Type.Literal('keep'), Type.Literal('strip')], {
    default: 'keep',
    description: 'EXIF and colour profile kept, or everything but the profile stripped.',
  }),
  facePoints: Type.Optional(
    Type.Array(Type.Array(Type.Array(Type.Number(), { minItems: 2, maxItems: 2 }), { minItems: 2, maxItems: 1000 }), {
      maxItems: 100,
      description:
        'Known faces as lists of points in upright source pixels, used instead of detection: 2 (opposite corners of a box, or both eyes), 3 (eyes, nose), 4 (eyes, mouth corners), 5 (all of these), 68 or 106; of other numbers the box around them is used.',
    }),
  ),
});
export type RestoreOptions = Static<typeof RestoreOptions>;

export const DEFAULT_OPTIONS: RestoreOptions = {
  strength: 1,
  face: 'auto',
  model: 'auto',
  scale: 1,
  format: 'jpg',
  quality: 95,
  metadata: 'keep',
};

/** One picture's work order. Paths, not pixels, cross the process border. */
export interface RestoreTask {
  /** Path of the source file; never written. */
  readonly source: string;
  /** Path the result is written to; complete or absent, never half-written. */
  readonly result: string;
  readonly options: RestoreOptions;
  readonly limits: PictureLimits;
  /** Seconds until the caller's time is up, and those that pictures of this size usually take here; absent: no limit, or nothing known. */
  readonly time?: { readonly left: number; readonly expected: number };
}
