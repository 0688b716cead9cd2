import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import sharp from 'sharp';
import type { TSchema } from 'typebox';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { Value } from '../../src/schema.ts';
import { type TestApp, testApp } from '../support/app.ts';
import { httpServer, type TestServer } from '../support/http-server.ts';
import { jpeg } from '../support/pictures.ts';
import { pause } from '../support/until.ts';

/** Every request example of the committed description, sent as it stands to a running service. */
interface Media {
  readonly schema: object;
  readonly examples?: Record<string, { summary: string; value: object }>;
}
interface Operation {
  readonly requestBody?: { readonly content: Record<string, Media> };
  readonly responses: Record<string, { readonly content: Record<string, Media> }>;
}
const description = JSON.parse(readFileSync(new URL('../../openapi.json', import.meta.url), 'utf8')) as {
  paths: Record<string, Record<string, Operation>>;
  components: { schemas: Record<string, object> };
};

const JSON_TYPE = 'application/json';
const operations = Object.entries(description.paths).flatMap(([path, { post }]) => (post?.requestBody ? [{ path, post }] : []));
const examples = operations.flatMap(({ path, post }) =>
  Object.entries(post.requestBody?.content[JSON_TYPE]?.examples ?? {}).map(([name, { value }]) => ({ path, name, value, post })),
);

const folder = mkdtempSync(join(tmpdir(), 'mingxi-test-'));
const callbacks: { msg_id?: string }[] = [];
let api: TestApp;
let elsewhere: TestServer;
beforeAll(async () => {
  const picture = await jpeg(64, 56);
  // Stands for example.com: has the picture, and takes callbacks.
  elsewhere = await httpServer(async (request, response) => {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    if (request.url === '/callback') callbacks.push(JSON.parse(Buffer.concat(chunks).toString()));
    response.writeHead(request.url === '/holiday.jpg' || request.url === '/callback' ? 200 : 404).end(picture);
  });
  api = await testApp(folder, { fetchAllow: '127.0.0.1', syncTimeout: 100, gatewayTimeout: 100 });
  await api.listen();
});
afterAll(async () => {
  await api.app.close();
  await elsewhere.close();
  rmSync(folder, { recursive: true, force: true });
});

const auth = () => ({ 'x-api-key': api.key, 'x-api-secret': api.secret });
const ask = (url: string) => api.app.server.inject({ url, headers: auth() });

/** A schema of the description with its references put in place. */
function resolved(value: unknown): TSchema {
  if (Array.isArray(value)) return value.map(resolved) as unknown as TSchema;
  if (typeof value !== 'object' || value === null) return value as TSchema;
  const { $ref, ...rest } = value as { $ref?: string };
  if ($ref !== undefined) return resolved(description.components.schemas[$ref.replace('#/components/schemas/', '')]);
  return Object.fromEntries(Object.entries(rest).map(([name, child]) => [name, resolved(child)])) as TSchema;
}

/** The answer is JSON of the shape that the description gives for it. */
function expectShape(operation: Operation | undefined, status: number, body: unknown) {
  const schema = resolved(operation?.responses[String(status)]?.content[JSON_TYPE]?.schema);
  expect(Value.Check(schema, {}), 'the schema asks for something').toBe(false);
  expect([...Value.Errors(schema, body)], JSON.stringify(body).slice(0, 500)).toEqual([]);
}

/** What an entry of an answer carries, a link or base64, is a picture. */
async function expectPictures(entries: readonly { media_data: string }[]) {
  expect(entries.length).toBeGreaterThan(0);
  for (const { media_data } of entries) {
    const isLink = media_data.startsWith('http');
    const bytes = isLink ? (await ask(new URL(media_data).pathname)).rawPayload : Buffer.from(media_data, 'base64');
    expect((await sharp(bytes).metadata()).width).toBeGreaterThanOrEqual(48);
  }
}

/** Asks until the work has ended. */
async function ended(url: string, isOpen: (body: { ErrorCode?: number; data?: { status: number } }) => boolean) {
  for (;;) {
    const answer = await ask(url);
    if (!isOpen(answer.json())) return answer;
    await pause();
  }
}

test('every POST that takes JSON has an example', () => {
  expect(operations.length).toBeGreaterThan(10);
  for (const { path } of operations) expect(examples.filter((example) => example.path === path).length, path).toBeGreaterThan(0);
});

test.each(examples)('$path: $name', { timeout: 120_000 }, async ({ path, value, post }) => {
  const payload = JSON.stringify(value).replaceAll('https://example.com', elsewhere.base);
  const headers = { ...auth(), 'content-type': JSON_TYPE };
  const send = (more = {}) => api.app.server.inject({ method: 'POST', url: path, headers: { ...headers, ...more }, payload });

  // As the dialect answers by itself: a picture under /v2, JSON elsewhere.
  const answer = await send();
  expect(answer.statusCode, answer.body.slice(0, 500)).toBe(200);
  if (String(answer.headers['content-type']).startsWith('image/')) {
    expect(Object.keys(post.responses[200]?.content ?? {})).toContain(answer.headers['content-type']);
    expect((await sharp(answer.rawPayload).metadata()).width).toBeGreaterThanOrEqual(48);
    const told = await send({ accept: JSON_TYPE });
    expectShape(post, told.statusCode, told.json());
    expect(told.json()).toMatchObject({ state: 'succeeded' });
    return;
  }
  const body = answer.json();
  expectShape(post, 200, body);
  if (path.endsWith('_async')) {
    const result = await ended(`/v1/query?msg_id=${body.msg_id}`, ({ ErrorCode }) => ErrorCode === 29901);
    expect(result.statusCode, result.body.slice(0, 500)).toBe(200);
    expectShape(description.paths['/v1/query']?.get, 200, result.json());
    await expectPictures(result.json().media_info_list);
    const wantsCallback = payload.includes('/callback');
    while (wantsCallback && !callbacks.some(({ msg_id }) => msg_id === body.msg_id)) await pause();
  } else if ('data' in body) {
    const result = await ended(`/api/v1/sdk/status?task_id=${body.data.task_id}`, ({ data }) => [0, 1].includes(data?.status ?? -1));
    expectShape(description.paths['/api/v1/sdk/status']?.get, 200, result.json());
    expect(result.json().data.status).toBe(10);
    await expectPictures(result.json().data.result.media_info_list);
    if (path.endsWith('/sync/push')) expect(body.data).toEqual(result.json().data);
  } else {
    await expectPictures(body.media_info_list);
  }
});
