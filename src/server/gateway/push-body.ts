import { AppError } from '../../errors.ts';
import { isWireObject, kindOf, type WireObject } from '../dialect/json-body.ts';
import { notAllowed } from '../dialect/loose-values.ts';

/** A push body taken apart; its pictures and parameters are in the form of the direct interfaces. */
export interface PushBody {
  readonly task: string;
  /** A body of the direct interface, for the one reader of the dialect. */
  readonly direct: WireObject;
  /** Seconds to wait, or undefined when not given; −1: as long as the server allows. */
  readonly syncTimeout: number | undefined;
}

const TASK_TYPES = ['mtlab', 'formula'];
/** What the gateway answers when nothing is said: a link, unlike the direct interfaces. */
const DEFAULT_ANSWER = 'url';

/**
 * Reads `{task, task_type, init_images, params, sync_timeout, rsp_media_type, context}`. `context` is
 * free text that only means something to the client; it is accepted in any form.
 * @throws AppError PARAM_MISSING_ERROR, PARAM_TYPE_ERROR, PARAM_VALUE_ERROR, PARAM_JSON_DECODE_ERROR
 */
export function parsePushBody(body: WireObject): PushBody {
  const task = body.task;
  if (task === undefined || task === null || task === '') throw new AppError('PARAM_MISSING_ERROR', 'task is missing or empty.');
  if (typeof task !== 'string') throw new AppError('PARAM_TYPE_ERROR', `task: expected a string, received ${kindOf(task)}.`);
  checkTaskType(body.task_type);
  const params = paramsOf(body.params);
  return {
    task,
    direct: { media_info_list: imagesOf(body.init_images), parameter: parameterOf(body, params), extra: params.extra ?? body.extra },
    syncTimeout: syncTimeoutOf(body.sync_timeout),
  };
}

function checkTaskType(value: unknown): void {
  if (value === undefined || value === null || value === '') return;
  if (typeof value !== 'string' || !TASK_TYPES.includes(value.toLowerCase())) throw notAllowed('task_type', TASK_TYPES.join(', '), value);
}

/** `{url, profile: {media_profiles}}` as `{media_data, media_profiles}`. */
function imagesOf(images: unknown): unknown {
  if (images === undefined || images === null || images === '')
    throw new AppError('PARAM_MISSING_ERROR', 'init_images is missing or empty.');
  if (!Array.isArray(images)) throw new AppError('PARAM_TYPE_ERROR', `init_images: expected an array, received ${kindOf(images)}.`);
  if (images.length === 0) throw new AppError('PARAM_MISSING_ERROR', 'init_images is missing or empty.');
  return images.map((image: unknown) => {
    if (!isWireObject(image)) return image;
    const profile = isWireObject(image.profile) ? image.profile : {};
    return { media_data: image.url, media_profiles: profile.media_profiles, media_extra: profile.media_extra };
  });
}

/** `params` is the text of a JSON object, or empty; an object itself is put up with. */
function paramsOf(params: unknown): WireObject {
  if (params === undefined || params === null) return {};
  if (isWireObject(params)) return params;
  if (typeof params !== 'string') throw new AppError('PARAM_TYPE_ERROR', `params: expected a string of JSON, received ${kindOf(params)}.`);
  if (params.trim() === '') return {};
  let value: unknown;
  try {
    value = JSON.parse(params);
  } catch (error) {
    throw new AppError('PARAM_JSON_DECODE_ERROR', `params is no JSON (${params.length} characters received).`, { cause: error });
  }
  if (!isWireObject(value)) throw new AppError('PARAM_JSON_DECODE_ERROR', `params is JSON but no object: received ${kindOf(value)}.`);
  return value;
}

/** The answer's form stands in the body, beside `parameter`, or in it: the outermost wins. */
function parameterOf(body: WireObject, params: WireObject): unknown {
  const parameter = params.parameter ?? {};
  if (!isWireObject(parameter)) return parameter;
  const stated = [body.rsp_media_type, params.rsp_media_type, parameter.rsp_media_type];
  const answer = stated.find((value) => value !== undefined && value !== null && value !== '') ?? DEFAULT_ANSWER;
  return { ...parameter, rsp_media_type: answer };
}

function syncTimeoutOf(value: unknown): number | undefined {
  if (value === undefined || value === null || value === '') return undefined;
  const seconds = typeof value === 'string' && value.trim() !== '' ? Number(value) : value;
  if (typeof seconds === 'number' && (seconds === -1 || seconds >= 0)) return seconds;
  throw notAllowed('sync_timeout', 'a number of seconds, or -1', value);
}
