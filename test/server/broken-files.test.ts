import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { bodyOf, type TestApp, testApp } from '../support/app.ts';
import { type BrokenFile, brokenFiles } from '../support/broken-files.ts';

/**
 * Broken pictures through the whole service: an answer with a picture or a failure that blames the
 * picture, never a 5xx, and the service goes on. MINGXI_TEST_FULL=1 takes every odd file of the shared
 * data (minutes), without it one in twelve.
 */
const FULL = process.env.MINGXI_TEST_FULL === '1';
const ODD_FILES = join(import.meta.dirname, '../../../shared/data/test/robust');
const AT_ONCE = 4;

/** IMAGE_DECODE_ERROR, _FORMAT_, _SIZE_, RESOLUTION_TOO_LARGE_ERROR, PICTURE_OVERRUN_ERROR. */
const BLAMES_THE_PICTURE = [23101, 23102, 23103, 20013, 20015];

const folder = mkdtempSync(join(tmpdir(), 'mingxi-test-'));
let api: TestApp;

beforeAll(async () => {
  api = await testApp(folder, { syncTimeout: 120 });
  await api.listen();
});
afterAll(async () => {
  await api.app.close();
  rmSync(folder, { recursive: true, force: true });
});

/** Sends all files, a few at a time; answers what came back, by file name. */
async function sendAll(files: readonly BrokenFile[]): Promise<{ name: string; status: number; code: number }[]> {
  const results: { name: string; status: number; code: number }[] = [];
  const queue = [...files];
  const work = async () => {
    for (let file = queue.shift(); file; file = queue.shift()) {
      const answer = await api.post(bodyOf(file.bytes));
      results.push({ name: file.name, status: answer.statusCode, code: Number(answer.json().ErrorCode ?? 0) });
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, work));
  return results;
}

const wrong = (results: readonly { name: string; status: number; code: number }[]) =>
  results.filter(({ status, code }) => !(status === 200 && code === 0) && !(status === 400 && BLAMES_THE_PICTURE.includes(code)));

async function expectAlive(): Promise<void> {
  expect((await api.app.server.inject('/readyz')).statusCode).toBe(200);
  const stats = api.app.restorer.stats();
  expect([stats.children, stats.running, stats.waiting]).toEqual([1, 0, 0]);
}

describe('broken files', () => {
  test('500 truncations and byte flips', async () => {
    const results = await sendAll(await brokenFiles(500));
    expect(wrong(results)).toEqual([]);
    // Neither all refused nor all waved through: the damage is real, and what can be read is restored.
    expect(results.filter(({ status }) => status === 200).length).toBeGreaterThan(results.length / 20);
    expect(results.filter(({ status }) => status === 400).length).toBeGreaterThan(results.length / 5);
    await expectAlive();
  }, 600_000);

  test.skipIf(!existsSync(ODD_FILES))(
    'odd and fuzzed files of public collections',
    async () => {
      const all = readdirSync(ODD_FILES, { recursive: true, withFileTypes: true })
        .filter((entry) => entry.isFile() && entry.name !== 'SOURCES.md')
        .map((entry) => join(entry.parentPath, entry.name))
        .filter((path) => statSync(path).size < 2 * 1024 * 1024)
        .sort();
      const chosen = FULL ? all : all.filter((_, i) => i % 12 === 0);
      const results = await sendAll(chosen.map((path) => ({ name: path.slice(ODD_FILES.length + 1), bytes: readFileSync(path) })));
      expect(results.length).toBeGreaterThan(10);
      expect(wrong(results)).toEqual([]);
      await expectAlive();
    },
    900_000,
  );
  if (!existsSync(ODD_FILES)) console.log('shared test pictures are absent: odd files are skipped');
});
