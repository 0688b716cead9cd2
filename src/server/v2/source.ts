import { readFile } from 'node:fs/promises';
import type { FastifyRequest } from 'fastify';
import type { Config } from '../../config.ts';
import { AppError } from '../../errors.ts';
import { checkHeader, probeHeader } from '../../imaging/header.ts';
import type { PictureLimits, SourceFormat } from '../../limits.ts';
import type { RestoreOptions } from '../../pipeline/options.ts';
import { Value } from '../../schema.ts';
import type { ServerDeps } from '../deps.ts';
import { decodeBase64 } from '../dialect/base64.ts';
import { V2JsonRequest } from '../schemas/v2.ts';
import { checkOptions, optionsFromText } from './options.ts';

/** A request of `/v2` understood: the picture's bytes, its header checked, and the options sent. */
export interface Submission {
  readonly bytes: Uint8Array;
  readonly mediaType: string;
  /** As the header states it; undefined for formats whose headers only the codec reads. */
  readonly pixels: number | undefined;
  readonly options: Partial<RestoreOptions>;
}

type Deps = Pick<ServerDeps, 'config' | 'fetcher' | 'models' | 'spool'>;

const MEDIA_TYPES: Readonly<Record<SourceFormat, string>> = {
  jpg: 'image/jpeg',
  png: 'image/png',
  webp: 'image/webp',
  tiff: 'image/tiff',
  avif: 'image/avif',
};

/** Limits of the modern surface, as configured. */
export function v2Limits(config: Pick<Config, 'minSide' | 'v2MaxPixels' | 'v2MaxFileBytes' | 'maxResultPixels'>): PictureLimits {
  return {
    formats: ['jpg', 'png', 'webp', 'avif', 'tiff'],
    minSide: config.minSide,
    maxSide: 65_535,
    maxPixels: config.v2MaxPixels,
    maxResultPixels: config.maxResultPixels,
    maxBytes: config.v2MaxFileBytes,
  };
}

/**
 * Reads the three forms of a request: multipart form, picture bytes with options in the query, JSON.
 * @throws AppError of body, options, link, file size, format or pixel size
 */
export async function readSubmission(request: FastifyRequest, deps: Deps): Promise<Submission> {
  const { bytes, options } = await readBody(request, deps);
  request.body = undefined; // with base64 it is the largest thing in memory
  const limits = v2Limits(deps.config);
  const header = probeHeader(bytes);
  checkHeader(header, bytes.length, limits);
  const pixels = header.width !== undefined && header.height !== undefined ? header.width * header.height : undefined;
  return { bytes, mediaType: MEDIA_TYPES[header.format], pixels, options };
}

interface Body {
  readonly bytes: Uint8Array;
  readonly options: Partial<RestoreOptions>;
}

function readBody(request: FastifyRequest, deps: Deps): Promise<Body> | Body {
  if (request.isMultipart()) return readForm(request, deps);
  if (Buffer.isBuffer(request.body)) {
    const { api_key: _key, api_secret: _secret, ...fields } = request.query as Record<string, unknown>;
    return { bytes: notEmpty(request.body), options: optionsFromText(fields, deps.models) };
  }
  return readJson(request.body, request, deps);
}

async function readForm(request: FastifyRequest, deps: Deps): Promise<Body> {
  const fields: Record<string, unknown> = {};
  let bytes: Uint8Array | undefined;
  for await (const part of request.parts()) {
    if (part.type === 'field') fields[part.fieldname] = part.value;
    else if (part.fieldname === 'image' && bytes === undefined) bytes = await part.toBuffer();
    else
      throw new AppError(
        'PARAM_VALUE_ERROR',
        `One file is expected, in the field image; received another one in ${part.fieldname.slice(0, 80)}.`,
      );
  }
  if (bytes === undefined) throw new AppError('PARAM_MISSING_ERROR', 'The form has no file in the field image.');
  return { bytes: notEmpty(bytes), options: optionsFromText(fields, deps.models) };
}

async function readJson(body: unknown, request: FastifyRequest, deps: Deps): Promise<Body> {
  if (typeof body !== 'object' || body === null || Array.isArray(body))
    throw new AppError('PARAM_JSON_DECODE_ERROR', 'The body is no JSON object.');
  const { options = {}, ...rest } = body as { options?: unknown };
  const checked = checkOptions(options, deps.models);
  if (!Value.Check(V2JsonRequest, rest))
    throw new AppError('PARAM_TYPE_ERROR', 'Expected {"image": {"url": …} or {"base64": …}, "options": {…}}.');
  const { url, base64 } = rest.image;
  if ((url === undefined) === (base64 === undefined))
    throw new AppError('PARAM_MISSING_ERROR', 'image needs exactly one of url and base64.');
  const bytes = url === undefined ? decodeBase64(base64 ?? '', deps.config.v2MaxFileBytes) : await download(url, request.gone, deps);
  return { bytes: notEmpty(bytes), options: checked };
}

/** Fetched before the job is accepted: a wrong link is answered at once, and the source is kept with the job. */
async function download(url: string, signal: AbortSignal, deps: Deps): Promise<Uint8Array> {
  const folder = await deps.spool.open();
  try {
    const path = folder.path('source');
    await deps.fetcher.download(url, path, { maxBytes: deps.config.v2MaxFileBytes, signal });
    return await readFile(path);
  } finally {
    await folder.remove();
  }
}

function notEmpty<T extends Uint8Array>(bytes: T): T {
  if (bytes.length === 0) throw new AppError('PARAM_MISSING_ERROR', 'The picture is empty: 0 bytes received.');
  return bytes;
}
