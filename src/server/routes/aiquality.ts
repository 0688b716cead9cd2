import { readFile } from 'node:fs/promises';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import type { ErrorName } from '../../errors.ts';
import type { PictureUsage } from '../access/usage.ts';
import type { ServerDeps } from '../deps.ts';
import { type AnswerEntry, successBody } from '../dialect/answer.ts';
import { parseJsonBody, type WireObject } from '../dialect/json-body.ts';
import { parseWireRequest, type WireRequest } from '../dialect/wire-request.ts';
import { linkBase } from '../link-base.ts';
import { errorOf } from '../plugins/errors.ts';
import { refuseOtherMethods } from '../plugins/other-methods.ts';
import { ClientGone } from '../request-state.ts';
import { type RestoredEntry, restoreEntries } from '../restoration/restore-entries.ts';
import { AiqualityRequest, AiqualitySuccess, Failure } from '../schemas/aiquality.ts';
import { serverTiming, sumTimings } from '../server-timing.ts';
import { publishResult } from './results.ts';

/** A synchronous route of the family: the documented one, or a sibling with parameters of its own. */
export interface SyncRouteSpec {
  readonly path: string;
  /** Interface name that a key's scopes and the usage records know. */
  readonly scope: string;
  readonly summary: string;
  readonly mapParameter?: (parameter: WireObject) => WireObject;
}

/** `POST /v1/aiquality`, the documented interface. */
export const AIQUALITY: SyncRouteSpec = {
  path: '/v1/aiquality',
  scope: 'aiquality',
  summary: 'Restore pictures and wait for the result (documented interface)',
};

/** Registers one synchronous route; expects an instance with `acceptAnyBody` and `requireKey`. */
export function syncRoute(server: FastifyInstance, deps: ServerDeps, spec: SyncRouteSpec): void {
  server.post(
    spec.path,
    {
      config: { scope: spec.scope },
      schema: {
        summary: spec.summary,
        tags: ['v1'],
        body: AiqualityRequest,
        response: { 200: AiqualitySuccess, 400: Failure },
      },
      // The schema describes; the dialect checks, because it tolerates what real clients send.
      validatorCompiler: () => () => true,
      serializerCompiler: () => (body) => JSON.stringify(body),
    },
    (request, reply) => answer(request, reply, deps, spec),
  );
  refuseOtherMethods(server, spec.path, ['POST']);
}

async function answer(request: FastifyRequest, reply: FastifyReply, deps: ServerDeps, spec: SyncRouteSpec) {
  const start = performance.now();
  const durations: Record<string, number> = {};
  const wire = readRequest(request, deps, spec);
  const folder = await deps.spool.open();
  try {
    const restored = await restoreEntries(wire, deps, {
      folder,
      signal: request.gone,
      remaining: () => deps.config.syncTimeout * 1000 - (performance.now() - start),
      onPhase: (phase, milliseconds) => {
        durations[phase] = milliseconds;
      },
    });
    const entries = await Promise.all(restored.map((entry) => deliver(entry, wire, request, deps)));
    await account(request, deps, spec, restored.map(succeeded(spec.scope)), restored);
    durations.total = performance.now() - start;
    reply.header('Server-Timing', serverTiming({ ...durations, ...sumTimings(restored.map((entry) => entry.outcome.report.timings)) }));
    return successBody(entries, wire.answer);
  } catch (error) {
    if (!(error instanceof ClientGone)) await account(request, deps, spec, failed(spec.scope, errorOf(error, request).kind), []);
    throw error;
  } finally {
    await folder.remove();
  }
}

/** The body is let go of here: with base64 sources it is the largest thing in memory. */
function readRequest(request: FastifyRequest, deps: ServerDeps, spec: SyncRouteSpec): WireRequest {
  const body = parseJsonBody(request.body);
  request.body = undefined;
  return parseWireRequest(body, {
    maxEntries: deps.config.maxEntries,
    models: deps.models,
    ...(spec.mapParameter ? { mapParameter: spec.mapParameter } : {}),
  });
}

async function deliver(entry: RestoredEntry, wire: WireRequest, request: FastifyRequest, deps: ServerDeps): Promise<AnswerEntry> {
  const data =
    wire.answer === 'url'
      ? await publishResult(entry, linkBase(request, deps.config), deps)
      : (await readFile(entry.path)).toString('base64');
  return { data, report: wire.report ? entry.outcome.report : undefined };
}

const succeeded =
  (scope: string) =>
  ({ outcome }: RestoredEntry): PictureUsage => ({
    scope,
    outcome: 'ok',
    pixels: outcome.width * outcome.height,
    seconds: Object.values(outcome.report.timings).reduce((sum, ms) => sum + ms, 0) / 1000,
  });

const failed = (scope: string, kind: ErrorName): PictureUsage[] => [{ scope, outcome: kind, pixels: 0, seconds: 0 }];

async function account(
  request: FastifyRequest,
  deps: ServerDeps,
  _spec: SyncRouteSpec,
  pictures: readonly PictureUsage[],
  restored: readonly RestoredEntry[],
): Promise<void> {
  if (restored.length === 0) for (const picture of pictures) deps.metrics.picture({ outcome: picture.outcome });
  for (const { outcome } of restored) {
    const model = outcome.report.model ?? 'none';
    deps.metrics.picture({ outcome: 'ok', model, megapixels: (outcome.width * outcome.height) / 1e6, timings: outcome.report.timings });
  }
  if (request.apiKey) await deps.usage.record(request.apiKey, pictures);
}
