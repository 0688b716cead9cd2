import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { openApiDocument } from '../../scripts/openapi.ts';
import { ERRORS } from '../../src/errors.ts';
import { Value } from '../../src/schema.ts';
import { Problem, V2Job } from '../../src/server/schemas/v2.ts';
import { type TestApp, testApp } from '../support/app.ts';
import { jpeg } from '../support/pictures.ts';

const folder = mkdtempSync(join(tmpdir(), 'mingxi-test-'));
let api: TestApp;
let auth: Record<string, string>;

beforeAll(async () => {
  api = await testApp(folder, { metrics: true });
  await api.listen();
  auth = { 'x-api-key': api.key, 'x-api-secret': api.secret };
});
afterAll(async () => {
  await api.app.close();
  rmSync(folder, { recursive: true, force: true });
});

const committed = () => readFileSync(new URL('../../openapi.json', import.meta.url), 'utf8');

test('the committed document is the one the routes make (npx tsx scripts/openapi.ts)', async () => {
  expect(await openApiDocument()).toBe(committed());
});

test('3.1, every reference resolves, every operation is described', () => {
  const document = JSON.parse(committed());
  expect(document.openapi).toBe('3.1.0');
  const names = Object.keys(document.components.schemas);
  const references = [...committed().matchAll(/"\$ref": "#\/components\/schemas\/(\w+)"/g)].map((match) => match[1]);
  expect(references.length).toBeGreaterThan(20);
  for (const reference of references) expect(names).toContain(reference);
  for (const path of Object.values<Record<string, { summary?: string; tags?: string[] }>>(document.paths)) {
    for (const operation of Object.values(path)) {
      expect(operation.summary).toMatch(/\w/);
      expect(operation.tags).toHaveLength(1);
    }
  }
});

test('/docs is complete by itself: page, script and style come from here', async () => {
  const page = await api.app.server.inject({ url: '/docs/' });
  expect(page.statusCode).toBe(200);
  const parts = [...page.body.matchAll(/(?:src|href)="([^"]+)"/g)].map((match) => new URL(match[1] ?? '', 'http://here/docs/'));
  expect(parts.length).toBeGreaterThan(2);
  for (const part of parts) {
    expect(part.host).toBe('here');
    expect((await api.app.server.inject({ url: part.pathname })).statusCode, part.pathname).toBe(200);
  }
  expect(page.headers['content-security-policy']).toMatch(/default-src 'none'/);
});

describe('answers are as described', () => {
  test('a job', async () => {
    const answer = await api.app.server.inject({
      method: 'POST',
      url: '/v2/restore',
      headers: { ...auth, 'content-type': 'image/jpeg', accept: 'application/json' },
      payload: await jpeg(120, 90),
    });
    expect([...Value.Errors(V2Job, answer.json())]).toEqual([]);
  });

  test('whatever is sent: never a 5xx, always a problem with a code of the table', async () => {
    const known = new Set(Object.values(ERRORS).map(({ code }) => code));
    const wild = fc.oneof(
      fc.string(),
      fc.integer(),
      fc.double(),
      fc.boolean(),
      fc.constant(null),
      fc.array(fc.string()),
      fc.dictionary(fc.string(), fc.string()),
    );
    const options = fc.dictionary(
      fc.constantFrom('strength', 'face', 'model', 'scale', 'format', 'quality', 'metadata', 'facePoints', '__proto__', 'x'),
      wild,
    );
    const image = fc.oneof(wild, fc.record({ base64: wild }), fc.record({ url: wild }));
    const json = fc
      .record({ image, options: fc.oneof(wild, options) }, { requiredKeys: [] })
      .map((body) => ({ type: 'application/json', payload: Buffer.from(JSON.stringify(body)) }));
    const raw = fc.uint8Array({ maxLength: 300 }).map((bytes) => ({ type: 'image/png', payload: Buffer.from(bytes) }));
    const magic = fc
      .uint8Array({ maxLength: 200 })
      .map((bytes) => ({ type: 'image/jpeg', payload: Buffer.concat([Buffer.from([0xff, 0xd8, 0xff]), bytes]) }));
    const form = fc.string().map((text) => ({ type: 'multipart/form-data; boundary=b', payload: Buffer.from(`--b\r\n${text}\r\n--b--`) }));
    await fc.assert(
      fc.asyncProperty(fc.oneof(json, raw, magic, form), async ({ type, payload }) => {
        const answer = await api.app.server.inject({
          method: 'POST',
          url: '/v2/restore',
          headers: { ...auth, 'content-type': type },
          payload,
        });
        expect(answer.statusCode, answer.body).toBeGreaterThanOrEqual(400);
        expect(answer.statusCode, answer.body).toBeLessThan(500);
        expect([...Value.Errors(Problem, answer.json())]).toEqual([]);
        expect(known).toContain(answer.json().code);
      }),
      { numRuns: 150 },
    );
  });
});
