import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { pathToFileURL } from 'node:url';
import sharp from 'sharp';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { AppError, createRestorer, type Restorer } from '../../src/index.ts';
import { flatPng, jpeg, png } from '../support/pictures.ts';

const folder = mkdtempSync(join(tmpdir(), 'mingxi-test-'));
let restorer: Restorer;
beforeAll(async () => {
  restorer = await createRestorer({ workers: 1, threads: 1 });
});
afterAll(async () => {
  await restorer.close();
  rmSync(folder, { recursive: true, force: true });
});

/** The kind of the AppError a call is refused with. */
const refusal = (call: Promise<unknown>) =>
  call.then(
    () => 'done',
    (error: unknown) => (error instanceof AppError ? error.kind : error),
  );

test('path, URL, bytes and stream give the same result; the source is not touched', async () => {
  const source = await jpeg(160, 120);
  const path = join(folder, 'a.jpg');
  writeFileSync(path, source);
  const all = await Promise.all(
    [path, pathToFileURL(path), source, Readable.from([source.subarray(0, 999), source.subarray(999)])].map((input) =>
      restorer.restore(input),
    ),
  );
  const [first] = all;
  expect(first).toMatchObject({ format: 'jpg', width: 160, height: 120, report: { source: { format: 'jpg', bytes: source.length } } });
  for (const { data } of all) expect(data.equals(first?.data ?? Buffer.alloc(0))).toBe(true);
  expect(readFileSync(path).equals(source)).toBe(true);
});

test('progress grows to 1', async () => {
  const seen: number[] = [];
  await restorer.restore(await jpeg(1400, 1000), {}, { onProgress: (share) => seen.push(share) });
  expect(seen).toEqual([...seen].sort((a, b) => a - b));
  expect(seen.length).toBeGreaterThan(1);
  expect(seen.at(-1)).toBeCloseTo(1);
});

test('aborting rejects with the reason and frees the child for the next picture', async () => {
  const stop = new AbortController();
  const reason = new Error('changed my mind');
  const call = restorer.restore(await jpeg(3000, 2000), {}, { signal: stop.signal, onProgress: () => stop.abort(reason) });
  expect(await refusal(call)).toBe(reason);
  expect((await restorer.restore(await png(100, 80))).format).toBe('png');
  expect(await refusal(restorer.restore(await png(100, 80), {}, { signal: AbortSignal.abort(reason) }))).toBe(reason);
});

test.each([
  ['no such file', () => join(folder, 'nothing.jpg'), 'PARAM_VALUE_ERROR'],
  ['a folder', () => folder, 'PARAM_VALUE_ERROR'],
  ['no picture', () => Buffer.from('hello'), 'IMAGE_DECODE_FORMAT_ERROR'],
  ['a damaged one', async () => (await jpeg(100, 100)).subarray(0, 90), 'IMAGE_DECODE_ERROR'],
  ['too small', () => flatPng(20, 20), 'IMAGE_DECODE_SIZE_ERROR'],
])('refuses %s', async (_name, make, kind) => {
  expect(await refusal(restorer.restore(await make()))).toBe(kind);
});

test('refuses options that are not allowed, by name', async () => {
  const call = restorer.restore(await png(100, 80), { strength: 2 });
  expect(await refusal(call)).toBe('PARAM_VALUE_ERROR');
  await expect(call).rejects.toThrow(/strength/);
  expect(await refusal(restorer.restore(await png(100, 80), { model: 'nope' }))).toBe('PARAM_VALUE_ERROR');
});

test('own limits; a stream is refused at the first byte too many', async () => {
  const strict = await createRestorer({ threads: 1, limits: { maxBytes: 2000, maxPixels: 10_000 } });
  expect(await refusal(strict.restore(Readable.from([Buffer.alloc(1500), Buffer.alloc(1500)])))).toBe('PICTURE_OVERRUN_ERROR');
  expect(await refusal(strict.restore(await flatPng(200, 200)))).toBe('RESOLUTION_TOO_LARGE_ERROR');
  await strict.close();
});

test('close lets accepted work end and leaves nothing behind', async () => {
  const before = readdirSync(tmpdir()).filter((name) => /^mingxi-\w{6}$/.test(name));
  const own = await createRestorer({ threads: 1 });
  const work = own.restore(await jpeg(400, 300));
  const closed = own.close();
  expect(await refusal(own.restore(await png(100, 80)))).toBe('ALGORITHM_OVER_CONCURRENT');
  expect(await sharp((await work).data).metadata()).toMatchObject({ width: 400, height: 300 });
  await closed;
  await own.close();
  expect(readdirSync(tmpdir()).filter((name) => /^mingxi-\w{6}$/.test(name)).length).toBeLessThanOrEqual(before.length);
});
