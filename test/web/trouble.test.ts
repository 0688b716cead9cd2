import type { Browser } from 'playwright-core';
import sharp from 'sharp';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { jpeg, png } from '../support/pictures.ts';
import { browserSuite, choose, openBrowser, restored, visit } from './browser.ts';
import { type Service, serve } from './service.ts';

browserSuite('studio: when things are not as usual', () => {
  let service: Service;
  let browser: Browser;
  beforeAll(async () => {
    [service, browser] = await Promise.all([serve({ MINGXI_DRAIN_TIMEOUT: '0', MINGXI_V2_MAX_FILE_BYTES: '2000000' }), openBrowser()]);
  });
  afterAll(async () => {
    await browser?.close();
    await service?.stop();
  });

  test('the server goes away in the middle and comes back: said so, and the picture is restored all the same', async () => {
    const { page, close } = await visit(browser, service.url);
    await choose(page, { name: 'large.jpg', mimeType: 'image/jpeg', buffer: await jpeg(1600, 1200) });
    await page.getByText(/^Restoring [1-9]/).waitFor();
    await service.halt();
    await page.getByText('The server cannot be reached.').waitFor();
    await service.restart();
    await restored(page);
    await page.getByText('The server cannot be reached.').waitFor({ state: 'hidden' });
    // The new process has a new token: the page got it by itself.
    await choose(page, { name: 'small.jpg', mimeType: 'image/jpeg', buffer: await jpeg(100, 80) });
    await page.getByRole('button', { name: 'small.jpg, Restored' }).waitFor();
    expect(await page.getByRole('dialog').count()).toBe(0);
    await close();
  }, 120_000);

  test('a file over the limit is refused before it is sent', async () => {
    const { page, errors, close } = await visit(browser, service.url);
    const sent: string[] = [];
    page.on('request', (request) => sent.push(new URL(request.url()).pathname));
    await choose(page, { name: 'huge.jpg', mimeType: 'image/jpeg', buffer: Buffer.alloc(2_500_000, 1) });
    await page.getByText('The file is too large for this server.').waitFor();
    await page.getByText('2.4 MB > 1.9 MB').waitFor();
    expect(sent).not.toContain('/v2/restore');
    expect(errors).toEqual([]);
    await close();
  });

  test('a TIFF, which browsers do not show, is compared all the same', async () => {
    const { page, errors, close } = await visit(browser, service.url);
    await choose(page, {
      name: 'scan.tif',
      mimeType: 'image/tiff',
      buffer: await sharp(await png(200, 150))
        .tiff()
        .toBuffer(),
    });
    await restored(page);
    expect(await page.locator('.panel').textContent()).toMatch(/200 × 150 · TIFF/);
    await page.getByRole('button', { name: 'scan.tif, Restored' }).locator('img').waitFor();
    const [download] = await Promise.all([
      page.waitForEvent('download'),
      page.getByRole('button', { name: 'Download', exact: true }).click(),
    ]);
    expect(download.suggestedFilename()).toBe('scan-restored.png');
    expect(errors).toEqual([]);
    await close();
  });

  test('faces the report lists: boxes on the picture, each can stay as in the source', async () => {
    const { page, errors, close } = await visit(browser, service.url);
    await page.route('**/v2/jobs/*', async (route) => {
      const answer = await route.fetch();
      const job = await answer.json();
      if (job.report) {
        job.report.faces = [
          { box: [60, 40, 100], score: 0.98, points: [], action: 'restored' },
          { box: [300, 40, 40], score: 0.81, points: [], action: 'skipped', reason: 'turned away' },
        ];
      }
      await route.fulfill({ response: answer, json: job });
    });
    await choose(page, { name: 'two.jpg', mimeType: 'image/jpeg', buffer: await jpeg(400, 300, { noise: 90 }) });
    await restored(page);
    const boxes = page.locator('.face-box');
    await expect.poll(() => boxes.count()).toBe(2);
    const box = await boxes.first().boundingBox();
    const stage = await page.locator('.stage-canvas').boundingBox();
    if (!box || !stage) throw new Error('not shown');
    const scale = box.width / 100;
    expect(box.x - stage.x).toBeCloseTo((stage.width - 400 * scale) / 2 + 60 * scale, -1);
    expect(await page.locator('.panel').textContent()).toMatch(/Face 1restored, 100 px.*Face 2left alone: turned away, 40 px/s);
    // Inside the box the source again, elsewhere the result still.
    const pixel = (x: number, y: number) =>
      page.evaluate(
        ([px, py]) => {
          const canvas = document.querySelector<HTMLCanvasElement>('.stage-canvas');
          const data = canvas?.getContext('2d')?.getImageData(px as number, py as number, 40, 40).data ?? [];
          let sum = 0;
          for (let i = 4; i < data.length; i += 4) sum += Math.abs((data[i] ?? 0) - (data[i - 4] ?? 0));
          return sum / (data.length / 4);
        },
        [Math.round(x), Math.round(y)],
      );
    const inside: [number, number] = [box.x - stage.x + box.width / 2, box.y - stage.y + box.height / 2];
    const outside: [number, number] = [stage.width * 0.7, stage.height * 0.7];
    const source = await pixel(...inside); // left of the divider
    await page.locator('.divider').focus();
    await page.keyboard.press('Home');
    await expect.poll(() => pixel(...inside)).toBeLessThan(source * 0.8);
    const [face, rest] = [await pixel(...inside), await pixel(...outside)];
    await page.getByRole('checkbox', { name: /Face 1/ }).uncheck();
    await expect.poll(() => pixel(...inside)).toBeGreaterThan(face * 1.3);
    expect(await pixel(...outside)).toBeCloseTo(rest, 1);
    await page.getByRole('button', { name: 'Show faces' }).click();
    expect(await boxes.count()).toBe(0);
    expect(errors).toEqual([]);
    await close();
  });

  test('camera data survives a blend made in the browser', async () => {
    const source = await sharp(await jpeg(200, 150))
      .withExif({ IFD0: { Artist: 'Wang Xi' } })
      .jpeg()
      .toBuffer();
    const { page, close } = await visit(browser, service.url);
    await choose(page, { name: 'a.jpg', mimeType: 'image/jpeg', buffer: source });
    await restored(page);
    await page.locator('#strength').fill('60');
    const [download] = await Promise.all([
      page.waitForEvent('download'),
      page.getByRole('button', { name: 'Download', exact: true }).click(),
    ]);
    const { exif, format } = await sharp(await download.path()).metadata();
    expect(format).toBe('jpeg');
    expect(exif?.includes('Wang Xi')).toBe(true);
    await close();
  });
});
