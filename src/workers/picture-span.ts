import type { Span } from '@opentelemetry/api';
import { type PastPart, pastSpans } from '../observability/tracing.ts';
import type { RestoreOutcome } from '../pipeline/report.ts';
import type { Job } from './job.ts';

/**
 * What a finished picture's span says: sizes, network, decision; below it the wait and each step. The
 * child only tells how long its steps took, in their order: they are laid end to end from its start.
 */
export function describe(span: Span, { submitted, started }: Job, { width, height, format, report }: RestoreOutcome): void {
  if (!span.isRecording()) return;
  span.setAttributes({
    ...{ 'mingxi.width': width, 'mingxi.height': height, 'mingxi.format': format },
    ...{ 'mingxi.model': report.model ?? 'none', 'mingxi.gate': report.gate.action, 'mingxi.faces': report.faces.length },
  });
  const parts: PastPart[] = [{ name: 'queue', began: submitted, ended: started }];
  let at = started;
  for (const [step, milliseconds] of Object.entries(report.timings)) {
    parts.push({ name: `step ${step}`, began: at, ended: at + milliseconds });
    at += milliseconds;
  }
  pastSpans(span, parts);
}
