import { Type } from '../../schema.ts';

const Open = { additionalProperties: true } as const;

/** Body of `push` and `sync/push`, for description; `gateway/push-body.ts` checks, and tolerates more. */
export const PushRequest = Type.Object(
  {
    task: Type.String({ description: 'Interface to run, e.g. `/v1/aiquality`; prefixes and `_async` are tolerated.' }),
    task_type: Type.Optional(Type.Union([Type.Literal('mtlab'), Type.Literal('formula')])),
    init_images: Type.Array(
      Type.Object(
        {
          url: Type.String({ description: 'Link to a JPG or PNG file, or base64 of one.' }),
          profile: Type.Optional(
            Type.Object(
              {
                media_profiles: Type.Optional(
                  Type.Object({ media_data_type: Type.Optional(Type.String({ description: '`url` for a link, else base64.' })) }, Open),
                ),
                version: Type.Optional(Type.String()),
              },
              Open,
            ),
          ),
        },
        Open,
      ),
      { minItems: 1 },
    ),
    params: Type.Optional(
      Type.String({ description: 'JSON as text: `parameter` as in `/v1/aiquality`, `rsp_media_type`, and `extra` with a `callback_url`.' }),
    ),
    rsp_media_type: Type.Optional(
      Type.Union([Type.Literal('url'), Type.Literal('base64'), Type.Literal('jpg'), Type.Literal('png')], { default: 'url' }),
    ),
    sync_timeout: Type.Optional(
      Type.Number({ minimum: -1, default: -1, description: 'Seconds sync/push waits; -1: as long as the server allows.' }),
    ),
    context: Type.Optional(Type.Unknown({ description: 'Free text of the client.' })),
  },
  { ...Open, title: 'PushRequest' },
);

const Task = Type.Object({
  status: Type.Integer({ description: '-1 not found, 0 created, 1 running, 2 failed, 9 the wait ran out, 10 succeeded.' }),
  task_id: Type.String({ description: 'Id to ask `/api/v1/sdk/status` with.' }),
  progress: Type.Number({ minimum: 0, maximum: 1 }),
  predict_elapsed: Type.Integer({ description: 'Milliseconds from acceptance to the expected or real end.' }),
  create_time: Type.Integer({ description: 'Milliseconds since 1970.' }),
  result: Type.Union([Type.Object({ id: Type.String(), urls: Type.Optional(Type.Array(Type.String())) }, Open), Type.Null()]),
});

/** Every answer of the gateway about a task; a refusal has a code and no data. */
export const TaskEnvelope = Type.Object(
  {
    request_id: Type.String(),
    trace_id: Type.String(),
    code: Type.Integer({ description: '0, or the code of the failure.' }),
    error_code: Type.Integer({ description: 'The same again.' }),
    message: Type.String({ description: 'Name of the code; empty when all is well.' }),
    data: Type.Union([Task, Type.Null()]),
  },
  { title: 'TaskEnvelope' },
);
