import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import sharp from 'sharp';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type TestApp, testApp } from '../support/app.ts';
import { flatPng, jpeg } from '../support/pictures.ts';
import { jpegFile, MARKER, profileSegments, readSegments } from './jpeg.ts';

/** What campaigns of scripts/fuzz.ts found, each as a case of its own. */
const folder = mkdtempSync(join(tmpdir(), 'mingxi-found-'));
let api: TestApp;
beforeAll(async () => {
  api = await testApp(folder);
  await api.listen();
});
afterAll(async () => {
  await api.app.close();
  rmSync(folder, { recursive: true, force: true });
});

const restore = (picture: Buffer, options: string) =>
  api.app.server.inject({
    method: 'POST',
    url: `/v2/restore?${api.query}&${options}`,
    headers: { 'content-type': 'application/octet-stream' },
    payload: picture,
  });

describe('a result that its container cannot hold', () => {
  test('is refused with the limit before anything is decoded, not with a 500 after it', async () => {
    const answer = await restore(await flatPng(48, 20_000), 'strength=0&format=webp');
    expect([answer.statusCode, answer.json().code]).toEqual([422, 20013]);
    expect(answer.json().detail).toContain('16383');
    expect((await restore(await flatPng(48, 20_000), 'strength=0&format=png')).statusCode).toBe(200);
  });
});

describe('a picture that is copied through', () => {
  test('keeps its very bytes', async () => {
    const picture = await jpeg(64, 64);
    expect((await restore(picture, 'strength=0&format=same')).rawPayload.equals(picture)).toBe(true);
  });

  test('does not hand on small damage: the result decodes without a complaint', async () => {
    const segments = readSegments(await jpeg(64, 64));
    const scan = segments.findIndex(({ marker }) => marker === MARKER.SOS);
    const damaged = jpegFile([...segments.slice(0, scan), { marker: 0, data: Buffer.alloc(40, 0x11) }, ...segments.slice(scan)]);
    await expect(sharp(damaged, { failOn: 'warning' }).raw().toBuffer()).rejects.toThrow();
    const answer = await restore(damaged, 'strength=0&format=same');
    expect(answer.statusCode).toBe(200);
    expect(await sharp(answer.rawPayload, { failOn: 'warning' }).metadata()).toMatchObject({ width: 64, height: 64 });
    await sharp(answer.rawPayload, { failOn: 'warning' }).raw().toBuffer();
  });
});

test('bytes that are no colour profile do not travel on as one', async () => {
  const segments = readSegments(await jpeg(64, 64));
  segments.splice(1, 0, ...profileSegments(Buffer.alloc(3000, 7)));
  const answer = await restore(jpegFile(segments), 'strength=0&format=png');
  expect(answer.statusCode).toBe(200);
  expect((await sharp(answer.rawPayload).metadata()).icc).toBeUndefined();
});

test('a picture of 16 bits with many pixels takes memory in proportion', async () => {
  const picture = await sharp({ create: { width: 4000, height: 4000, channels: 3, background: '#336699' } })
    .toColourspace('rgb16')
    .png({ compressionLevel: 3 })
    .toBuffer();
  const answer = await restore(picture, 'strength=0&format=jpg');
  expect(answer.statusCode).toBe(200);
}, 120_000);
