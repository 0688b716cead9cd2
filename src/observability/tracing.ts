import { type Attributes, type Context, context, propagation, type Span, SpanKind, SpanStatusCode, trace } from '@opentelemetry/api';

/**
 * Spans by OpenTelemetry's API alone: without an SDK, which the operator brings by `--import`, every
 * call here does nothing. Attributes never hold keys, paths, links or queries.
 */
const tracer = () => trace.getTracer('mingxi');

/** Runs work inside a span of its own; a failure ends it with the error's kind or name. */
export function inSpan<T>(name: string, attributes: Attributes, work: (span: Span) => Promise<T>): Promise<T> {
  return tracer().startActiveSpan(name, { attributes }, async (span) => {
    try {
      return await work(span);
    } catch (error) {
      fail(span, error);
      throw error;
    } finally {
      span.end();
    }
  });
}

/** A part of something whose times are known only afterwards. Milliseconds of `performance.now()`. */
export interface PastPart {
  readonly name: string;
  readonly began: number;
  readonly ended: number;
}

/** Adds finished parts below a span that still runs: what a child process did is told when it is done. */
export function pastSpans(parent: Span, parts: readonly PastPart[]): void {
  if (!parent.isRecording()) return;
  const inside = trace.setSpan(context.active(), parent);
  for (const { name, began, ended } of parts) {
    tracer()
      .startSpan(name, { startTime: performance.timeOrigin + began }, inside)
      .end(performance.timeOrigin + ended);
  }
}

/** What a request brings for its span. */
export interface IncomingCall {
  readonly method: string;
  /** The pattern, not the path, which may be as good as a credential. */
  readonly route: string;
  readonly headers: Readonly<Record<string, unknown>>;
}

/** A request's span from its first hook to the end of its answer. */
export interface CallSpan {
  /** Runs the rest inside the span. */
  with(work: () => void): void;
  /** Its trace, for logs; undefined while nobody records. */
  readonly traceId: string | undefined;
  end(status: number, failure: string): void;
}

/**
 * Starts the span of a request: below the span that an instrumentation of `node:http` has begun, else
 * below the caller's (`traceparent`, W3C Trace Context), else a trace of its own.
 */
export function startCall({ method, route, headers }: IncomingCall): CallSpan {
  const outer = context.active();
  const parent = trace.getSpan(outer) ? outer : propagation.extract(outer, headers);
  const attributes = { 'http.request.method': method, 'http.route': route };
  const span = tracer().startSpan(`${method} ${route}`, { kind: SpanKind.SERVER, attributes }, parent);
  const inside: Context = trace.setSpan(parent, span);
  return {
    with: (work) => context.with(inside, work),
    traceId: span.isRecording() ? span.spanContext().traceId : undefined,
    end(status, failure) {
      span.setAttribute('http.response.status_code', status);
      if (failure !== '') span.setAttribute('error.type', failure);
      if (status >= 500) span.setStatus({ code: SpanStatusCode.ERROR });
      span.end();
    },
  };
}

function fail(span: Span, error: unknown): void {
  const { kind, name } = error as { kind?: string; name?: string };
  span.setAttribute('error.type', kind ?? name ?? 'unknown');
  span.setStatus({ code: SpanStatusCode.ERROR });
}
