import sharp from 'sharp';
import { ERRORS } from '../../src/errors.ts';
import type { Surface } from './attack.ts';

export interface Answer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly body: Buffer;
}

/** What one answer turned out to be. `wrong`: what breaks a promise, in words. */
export interface Verdict {
  /** `ok`, the name of the error, or the status of an answer of the framework. */
  readonly outcome: string;
  readonly wrong?: string;
  /** Pictures of a success, and links to them. */
  readonly pictures: readonly Buffer[];
  readonly links: readonly string[];
  /** Id of a job that was accepted and is not finished. */
  readonly job?: string;
}

const BY_CODE = new Map(Object.entries(ERRORS).map(([name, spec]) => [spec.code as number, { name, ...spec }]));
/** The two refusals with a 5xx that are documented for overload. */
const OVERLOAD: readonly number[] = [ERRORS.ALGORITHM_OVER_CONCURRENT.code, ERRORS.GATEWAY_TIMEOUT.code];
/** Words of ours or of libraries that no stranger may read: paths, stacks, decoders' own messages. */
const PRIVATE =
  /\/(home|root|tmp|usr|proc|dev\/shm)\/|node_modules|\.[jt]s:\d|vips|libpng|libjpeg|ENOENT|EACCES|ECONNREFUSED|SQLITE|at [A-Za-z.]+ \(/;
const DECODED = 1_000_000;

const none = { pictures: [], links: [] };

/** Judges an answer by the surface it came from. */
export async function judge(surface: Surface, answer: Answer): Promise<Verdict> {
  const { status, headers, body } = answer;
  const type = String(headers['content-type'] ?? '');
  if (type.includes('json') && body.length > 0) {
    const value = parsed(body);
    if (value === undefined) return { outcome: String(status), wrong: 'says it is JSON and is not', ...none };
    const verdict = judgeJson(surface, status, value, headers);
    const leak = status >= 400 ? PRIVATE.exec(body.toString('utf8').replace(/"request_id":"[^"]*"/, ''))?.[0] : undefined;
    return leak && !verdict.wrong ? { ...verdict, wrong: `tells something private: ${leak}` } : verdict;
  }
  if (status >= 500) return { outcome: String(status), wrong: `status ${status} without a documented body`, ...none };
  if (surface === 'v2' && status === 200 && type.startsWith('image/')) return { outcome: 'ok', pictures: [body], links: [] };
  if (surface === 'open' || status >= 400 || status < 200 || type.startsWith('text/event-stream'))
    return { outcome: String(status), ...none };
  return { outcome: String(status), wrong: `a success of no known form (${type})`, ...none };
}

function judgeJson(surface: Surface, status: number, value: Record<string, unknown>, headers: Answer['headers']): Verdict {
  const code = Number(value.ErrorCode ?? value.error_code ?? value.code ?? 0);
  if (status >= 400 || code !== 0) return judgeFailure(surface, status, code, value, headers);
  if (surface === 'open') return { outcome: String(status), ...none };
  const list = (value.media_info_list ?? (value.data as { result?: { media_info_list?: unknown } } | null)?.result?.media_info_list) as
    | { media_data?: string }[]
    | undefined;
  const data = (list ?? []).map((entry) => String(entry.media_data ?? ''));
  const links = data.filter((text) => /^https?:/.test(text));
  const job = typeof value.msg_id === 'string' && list === undefined ? value.msg_id : undefined;
  return {
    outcome: 'ok',
    pictures: data.filter((text) => !/^https?:/.test(text)).map((text) => Buffer.from(text, 'base64')),
    links,
    ...(job ? { job } : {}),
  };
}

function judgeFailure(surface: Surface, status: number, code: number, value: Record<string, unknown>, headers: Answer['headers']): Verdict {
  const spec = BY_CODE.get(code);
  const outcome = spec?.name ?? String(status);
  const fail = (wrong: string): Verdict => ({ outcome, wrong, ...none });
  // /readyz says with 503 that this process should get no calls just now.
  const isUnready = status === 503 && value.status === 'unavailable' && typeof value.checks === 'object';
  if (!spec) return surface === 'open' && (status < 500 || isUnready) ? { outcome, ...none } : fail(`code ${code} is not documented`);
  if (status >= 500 && !OVERLOAD.includes(code)) return fail(`status ${status}`);
  if ((status === 503 || status === 429) && headers['retry-after'] === undefined) return fail(`${status} without Retry-After`);
  if (surface === 'v1' && status !== spec.status) return fail(`status ${status}, documented is ${spec.status}`);
  if (surface === 'v1' && code !== ERRORS.ROUTE_NOT_FOUND.code && (value.Data !== null || value.ErrorMsg !== spec.name))
    return fail('no failure body of the family');
  if (surface === 'v2' && value.status !== undefined && value.status !== status) return fail('status of the body is another one');
  return { outcome, ...none };
}

/** Decodes a result; answers what is wrong with it. Large ones as far as their header. */
export async function faultOf(picture: Buffer, smallest: number): Promise<string | undefined> {
  try {
    const { width, height } = await sharp(picture).metadata();
    if (Math.min(width, height) < smallest) return `a result of ${width}×${height}`;
    if (width * height <= DECODED) await sharp(picture, { failOn: 'error' }).raw().toBuffer();
    return undefined;
  } catch (error) {
    return `a result that cannot be decoded: ${(error as Error).message}`;
  }
}

function parsed(body: Buffer): Record<string, unknown> | undefined {
  try {
    const value: unknown = JSON.parse(body.toString('utf8'));
    return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : { value };
  } catch {
    return undefined;
  }
}
