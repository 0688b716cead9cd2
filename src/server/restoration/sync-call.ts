import { readFile } from 'node:fs/promises';
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { Work } from '../../jobs/accounting.ts';
import { inSpan } from '../../observability/tracing.ts';
import { unauthorized } from '../access/credentials.ts';
import type { ServerDeps } from '../deps.ts';
import { type AnswerEntry, successBody } from '../dialect/answer.ts';
import type { WireRequest } from '../dialect/wire-request.ts';
import { linkBase } from '../link-base.ts';
import { errorOf } from '../plugins/errors.ts';
import { ClientGone } from '../request-state.ts';
import { publishResult } from '../routes/results.ts';
import { serverTiming, sumTimings } from '../server-timing.ts';
import { type RestoredEntry, restoreEntries } from './restore-entries.ts';
import { restoringTime } from './restoring-time.ts';

/** Seconds that a crashed process's reservation outlives the call's own time limit. */
const RESERVATION_GRACE = 60;

/**
 * A synchronous call from checked request to answer: reserve, save sources, restore, deliver, charge.
 * A failure gives the reservation back; a success is charged once, for all entries. The spool folder
 * is gone afterwards, whatever happened.
 */
export async function restoreAndAnswer(wire: WireRequest, request: FastifyRequest, reply: FastifyReply, deps: ServerDeps) {
  const start = performance.now();
  const key = request.apiKey;
  if (!key) throw unauthorized();
  const time = restoringTime(deps.config);
  const expiresAt = Date.now() + (deps.config.syncTimeout + RESERVATION_GRACE) * 1000;
  const reservation = await deps.accounting.reserve(key, wire.entries.length, { expiresAt });
  const folder = await deps.spool.open();
  const durations: Record<string, number> = {};
  try {
    const restored = await restoreEntries(wire, deps, {
      key: key.id,
      folder,
      signal: request.gone,
      remaining: () => time - (performance.now() - start),
      onReceived: () => request.place?.giveUp(),
      onPhase: (phase, milliseconds) => {
        durations[phase] = milliseconds;
      },
    });
    const entries = await inSpan('deliver', {}, () => Promise.all(restored.map((entry) => deliver(entry, wire, request, deps))));
    await deps.accounting.charge(reservation, workOf(restored));
    for (const entry of restored) count(entry, deps);
    durations.total = performance.now() - start;
    reply.header('Server-Timing', serverTiming({ ...durations, ...sumTimings(restored.map((entry) => entry.outcome.report.timings)) }));
    return successBody(entries, wire.answer);
  } catch (error) {
    const failure = error instanceof ClientGone ? undefined : errorOf(error, request);
    await deps.accounting.refund(reservation, failure?.spec.code);
    deps.metrics.picture({ outcome: failure?.kind ?? 'CLIENT_GONE' });
    throw error;
  } finally {
    await folder.remove();
  }
}

async function deliver(entry: RestoredEntry, wire: WireRequest, request: FastifyRequest, deps: ServerDeps): Promise<AnswerEntry> {
  const data =
    wire.answer === 'url'
      ? await publishResult(entry, linkBase(request, deps.config), deps)
      : (await readFile(entry.path)).toString('base64');
  return { data, report: wire.report ? entry.outcome.report : undefined };
}

function count({ outcome }: RestoredEntry, deps: ServerDeps): void {
  const { model, timings } = outcome.report;
  deps.metrics.picture({ outcome: 'ok', model: model ?? 'none', megapixels: megapixels(outcome), timings });
}

function workOf(restored: readonly RestoredEntry[]): Work {
  const milliseconds = restored.flatMap(({ outcome }) => Object.values(outcome.report.timings)).reduce((sum, ms) => sum + ms, 0);
  return { megapixels: restored.reduce((sum, { outcome }) => sum + megapixels(outcome), 0), seconds: milliseconds / 1000 };
}

const megapixels = ({ width, height }: { width: number; height: number }) => (width * height) / 1e6;
