import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { copyFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { RestoreOutcome } from '../../src/pipeline/report.ts';
import type { Restorer } from '../../src/workers/contract.ts';
import { type TestApp, testApp } from '../support/app.ts';
import { jpeg } from '../support/pictures.ts';

/** Cases per dialect; `MINGXI_TEST_FUZZ=20000 npx vitest run test/server/fuzz.test.ts` is the long run. */
const CASES = Number(process.env.MINGXI_TEST_FUZZ ?? 400);
const SEED = Number(process.env.MINGXI_TEST_FUZZ_SEED ?? 20261122);
const HANG = 10_000;

// In memory where there is such a folder: every accepted case is written through to the disk.
const folder = mkdtempSync(join(existsSync('/dev/shm') ? '/dev/shm' : tmpdir(), 'mingxi-fuzz-'));
let t: TestApp;
let good: string;
beforeAll(async () => {
  const picture = await jpeg(64, 64);
  good = picture.toString('base64');
  writeFileSync(join(folder, 'picture'), picture);
  t = await testApp(join(folder, 'data'), { fetchTimeout: 1, syncTimeout: 5 }, { restorer: instantRestorer(join(folder, 'picture')) });
  await t.listen();
});
afterAll(async () => {
  await t.app.close();
  rmSync(folder, { recursive: true, force: true });
});

/** Anything JSON can say, with what breaks readers: prototype names, huge numbers, deep nests. */
const anything = fc.oneof(
  { weight: 3, arbitrary: fc.jsonValue({ maxDepth: 3 }) },
  {
    weight: 3,
    arbitrary: fc.constantFrom<unknown>(null, '', ' ', '0', 0, -1, 1e308, 2 ** 53, true, false, [], {}, [[]], [null], 'null', '\u0000'),
  },
  { weight: 1, arbitrary: fc.integer({ min: 1, max: 2000 }).map((depth) => JSON.parse('['.repeat(depth) + ']'.repeat(depth)) as unknown) },
);
const key = fc.oneof(
  fc.constantFrom('__proto__', 'constructor', 'toString', 'length', 'code', 'ErrorCode', 'api_key'),
  fc.string({ maxLength: 12 }),
);

const data = fc.oneof(
  { weight: 15, arbitrary: fc.constant('GOOD') },
  {
    weight: 1,
    arbitrary: fc.constantFrom(
      'data:image/jpeg;base64,GOOD',
      'data:,GOOD',
      ' GOOD\n',
      'GOOD=',
      'GOOD*',
      'http://',
      'http://10.0.0.1/a',
      'HTTPS://[::1]/',
    ),
  },
  {
    weight: 1,
    arbitrary: fc.constantFrom(
      'http://127.0.0.1:1/x',
      'file:///etc/passwd',
      'http://a:b@10.0.0.1/',
      'http://2130706433/',
      '/9j/',
      'AAAA',
      'A',
    ),
  },
  { weight: 1, arbitrary: fc.base64String({ maxLength: 200 }) },
  { weight: 1, arbitrary: fc.string({ unit: 'binary', maxLength: 50 }) },
  { weight: 1, arbitrary: anything },
);
/** Mostly what is meant: otherwise the first of many members would end nearly every case. */
const orAnything = <T>(arbitrary: fc.Arbitrary<T>) => fc.oneof({ weight: 19, arbitrary }, { weight: 1, arbitrary: anything });
const parameter = fc
  .tuple(
    fc.record(
      {
        rsp_media_type: orAnything(fc.constantFrom('jpg', 'png', 'url', 'base64', 'JPG', null)),
        strength: orAnything(fc.constantFrom<unknown>(0, 0.5, '1', '')),
        face: orAnything(fc.constantFrom('auto', 'off', 'only')),
        face_strength: orAnything(fc.constantFrom<unknown>(0, '0.5')),
        quality: orAnything(fc.constantFrom<unknown>(1, 95, '100')),
        model: orAnything(fc.constantFrom('auto', 'general')),
        scale: orAnything(fc.constantFrom<unknown>(1, '1', '', null, 1, 1, 2)),
        report: orAnything(fc.constantFrom<unknown>(true, 'false', 1)),
      },
      { requiredKeys: [] },
    ),
    fc.dictionary(key, anything, { maxKeys: 2 }),
  )
  .map(([known, unknown]) => ({ ...unknown, ...known }));
const profiles = fc.oneof(
  fc.record({ media_data_type: fc.oneof(fc.constantFrom<unknown>('jpg', 'url', 'URL', 'png', ''), anything) }),
  anything,
);

const directBody = fc.record(
  {
    media_info_list: orAnything(
      fc.array(
        orAnything(fc.record({ media_data: data, media_profiles: profiles, media_extra: anything }, { requiredKeys: ['media_data'] })),
        {
          minLength: 1,
          maxLength: 3,
        },
      ),
    ),
    parameter: orAnything(parameter),
    extra: fc.oneof(anything, fc.record({ callback_url: orAnything(fc.constantFrom('http://10.0.0.1/', 'x')) })),
  },
  { requiredKeys: ['media_info_list', 'parameter'] },
);
const pushBody = fc.record(
  {
    task: orAnything(fc.constantFrom('/v1/aiquality', 'v2_image_restoration_async', 'nothing', '')),
    task_type: orAnything(fc.constantFrom('mtlab', 'formula')),
    init_images: orAnything(
      fc.array(
        orAnything(fc.record({ url: data, profile: orAnything(fc.record({ media_profiles: profiles })) }, { requiredKeys: ['url'] })),
        {
          minLength: 1,
          maxLength: 3,
        },
      ),
    ),
    params: fc.oneof(
      parameter.map((p) => JSON.stringify({ parameter: p })),
      fc.constantFrom('', '{}', '{"rsp_media_type":"jpg"}'),
      orAnything(fc.constantFrom('{', 'null', '[]', '{"parameter":[]}')),
    ),
    sync_timeout: orAnything(fc.constantFrom<unknown>(0, -1, 1, '1', 0.01)),
    rsp_media_type: orAnything(fc.constantFrom('url', 'jpg', 'png', 'base64')),
    context: anything,
  },
  { requiredKeys: ['task', 'init_images'] },
);

/** The text that is sent: the JSON, sometimes damaged. */
function textOf(body: fc.Arbitrary<object>): fc.Arbitrary<string> {
  const damage = fc.record({
    kind: fc.constantFrom('cut', 'insert', 'replace'),
    at: fc.nat(),
    text: fc.string({ unit: 'binary', maxLength: 4 }),
  });
  return fc
    .tuple(
      fc.oneof({ weight: 12, arbitrary: body }, { weight: 1, arbitrary: anything }),
      fc.oneof({ weight: 7, arbitrary: fc.constant(undefined) }, { weight: 1, arbitrary: damage }),
    )
    .map(([value, hurt]) => {
      const text = (JSON.stringify(value) ?? '').replaceAll('GOOD', () => good);
      if (!hurt) return text;
      const at = hurt.at % (text.length + 1);
      if (hurt.kind === 'cut') return text.slice(0, at);
      return text.slice(0, at) + hurt.text + text.slice(hurt.kind === 'insert' ? at : at + hurt.text.length);
    });
}

async function send(path: string, payload: string) {
  let timer: NodeJS.Timeout | undefined;
  const hang = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error('no answer')), HANG);
  });
  const answer = await Promise.race([t.app.server.inject({ method: 'POST', url: `${path}?${t.query}`, payload }), hang]);
  clearTimeout(timer);
  expect(answer.headers['content-type']).toBe('application/json; charset=utf-8');
  expect(answer.statusCode, answer.body).toBeLessThan(500);
  return { status: answer.statusCode, body: answer.json() as Record<string, unknown> };
}

/** Property of one dialect; how many cases ended well shows that the fuzz gets past the first check. */
async function fuzz(body: fc.Arbitrary<object>, check: (text: string) => Promise<boolean>): Promise<number> {
  let successes = 0;
  await fc.assert(
    fc.asyncProperty(textOf(body), async (text) => {
      if (await check(text)) successes++;
    }),
    { numRuns: CASES, seed: SEED, endOnFailure: true },
  );
  return successes;
}

const ERROR_KEYS = ['ErrorCode', 'ErrorMsg', 'error_code', 'code'];
function expectDirect(status: number, body: Record<string, unknown>): boolean {
  if (status === 200) {
    expect(Object.keys(body).filter((name) => ERROR_KEYS.includes(name))).toEqual([]);
    return true;
  }
  expect(Object.keys(body).slice(0, 3)).toEqual(['ErrorCode', 'ErrorMsg', 'Data']);
  expect(body).toMatchObject({ ErrorCode: expect.any(Number), Data: null, message: expect.any(String) });
  return false;
}

describe(`${CASES} cases a dialect, seed ${SEED}: never a 5xx, a hang, or a success with an error in it`, () => {
  test('the direct interface', async () => {
    const successes = await fuzz(directBody, async (text) => {
      const { status, body } = await send('/v1/aiquality', text);
      return expectDirect(status, body);
    });
    expect(successes).toBeGreaterThan(CASES / 20);
  }, 3_600_000);

  test('its asynchronous form, with a query after each submit', async () => {
    const successes = await fuzz(directBody, async (text) => {
      const { status, body } = await send('/v1/aiquality_async', text);
      if (!expectDirect(status, body)) return false;
      expect(Object.keys(body)).toEqual(['msg_id']);
      const asked = await t.app.server.inject({ url: `/v1/query?${t.query}&msg_id=${String(body.msg_id)}` });
      expect([200, 400]).toContain(asked.statusCode);
      expectDirect(asked.statusCode, asked.json());
      return true;
    });
    expect(successes).toBeGreaterThan(CASES / 20);
  }, 3_600_000);

  test('the gateway', async () => {
    const successes = await fuzz(pushBody, async (text) => {
      const { status, body } = await send('/api/v1/sdk/sync/push', text);
      expect(Object.keys(body)).toEqual(['request_id', 'trace_id', 'code', 'error_code', 'message', 'data']);
      expect(body.code).toBe(body.error_code);
      expect([200, 400]).toContain(status);
      expect(body.code === 0).toBe(status === 200);
      const { data } = body as { data: { status: number; result: Record<string, unknown> } | null };
      if (status === 400) expect([undefined, 2]).toContain(data?.status);
      else expect([0, 1, 9, 10]).toContain(data?.status);
      if (data?.status === 10) expect(data.result).not.toHaveProperty('error_code');
      // Whether it is done within the wait is a matter of time, and not what is asked here.
      return status === 200;
    });
    expect(successes).toBeGreaterThan(CASES / 20);
  }, 3_600_000);
});

/** Not the product's own: here only what comes before and after a restoration is under test. */
function instantRestorer(picture: string): Restorer {
  return {
    async run(task) {
      await copyFile(picture, task.result);
      return outcome();
    },
    checkRoom: () => {},
    keepPlace: () => ({ isKept: true, giveUp: () => {} }),
    stats: () => ({ children: 1, running: 0, waiting: 0, finished: 0, failed: 0, restarts: 0, expectedWait: 0 }),
    close: async () => {},
  };
}

function outcome(): RestoreOutcome {
  return {
    ...{ width: 64, height: 64, format: 'jpg', bytes: 1 },
    report: {
      source: { width: 64, height: 64, format: 'jpg', bytes: 1, orientation: 1, alpha: false, grey: false, bits: 8, icc: false },
      analysis: { jpegQuality: null, noiseSigma: 0, blur: 0, clean: true },
      ...{ model: null, gate: { action: 'copy', reason: '' }, strength: 1, faces: [], timings: {}, warnings: [] },
    },
  };
}
