import { spawnSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import sharp from 'sharp';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { newPicture } from '../../web/src/picture.ts';
import { snippet } from '../../web/src/save/snippets.ts';
import { jpeg } from '../support/pictures.ts';
import { temporaryFolder } from '../support/temporary.ts';
import { type Service, serve } from './service.ts';

let service: Service;
let key: { api_key: string; api_secret: string };
beforeAll(async () => {
  service = await serve();
  key = await service.newKey('snippets');
});
afterAll(() => service.stop());

/** A name that a careless quotation would break. */
const NAME = 'it\'s my "holiday" $HOME.jpg';

async function picture(strength: number) {
  const buffer = await jpeg(120, 90);
  const made = newPicture(
    { kind: 'file', blob: new Blob([new Uint8Array(buffer)]), name: NAME },
    { model: 'auto', face: 'auto', metadata: 'strip' },
  );
  made.strength = strength;
  return { made, buffer };
}

/** Runs a copied call in a shell, beside the picture. */
function paste(code: string, buffer: Buffer) {
  const folder = temporaryFolder();
  writeFileSync(join(folder, NAME), buffer);
  const env = { PATH: process.env.PATH, HOME: '/nowhere', API_KEY: key.api_key, API_SECRET: key.api_secret };
  const { status, stdout, stderr } = spawnSync('bash', ['-euo', 'pipefail', '-c', code], { cwd: folder, env, maxBuffer: 1e8 });
  expect(status, String(stderr)).toBe(0);
  return { folder, stdout: stdout.toString() };
}

test('the copied /v2 curl restores the picture it names', async () => {
  const { made, buffer } = await picture(0.7);
  const { folder } = paste(snippet(made, 'modern', 'curl', service.url), buffer);
  const result = readFileSync(join(folder, NAME.replace('.jpg', '-restored.jpg')));
  expect(await sharp(result).metadata()).toMatchObject({ format: 'jpeg', width: 120, height: 90 });
});

test('the copied /v1 curl restores the picture it names', async () => {
  const { made, buffer } = await picture(0.5);
  const { stdout } = paste(snippet(made, 'wire', 'curl', service.url), buffer);
  const media = JSON.parse(stdout).media_info_list[0].media_data;
  expect(await sharp(Buffer.from(media, 'base64')).metadata()).toMatchObject({ format: 'jpeg', width: 120, height: 90 });
});

test.each(['modern', 'wire'] as const)('the copied JSON is accepted, %s', async (dialect) => {
  const { made, buffer } = await picture(1);
  const body = snippet(made, dialect, 'json', service.url).replace('BASE64 OF THE FILE', buffer.toString('base64'));
  const answer = await fetch(`${service.url}${dialect === 'modern' ? '/v2/restore' : '/v1/aiquality'}`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', 'x-api-key': key.api_key, 'x-api-secret': key.api_secret },
    body,
  });
  expect(answer.status).toBe(200);
  await answer.arrayBuffer();
});

test('a link is named as a link', () => {
  const made = newPicture({ kind: 'link', url: 'https://example.com/a%20b.jpg' }, { model: 'auto', face: 'off', metadata: 'keep' });
  expect(JSON.parse(snippet(made, 'wire', 'json', ''))).toMatchObject({
    media_info_list: [{ media_data: 'https://example.com/a%20b.jpg', media_profiles: { media_data_type: 'url' } }],
    parameter: { face: 'off' },
  });
  expect(JSON.parse(snippet(made, 'modern', 'json', ''))).toEqual({
    image: { url: 'https://example.com/a%20b.jpg' },
    options: { face: 'off' },
  });
  expect(made.name).toBe('a b.jpg');
});
