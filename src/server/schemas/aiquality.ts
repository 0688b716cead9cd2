import { RestoreReport } from '../../pipeline/report.ts';
import { Type } from '../../schema.ts';

const Open = { additionalProperties: true } as const;

/** Body of the documented interface as its page describes it; what is tolerated beyond lives in `dialect/`. */
export const AiqualityRequest = Type.Object(
  {
    media_info_list: Type.Array(
      Type.Object(
        {
          media_data: Type.String({ description: 'Base64 of a JPG or PNG file, or a link to one.' }),
          media_profiles: Type.Optional(
            Type.Object(
              {
                media_data_type: Type.Optional(
                  Type.String({ description: '`url` when media_data is a link, else base64.', default: 'jpg' }),
                ),
              },
              Open,
            ),
          ),
          media_extra: Type.Optional(Type.Object({}, { ...Open, description: 'May carry known face points or boxes.' })),
        },
        Open,
      ),
      { minItems: 1 },
    ),
    parameter: Type.Object(
      {
        rsp_media_type: Type.Optional(
          Type.Union([Type.Literal('base64'), Type.Literal('jpg'), Type.Literal('png'), Type.Literal('url')], { default: 'jpg' }),
        ),
        strength: Type.Optional(Type.Number({ minimum: 0, maximum: 1, default: 1 })),
        face: Type.Optional(Type.Union([Type.Literal('auto'), Type.Literal('off'), Type.Literal('only')], { default: 'auto' })),
        face_strength: Type.Optional(Type.Number({ minimum: 0, maximum: 1 })),
        quality: Type.Optional(Type.Integer({ minimum: 1, maximum: 100, default: 95 })),
        model: Type.Optional(Type.String({ default: 'auto' })),
        scale: Type.Optional(Type.Union([Type.Literal(1), Type.Literal(2), Type.Literal(4)], { default: 1 })),
        report: Type.Optional(Type.Boolean({ default: false })),
      },
      Open,
    ),
    extra: Type.Optional(Type.Object({}, Open)),
  },
  { ...Open, title: 'AiqualityRequest' },
);

/** Answer of a restoration. */
export const AiqualitySuccess = Type.Object(
  {
    media_info_list: Type.Array(
      Type.Object({
        media_data: Type.String({ description: 'Base64 without prefix, or an absolute link.' }),
        media_profiles: Type.Object({ media_data_type: Type.String() }),
        media_extra: Type.Optional(Type.Object({ report: RestoreReport })),
      }),
    ),
    parameter: Type.Object({ rsp_media_type: Type.String(), version: Type.String() }),
  },
  { title: 'AiqualitySuccess' },
);

/** Answer of every failure of the interface family. */
export const Failure = Type.Object(
  {
    ErrorCode: Type.Integer(),
    ErrorMsg: Type.String({ description: 'Name of the code.' }),
    Data: Type.Null(),
    message: Type.String({ description: 'What was wrong, in one English sentence.' }),
    request_id: Type.String(),
  },
  { title: 'Failure' },
);
