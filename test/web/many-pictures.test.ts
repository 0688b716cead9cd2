import { readFileSync } from 'node:fs';
import type { Browser } from 'playwright-core';
import sharp from 'sharp';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { jpeg } from '../support/pictures.ts';
import { browserSuite, choose, openBrowser, type PictureFile, visit } from './browser.ts';
import { type Service, serve } from './service.ts';
import { readZip } from './unzip.ts';

browserSuite('studio: many pictures', () => {
  let service: Service;
  let browser: Browser;
  beforeAll(async () => {
    [service, browser] = await Promise.all([serve(), openBrowser()]);
  });
  afterAll(async () => {
    await browser?.close();
    await service?.stop();
  });

  test('ten with a broken one: nine restored, one named, all nine in the archive', async () => {
    const good = await Promise.all(Array.from({ length: 9 }, (_, i) => jpeg(160 + i, 120, { seed: i })));
    // Two files of one name, as from two cameras.
    const files: PictureFile[] = good.map((buffer, i) => ({
      name: i < 2 ? 'DSC_0001.jpg' : `picture-${i}.jpg`,
      mimeType: 'image/jpeg',
      buffer,
    }));
    files.splice(4, 0, { name: 'broken.jpg', mimeType: 'image/jpeg', buffer: (good[0] as Buffer).subarray(0, 150) });
    const { page, errors, close } = await visit(browser, service.url);
    await choose(page, ...files);
    await page.getByText('9 of 10 done, 1 failed').waitFor();

    await page.getByRole('button', { name: 'broken.jpg, Failed' }).click();
    const alert = page.locator('.panel [role=alert]');
    expect(await alert.textContent()).toMatch(/damaged.*For support: 23101 · [\w-]{8,}/s);
    expect(await page.getByRole('button', { name: 'Try again' }).isVisible()).toBe(true);

    const [event] = await Promise.all([page.waitForEvent('download'), page.getByRole('button', { name: 'Download all' }).click()]);
    expect(event.suggestedFilename()).toBe('mingxi.zip');
    const entries = readZip(readFileSync(await event.path()));
    expect(entries.map(({ name }) => name).sort()).toEqual(
      [
        'DSC_0001-restored.jpg',
        'DSC_0001-restored (2).jpg',
        ...Array.from({ length: 7 }, (_, i) => `picture-${i + 2}-restored.jpg`),
      ].sort(),
    );
    const sizes = await Promise.all(entries.map(async ({ bytes }) => (await sharp(bytes).metadata()).width));
    expect(sizes.sort()).toEqual(Array.from({ length: 9 }, (_, i) => 160 + i));
    // What the browser itself says of a refused call is no defect of the page.
    expect(errors.filter((text) => !/status of 422/.test(text))).toEqual([]);
    await close();
  });

  test('cancel in the middle: the computation on the server stops, the rest goes on', async () => {
    const large = await jpeg(3000, 2400, { quality: 40 });
    const small = await jpeg(160, 120);
    const { page, errors, close } = await visit(browser, service.url);
    const jobs: string[] = [];
    page.on('response', (response) => {
      const location = response.headers().location;
      if (location?.startsWith('/v2/jobs/')) jobs.push(location);
    });
    await choose(
      page,
      { name: 'large.jpg', mimeType: 'image/jpeg', buffer: large },
      { name: 'small.jpg', mimeType: 'image/jpeg', buffer: small },
    );
    await page.getByText(/^Restoring [1-9]/).waitFor();
    await page.locator('.panel').getByRole('button', { name: 'Cancel' }).click();
    await page.getByRole('button', { name: 'large.jpg, Cancelled' }).waitFor();
    await page.getByRole('button', { name: 'small.jpg, Restored' }).waitFor();
    const states = await page.evaluate(async (paths) => {
      const { token } = (await (await fetch('/studio/session', { method: 'POST' })).json()) as { token: string };
      const state = async (path: string) => {
        const job = (await (await fetch(path, { headers: { 'x-mingxi-studio': token } })).json()) as { state: string };
        return job.state;
      };
      return Promise.all(paths.map(state));
    }, jobs);
    expect(states.sort()).toEqual(['cancelled', 'succeeded']);
    await page.getByRole('button', { name: 'Clear' }).click();
    await page.getByRole('heading', { name: 'Drop a picture here' }).waitFor();
    expect(errors).toEqual([]);
    await close();
  });

  test('files that are no pictures are named, the others taken', async () => {
    const { page, close } = await visit(browser, service.url);
    await choose(
      page,
      { name: 'notes.txt', mimeType: 'text/plain', buffer: Buffer.from('hello') },
      { name: 'a.jpg', mimeType: 'image/jpeg', buffer: await jpeg(100, 80) },
    );
    await page.getByText('notes.txt is no picture.').waitFor();
    await page.getByRole('button', { name: 'a.jpg, Restored' }).waitFor();
    await close();
  });
});
