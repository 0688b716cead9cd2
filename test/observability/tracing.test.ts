import { AsyncLocalStorage } from 'node:async_hooks';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  type Attributes,
  type Context,
  type ContextManager,
  context,
  propagation,
  ROOT_CONTEXT,
  type Span,
  type SpanOptions,
  trace,
} from '@opentelemetry/api';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { STEPS } from '../../src/pipeline/index.ts';
import { bodyOf, type TestApp, testApp } from '../support/app.ts';
import { jpeg } from '../support/pictures.ts';
import { until } from '../support/until.ts';

/** A span as a recorder keeps it. Milliseconds since 1970. */
interface Recorded {
  readonly name: string;
  readonly traceId: string;
  readonly id: string;
  readonly parent: string | undefined;
  readonly began: number;
  readonly attributes: Attributes;
  ended?: number;
  status?: number;
}

const spans: Recorded[] = [];
let count = 0;

/** The smallest SDK: what an operator brings by --import, in memory. */
function startSpan(
  name: string,
  { attributes = {}, startTime = Date.now() }: SpanOptions = {},
  parentContext: Context = context.active(),
): Span {
  const parent = trace.getSpanContext(parentContext);
  const id = String(++count).padStart(16, '0');
  const traceId = parent?.traceId ?? String(count).padStart(32, '0');
  const recorded: Recorded = { name, traceId, id, parent: parent?.spanId, began: Number(startTime), attributes: { ...attributes } };
  spans.push(recorded);
  const span = {
    spanContext: () => ({ traceId, spanId: id, traceFlags: 1 }),
    setAttribute: (key: string, value: string) => Object.assign(recorded.attributes, { [key]: value }) && span,
    setAttributes: (more: Attributes) => Object.assign(recorded.attributes, more) && span,
    setStatus: ({ code }: { code: number }) => Object.assign(recorded, { status: code }) && span,
    end: (time: number = Date.now()) => void Object.assign(recorded, { ended: time }),
    isRecording: () => recorded.ended === undefined,
  } as unknown as Span;
  return span;
}
const tracer = {
  startSpan,
  startActiveSpan: (name: string, options: SpanOptions, work: (span: Span) => unknown) => {
    const span = startSpan(name, options);
    return context.with(trace.setSpan(context.active(), span), () => work(span));
  },
};
const storage = new AsyncLocalStorage<Context>();
const manager = {
  active: () => storage.getStore() ?? ROOT_CONTEXT,
  with: (inside: Context, work: (...args: unknown[]) => unknown, self?: unknown, ...args: unknown[]) =>
    storage.run(inside, () => work.apply(self, args)),
  bind: (_inside: Context, target: unknown) => target,
  enable: () => manager,
  disable: () => manager,
} as unknown as ContextManager;

const folder = mkdtempSync(join(tmpdir(), 'mingxi-trace-'));
let api: TestApp;
beforeAll(async () => {
  trace.setGlobalTracerProvider({ getTracer: () => tracer as never });
  context.setGlobalContextManager(manager);
  propagation.setGlobalPropagator({
    fields: () => ['traceparent'],
    inject: () => undefined,
    extract: (outer, carrier) => {
      const [, traceId, spanId] = /^00-(\w{32})-(\w{16})-/.exec(String((carrier as Record<string, unknown>).traceparent ?? '')) ?? [];
      return traceId && spanId ? trace.setSpanContext(outer, { traceId, spanId, traceFlags: 1, isRemote: true }) : outer;
    },
  });
  api = await testApp(folder);
  await api.listen();
});
afterAll(async () => {
  await api.app.close();
  for (const part of [trace, context, propagation]) part.disable();
  rmSync(folder, { recursive: true, force: true });
});
beforeEach(() => void spans.splice(0));

const named = (name: string) => spans.filter((span) => span.name === name);
const one = (name: string): Recorded => {
  expect(named(name), name).toHaveLength(1);
  return named(name)[0] as Recorded;
};
const allEnded = () => until(() => spans.every(({ ended }) => ended !== undefined));

describe('spans, for an operator who brings an SDK', () => {
  test("a call: the caller's trace, sources, picture, every step in its order, delivery", async () => {
    const traceId = '0af7651916cd43dd8448eb211c80319c';
    const answer = await api.post(bodyOf(await jpeg(64, 64)), { traceparent: `00-${traceId}-b7ad6b7169203331-01` });
    expect(answer.statusCode).toBe(200);
    await allEnded();
    const call = one('POST /v1/aiquality');
    expect(call).toMatchObject({
      traceId,
      parent: 'b7ad6b7169203331',
      attributes: { 'http.route': '/v1/aiquality', 'http.response.status_code': 200 },
    });
    for (const name of ['sources', 'picture', 'deliver']) expect(one(name).parent, name).toBe(call.id);
    const picture = one('picture');
    expect(picture.attributes).toMatchObject({ 'mingxi.width': 64, 'mingxi.height': 64, 'mingxi.model': 'general' });
    const below = spans.filter(({ parent }) => parent === picture.id);
    expect(below.map(({ name }) => name)).toEqual(['queue', ...STEPS.map((step) => `step ${step.name}`)]);
    for (const [i, span] of below.entries()) {
      expect(span.ended).toBeGreaterThanOrEqual(span.began);
      if (i > 0) expect(span.began).toBeCloseTo(below[i - 1]?.ended ?? 0, 3);
    }
    expect(below.at(-1)?.ended).toBeLessThanOrEqual((picture.ended ?? 0) + 1);
    expect(new Set(spans.map((span) => span.traceId))).toEqual(new Set([traceId]));
  });

  test('a picture that fails says which error it was', async () => {
    await api.post(bodyOf((await jpeg(64, 64)).subarray(0, 700)));
    await allEnded();
    expect(one('picture')).toMatchObject({ status: 2, attributes: { 'error.type': 'IMAGE_DECODE_ERROR' } });
    expect(one('POST /v1/aiquality').attributes).toMatchObject({ 'http.response.status_code': 400, 'error.type': 'IMAGE_DECODE_ERROR' });
  });

  test('without a parent a trace of its own; health checks none; no secret in any span', async () => {
    await api.post(bodyOf(await jpeg(64, 64), { rsp_media_type: 'url' }));
    await api.app.server.inject('/livez');
    await api.app.server.inject('/v1/results/0123.jpg?api_secret=hidden');
    await allEnded();
    expect(one('POST /v1/aiquality').parent).toBeUndefined();
    expect(one('GET /v1/results/:file').attributes['http.response.status_code']).toBe(404);
    expect(named('GET /livez')).toEqual([]);
    const text = JSON.stringify(spans);
    for (const secret of [api.secret, api.key, 'hidden', '0123.jpg', folder]) expect(text).not.toContain(secret);
  });
});
