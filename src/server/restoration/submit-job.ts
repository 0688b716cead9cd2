import type { FastifyRequest } from 'fastify';
import type { ApiKey } from '../../db/keys.ts';
import { AppError } from '../../errors.ts';
import { checkHeader, probeHeader } from '../../imaging/header.ts';
import type { Job } from '../../jobs/job.ts';
import type { NewPicture } from '../../jobs/jobs.ts';
import type { PictureLimits } from '../../limits.ts';
import type { ServerDeps } from '../deps.ts';
import { decodeBase64 } from '../dialect/base64.ts';
import { kindOf, type WireObject } from '../dialect/json-body.ts';
import type { WireEntry } from '../dialect/media-list.ts';
import type { AnswerKind } from '../dialect/parameter.ts';
import type { WireRequest } from '../dialect/wire-request.ts';
import { linkBase } from '../link-base.ts';
import { documentedLimits } from './limits.ts';

/** What a job of the wire dialects keeps to word its answer. */
export interface WireState {
  readonly dialect: 'wire';
  readonly answer: AnswerKind;
  readonly report: boolean;
  /** Base of result links, by the submitting request: a callback has no request of its own. */
  readonly base: string;
}

/** Whether a job was submitted in one of the wire dialects, and how it is to be answered. */
export function wireStateOf(job: Job): WireState | undefined {
  const state = job.wire as Partial<WireState> | null;
  return state?.dialect === 'wire' ? (state as WireState) : undefined;
}

/**
 * Submits a request of the wire dialects as a job. Base64 sources are checked as far as their header
 * now, because that is cheap; links are fetched when the job runs.
 * @throws AppError of base64, format and size; INVALID_URL_ERROR; RIGHTS_LIMIT_EXCEEDED; ALGORITHM_OVER_CONCURRENT
 */
export async function submitJob(wire: WireRequest, key: ApiKey, request: FastifyRequest, deps: ServerDeps): Promise<Job> {
  const limits = documentedLimits(deps.config);
  const state: WireState = { dialect: 'wire', answer: wire.answer, report: wire.report, base: linkBase(request, deps.config) };
  const { job } = await deps.jobs.submit({
    key,
    pictures: wire.entries.map((entry) => pictureOf(entry, wire, limits)),
    wire: state,
    callbackUrl: callbackOf(wire.extra),
  });
  return job;
}

function pictureOf(entry: WireEntry, wire: WireRequest, limits: PictureLimits): NewPicture {
  const options = { ...wire.options, ...(entry.facePoints ? { facePoints: entry.facePoints } : {}) };
  if (entry.source.kind === 'link') return { source: { link: entry.source.link }, options, limits };
  const bytes = decodeBase64(entry.source.text, limits.maxBytes);
  const header = probeHeader(bytes);
  checkHeader(header, bytes.length, limits);
  const pixels = header.width !== undefined && header.height !== undefined ? header.width * header.height : undefined;
  return { source: { bytes }, options, limits, pixels };
}

/** @throws AppError PARAM_TYPE_ERROR */
function callbackOf(extra: WireObject): string | undefined {
  const value = extra.callback_url;
  if (value === undefined || value === null || value === '') return undefined;
  if (typeof value === 'string') return value;
  throw new AppError('PARAM_TYPE_ERROR', `extra.callback_url: expected a string, received ${kindOf(value)}.`);
}
