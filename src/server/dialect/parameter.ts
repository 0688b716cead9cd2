import { AppError } from '../../errors.ts';
import type { Registry } from '../../models/registry.ts';
import { DEFAULT_OPTIONS, type RestoreOptions } from '../../pipeline/options.ts';
import { isWireObject, kindOf, type WireObject } from './json-body.ts';
import { looseChoice, looseFlag, looseNumber, looseText, notAllowed } from './loose-values.ts';

/** What the answer carries: base64 of a JPEG or PNG, or a link. */
export type AnswerKind = 'jpg' | 'png' | 'url';

/** `parameter` understood. */
export interface WireParameter {
  readonly options: RestoreOptions;
  readonly answer: AnswerKind;
  readonly report: boolean;
}

/**
 * The member `parameter` of a body. PHP clients send `[]` for an object without members.
 * @throws AppError PARAM_MISSING_ERROR, PARAM_TYPE_ERROR
 */
export function parameterOf(body: WireObject): WireObject {
  const value = body.parameter;
  if (value === undefined || value === null || value === '') throw new AppError('PARAM_MISSING_ERROR', 'parameter is missing or empty.');
  if (Array.isArray(value) && value.length === 0) return {};
  if (!isWireObject(value)) throw new AppError('PARAM_TYPE_ERROR', `parameter: expected an object, received ${kindOf(value)}.`);
  return value;
}

/**
 * Documented and own members of `parameter`; unknown ones are ignored.
 * @throws AppError PARAM_VALUE_ERROR
 */
export function parseParameter(parameter: WireObject, models: Pick<Registry, 'get' | 'list'>): WireParameter {
  const answer = answerOf(parameter);
  const faceStrength = looseNumber(parameter, 'face_strength', { min: 0, max: 1 });
  const model = modelOf(parameter, models);
  const options: RestoreOptions = {
    ...DEFAULT_OPTIONS,
    strength: looseNumber(parameter, 'strength', { min: 0, max: 1 }) ?? DEFAULT_OPTIONS.strength,
    face: looseChoice(parameter, 'face', ['auto', 'off', 'only']) ?? DEFAULT_OPTIONS.face,
    ...(faceStrength === undefined ? {} : { faceStrength }),
    quality: looseNumber(parameter, 'quality', { min: 1, max: 100, whole: true }) ?? DEFAULT_OPTIONS.quality,
    model,
    scale: scaleOf(parameter, model, models),
    format: answer === 'png' ? 'png' : 'jpg',
  };
  return { options, answer, report: looseFlag(parameter, 'report') ?? false };
}

function answerOf(parameter: WireObject): AnswerKind {
  const wanted = looseChoice(parameter, 'rsp_media_type', ['base64', 'jpg', 'png', 'url']) ?? 'jpg';
  return wanted === 'base64' ? 'jpg' : wanted;
}

function modelOf(parameter: WireObject, models: Pick<Registry, 'get'>): string {
  const name = looseText(parameter, 'model') ?? 'auto';
  if (name !== 'auto') models.get(name);
  return name;
}

function scaleOf(parameter: WireObject, model: string, models: Pick<Registry, 'get' | 'list'>): 1 | 2 | 4 {
  const scale = looseNumber(parameter, 'scale', { min: 1, max: 4, whole: true }) ?? 1;
  const offered = (model === 'auto' ? models.list() : [models.get(model)]).map((entry) => Number(entry.manifest.scale));
  if (scale === 1) return 1;
  if ((scale === 2 || scale === 4) && offered.includes(scale)) return scale;
  throw notAllowed(
    'scale',
    `1${[2, 4]
      .filter((s) => offered.includes(s))
      .map((s) => `, ${s}`)
      .join('')} with model ${model}`,
    scale,
  );
}
