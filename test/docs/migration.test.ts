import { join } from 'node:path';
import sharp from 'sharp';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type Service, serve } from '../web/service.ts';
import { codeBlocks } from './code-blocks.ts';
import { deadLinks } from './links.ts';
import { runProgram } from './program.ts';

let service: Service;
let key: { api_key: string; api_secret: string };
beforeAll(async () => {
  service = await serve();
  key = await service.newKey('docs');
});
afterAll(() => service.stop());

test('the client of the migration page restores a picture', async () => {
  const blocks = codeBlocks('migration.md', 'ts');
  expect(blocks).toHaveLength(1);
  const environment = { SERVICE_URL: service.url, API_KEY: key.api_key, API_SECRET: key.api_secret };
  const { status, output, folder } = await runProgram(blocks[0]?.code ?? '', environment);
  expect(status, output).toBe(0);
  expect(await sharp(join(folder, 'restored.jpg')).metadata()).toMatchObject({ format: 'jpeg', width: 200, height: 150 });
});

test('every link between pages leads somewhere', () => {
  expect(deadLinks()).toEqual([]);
});
