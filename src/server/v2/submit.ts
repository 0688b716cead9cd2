import { createHash } from 'node:crypto';
import type { FastifyRequest } from 'fastify';
import { AppError } from '../../errors.ts';
import type { Accepted } from '../../jobs/store.ts';
import type { RestoreOptions } from '../../pipeline/options.ts';
import type { ServerDeps } from '../deps.ts';
import { keyOf } from './access.ts';
import { type Submission, v2Limits } from './source.ts';

/** Printable ASCII, as long as a header may reasonably be. */
const IDEMPOTENCY_KEY = /^[\x21-\x7e]{1,255}$/;

/**
 * Accepts a job for a submission; when this resolves it is on disk.
 * @throws AppError IDEMPOTENCY_CONFLICT when the key was used for another picture or other options
 */
export async function submit(
  submission: Submission,
  options: RestoreOptions,
  request: FastifyRequest,
  deps: Pick<ServerDeps, 'jobs' | 'config'>,
): Promise<Accepted> {
  const idempotencyKey = idempotencyKeyOf(request);
  const fingerprint = createHash('sha256').update(submission.bytes).update(JSON.stringify(options)).digest('hex');
  const { bytes, mediaType, pixels } = submission;
  const accepted = await deps.jobs.submit({
    key: keyOf(request),
    pictures: [{ source: { bytes, type: mediaType }, options, limits: v2Limits(deps.config), pixels }],
    wire: { surface: 'v2' },
    ...(idempotencyKey === undefined ? {} : { idempotencyKey, fingerprint }),
  });
  if (accepted.replayed && accepted.job.fingerprint !== fingerprint) {
    throw new AppError('IDEMPOTENCY_CONFLICT', 'This Idempotency-Key was used with another picture or other options.');
  }
  return accepted;
}

/** The request's `Idempotency-Key`. @throws AppError PARAM_VALUE_ERROR */
export function idempotencyKeyOf(request: FastifyRequest): string | undefined {
  const value = request.headers['idempotency-key'];
  if (value === undefined) return undefined;
  // Other interfaces may have keys of their own: the prefix keeps them apart.
  if (typeof value === 'string' && IDEMPOTENCY_KEY.test(value)) return `v2:${value}`;
  throw new AppError('PARAM_VALUE_ERROR', 'Idempotency-Key: expected 1 to 255 printable characters.');
}
