import { join } from 'node:path';
import sharp from 'sharp';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { httpServer } from '../support/http-server.ts';
import { type Service, serve } from '../web/service.ts';
import { codeBlocks } from './code-blocks.ts';
import { runProgram } from './program.ts';

const [callback, waiting, ...others] = codeBlocks('guide/asynchronous.md', 'ts');
let service: Service;
let environment: Record<string, string>;
beforeAll(async () => {
  service = await serve({ MINGXI_FETCH_ALLOW: '127.0.0.1' });
  const key = await service.newKey('docs');
  const free = await httpServer(() => {});
  await free.close();
  environment = { SERVICE_URL: service.url, API_KEY: key.api_key, API_SECRET: key.api_secret, RECEIVER_PORT: String(free.port) };
});
afterAll(() => service.stop());

test('the page has the two programs that are run here', () => {
  expect(others).toEqual([]);
});

test('the receiver of callbacks is told once, and knows the sender', async () => {
  const { status, output } = await runProgram(callback?.code ?? '', environment);
  expect(status, output).toBe(0);
  const [, submitted] = /submitted: (\S+)/.exec(output) ?? [];
  expect(output).toContain(`done: ${submitted}`);
});

test('the waiting program restores the picture by both dialects', async () => {
  const { status, output, folder } = await runProgram(waiting?.code ?? '', environment);
  expect(status, output).toBe(0);
  expect(output).toMatch(/100 %\n.*link: http:\/\/127\.0\.0\.1:\d+\/v1\/results\//s);
  expect(await sharp(join(folder, 'restored.jpg')).metadata()).toMatchObject({ format: 'jpeg', width: 200, height: 150 });
});
