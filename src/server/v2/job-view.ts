import type { FastifyRequest } from 'fastify';
import type { Config } from '../../config.ts';
import type { Job } from '../../jobs/job.ts';
import type { ServerDeps } from '../deps.ts';
import { linkBase } from '../link-base.ts';
import { resultLink } from '../routes/results.ts';
import type { V2Job } from '../schemas/v2.ts';
import { problemOf } from './problem.ts';

type Deps = Pick<ServerDeps, 'storage'> & { readonly config: Config };

/** Path of a job's resource. */
export function jobPath(id: string): string {
  return `/v2/jobs/${id}`;
}

/** A job as `/v2` shows it to its owner. */
export async function viewJob(job: Job, request: FastifyRequest, deps: Deps): Promise<V2Job> {
  const self = jobPath(job.id);
  const result = job.results?.[0];
  const object = result && (await deps.storage.stat(result.object));
  return {
    id: job.id,
    state: job.state,
    progress: job.progress,
    created_at: time(job.createdAt),
    ...(job.startedAt === undefined ? {} : { started_at: time(job.startedAt) }),
    ...(job.finishedAt === undefined ? {} : { finished_at: time(job.finishedAt) }),
    expires_at: time(job.expiresAt),
    links: { self, events: `${self}/events`, source: `${self}/source`, ...(object ? { result: `${self}/result` } : {}) },
    ...(result && object
      ? {
          result: {
            url: resultLink(object, linkBase(request, deps.config)),
            mediaType: object.type,
            width: result.outcome.width,
            height: result.outcome.height,
            bytes: object.bytes,
          },
          report: result.outcome.report,
        }
      : {}),
    ...(job.failure ? { error: problemOf(job.failure.kind, job.failure.message, request.id) } : {}),
  };
}

const time = (milliseconds: number): string => new Date(milliseconds).toISOString();
