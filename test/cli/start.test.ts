import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { temporaryFolder } from '../support/temporary.ts';
import { mingxi } from './cli.ts';

/** Every file that a process of the compiled command has run, by the interpreter's own record. */
async function filesRunBy(args: readonly string[], environment: Record<string, string>): Promise<string[]> {
  const folder = temporaryFolder();
  const { status, stderr } = await mingxi(args, { environment: { ...environment, NODE_V8_COVERAGE: folder } });
  expect([status, stderr]).toEqual([0, '']);
  const records = readdirSync(folder).map((name) => JSON.parse(readFileSync(join(folder, name), 'utf8')) as { result: { url: string }[] });
  return records.flatMap(({ result }) => result.map(({ url }) => url));
}

test.each([[['models', 'list']], [['restore', '--help']]])('%j does not read the schema library file by file', async (args) => {
  const data = temporaryFolder();
  const files = await filesRunBy(args, { MINGXI_DATA: data });
  expect(files.some((url) => url.endsWith('/build-test/schema.js'))).toBe(true);
  expect(files.filter((url) => url.includes('/typebox/'))).toEqual([]);
});
