/** One example of a request as OpenAPI shows it. A test sends every one of them to a running server. */
export interface RequestExample {
  readonly summary: string;
  readonly value: object;
}

/** Examples by name. */
export type RequestExamples = Readonly<Record<string, RequestExample>>;

/** The schema with examples that stand beside it in the document: several routes share a schema, not their examples. */
export function withExamples<S extends object>(schema: S, examples: RequestExamples): S {
  return { ...schema, 'x-examples': examples };
}

const LINK = 'https://example.com/holiday.jpg';
/** A disc on a 48×48 PNG, the smallest picture that is taken. */
const DISC =
  'iVBORw0KGgoAAAANSUhEUgAAADAAAAAwAgMAAAAqbBEUAAAADFBMVEX/zGYiVYhpe33UtWwRGGIOAAAACXBIWXMAAAsTAAALEwEAmpwYAAAAcklEQVQoz2MIRQIMA8YJ22M3Fc7JYWCwhHMOMDAwwzgRDECgCuUkgDicUI4DiMMI5RwAcZghnDAGMJgK5oRDOFfBnAgIRxWTEwPhmGJyAiAcVkwObj247UFxDopDUbyA6jkUb6MECEpQoQYiSvAOaGwDAHtnlacQekg5AAAAAElFTkSuQmCC';

const linked = { media_data: LINK, media_profiles: { media_data_type: 'url' } };
const inline = { media_data: DISC, media_profiles: { media_data_type: 'png' } };

const link: RequestExample = {
  summary: 'A link; the answer is a link',
  value: { media_info_list: [linked], parameter: { rsp_media_type: 'url' } },
};

/** `POST /v1/aiquality` */
export const AIQUALITY_EXAMPLES: RequestExamples = {
  link,
  base64: {
    summary: 'A file as base64; the answer is base64 of a PNG',
    value: { media_info_list: [inline], parameter: { rsp_media_type: 'png' } },
  },
  options: {
    summary: 'Half the strength, faces left alone, with a report',
    value: { media_info_list: [linked], parameter: { rsp_media_type: 'jpg', strength: 0.5, face: 'off', quality: 90, report: true } },
  },
};

/** The sibling interfaces, in their own words where those have a meaning here. */
export const SIBLING_EXAMPLES: RequestExamples = {
  link,
  faces: {
    summary: 'Faces alone, by the parameters of the original',
    value: { media_info_list: [linked], parameter: { rsp_media_type: 'jpg', use_hd_face_opt: '1', use_denoise: '0' } },
  },
};

/** The asynchronous forms. */
export const ASYNC_EXAMPLES: RequestExamples = {
  link,
  callback: {
    summary: 'With a callback when the job has ended',
    value: { media_info_list: [linked], parameter: { rsp_media_type: 'url' }, extra: { callback_url: 'https://example.com/callback' } },
  },
};

const image = { url: LINK, profile: { media_profiles: { media_data_type: 'url' }, version: 'v1' } };

/** `push` and `sync/push` of the gateway. */
export const PUSH_EXAMPLES: RequestExamples = {
  link: {
    summary: 'A link; the answer is a link',
    value: { task: '/v1/aiquality', task_type: 'mtlab', init_images: [image], params: '{"parameter":{}}', sync_timeout: -1 },
  },
  base64: {
    summary: 'A file as base64, half the strength, answered as base64',
    value: {
      task: 'v1/aiquality_async',
      init_images: [{ url: DISC, profile: { media_profiles: { media_data_type: 'png' }, version: 'v1' } }],
      params: '{"parameter":{"strength":0.5},"rsp_media_type":"jpg"}',
      context: 'order 17',
    },
  },
};

/** The JSON form of `POST /v2/restore`. */
export const RESTORE_EXAMPLES: RequestExamples = {
  link: { summary: 'A link, as WebP', value: { image: { url: LINK }, options: { strength: 0.8, format: 'webp' } } },
  base64: { summary: 'A file as base64', value: { image: { base64: DISC } } },
};
