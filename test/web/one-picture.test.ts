import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Browser, Page } from 'playwright-core';
import sharp from 'sharp';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { jpeg } from '../support/pictures.ts';
import { browserSuite, choose, drop, openBrowser, restored, visit } from './browser.ts';
import { type Service, serve } from './service.ts';

/** Mean of the stage's pixels in a column band, by channel. */
const meanAt = (page: Page, share: number) =>
  page.evaluate((x) => {
    const canvas = document.querySelector<HTMLCanvasElement>('.stage-canvas');
    const context = canvas?.getContext('2d');
    if (!canvas || !context) throw new Error('no stage');
    const { data } = context.getImageData(Math.round(canvas.width * x), canvas.height * 0.4, 40, 40);
    let sum = 0;
    for (let i = 0; i < data.length; i += 4) sum += (data[i] ?? 0) + (data[i + 1] ?? 0) + (data[i + 2] ?? 0);
    return sum / (data.length / 4) / 3;
  }, share);
/** Roughness of the stage at a place: the noise that restoration takes away. */
const roughnessAt = (page: Page, share: number) =>
  page.evaluate((x) => {
    const canvas = document.querySelector<HTMLCanvasElement>('.stage-canvas');
    const context = canvas?.getContext('2d');
    if (!canvas || !context) throw new Error('no stage');
    const { data, width } = context.getImageData(Math.round(canvas.width * x), canvas.height * 0.3, 120, 120);
    let sum = 0;
    for (let i = 4; i < data.length; i += 4) if ((i / 4) % width !== 0) sum += Math.abs((data[i] ?? 0) - (data[i - 4] ?? 0));
    return sum / (data.length / 4);
  }, share);

browserSuite('studio: one picture', () => {
  let service: Service;
  let browser: Browser;
  let noisy: Buffer;

  beforeAll(async () => {
    [service, browser, noisy] = await Promise.all([
      serve({ MINGXI_FETCH_ALLOW: '127.0.0.1' }),
      openBrowser(),
      jpeg(640, 480, { noise: 90, quality: 90 }),
    ]);
  });
  afterAll(async () => {
    await browser?.close();
    await service?.stop();
  });
  const file = () => ({ name: 'holiday.jpg', mimeType: 'image/jpeg', buffer: noisy });

  test('drop, progress, compare, dial, download', async () => {
    const { page, errors, close } = await visit(browser, service.url);
    await drop(page, file());
    await page.locator('.panel progress').waitFor();
    await restored(page);
    expect(await page.locator('.name').textContent()).toBe('holiday.jpg');
    expect(await page.locator('.panel').textContent()).toMatch(/640 × 480.*JPG.*Found.*Noise.*Done/s);

    // Left of the divider the source, right of it the result.
    const [before, after] = [await roughnessAt(page, 0.25), await roughnessAt(page, 0.65)];
    expect(after).toBeLessThan(before * 0.7);

    // The dial blends what is there: no request, and half way lies between.
    const requests: string[] = [];
    page.on('request', (request) => requests.push(request.url()));
    await page.locator('#strength').fill('50');
    await expect.poll(() => roughnessAt(page, 0.65)).toBeGreaterThan(after * 1.1);
    const half = await roughnessAt(page, 0.65);
    await page.locator('#strength').fill('0');
    await expect.poll(() => roughnessAt(page, 0.65)).toBeGreaterThan(half * 1.1);
    expect(requests).toEqual([]);

    // Strength 0 downloads the source's pixels, full strength the server's own bytes.
    const pixels = (bytes: Buffer) => sharp(bytes).removeAlpha().raw().toBuffer();
    await page.locator('.save-row select').selectOption('image/png');
    const saved = await download(page);
    expect(saved.name).toBe('holiday-restored.png');
    const difference = await meanDifference(await pixels(saved.bytes), await pixels(noisy));
    expect(difference).toBeLessThan(1.5); // two decoders of one JPEG differ by a rounding
    await page.locator('#strength').fill('100');
    await page.locator('.save-row select').selectOption('same');
    const full = await download(page);
    expect(full.name).toBe('holiday-restored.jpg');
    expect(await sharp(full.bytes).metadata()).toMatchObject({ format: 'jpeg', width: 640, height: 480 });
    expect(errors).toEqual([]);
    await close();
  });

  test('zoom to 800 %, side by side, hold to compare', async () => {
    const { page, errors, close } = await visit(browser, service.url);
    await choose(page, file());
    await restored(page);
    const zoom = page.locator('.zoom-value');
    for (let i = 0; i < 12; i++) await page.getByRole('button', { name: 'Zoom in' }).click();
    await expect.poll(() => zoom.textContent()).toBe('800 %');
    await page.getByRole('button', { name: 'Side by side' }).click();
    await page.locator('.divider').waitFor({ state: 'hidden' });
    await zoom.click();
    await expect.poll(() => zoom.textContent()).not.toBe('800 %');
    // Both halves show the same place: means agree though roughness does not.
    expect(Math.abs((await meanAt(page, 0.2)) - (await meanAt(page, 0.7)))).toBeLessThan(12);
    expect(await roughnessAt(page, 0.7)).toBeLessThan((await roughnessAt(page, 0.2)) * 0.8);

    await page.getByRole('button', { name: 'Divider', exact: true }).click();
    await page.locator('.divider').waitFor();
    const restoredRoughness = await roughnessAt(page, 0.7);
    await page.getByRole('button', { name: 'Hold to see before' }).hover();
    await page.mouse.down();
    await expect.poll(() => roughnessAt(page, 0.7)).toBeGreaterThan(restoredRoughness * 1.2);
    await page.mouse.up();
    await expect.poll(() => roughnessAt(page, 0.7)).toBeCloseTo(restoredRoughness, 1);
    expect(errors).toEqual([]);
    await close();
  });

  test('a link as the source', async () => {
    const origin = createServer((_request, response) => response.end(noisy)).listen(0, '127.0.0.1');
    await once(origin, 'listening');
    const { page, errors, close } = await visit(browser, service.url);
    const field = page.getByRole('textbox', { name: 'Link to a picture' });
    await field.fill('ftp://nowhere');
    await field.press('Enter');
    expect(await page.getByRole('alert').filter({ hasText: 'no http' }).count()).toBe(1);
    await field.fill(`http://127.0.0.1:${(origin.address() as AddressInfo).port}/pictures/beach.jpg`);
    await field.press('Enter');
    await restored(page);
    expect(await page.locator('.name').textContent()).toBe('beach.jpg');
    expect(await roughnessAt(page, 0.65)).toBeLessThan((await roughnessAt(page, 0.25)) * 0.7);
    expect(errors).toEqual([]);
    origin.close();
    await close();
  });

  test('a pasted picture, a pasted link', async () => {
    const { page, close } = await visit(browser, service.url);
    await page.evaluate((base64) => {
      const data = new DataTransfer();
      data.items.add(new File([Uint8Array.from(atob(base64), (c) => c.charCodeAt(0))], 'image.png', { type: 'image/png' }));
      document.body.dispatchEvent(new ClipboardEvent('paste', { clipboardData: data, bubbles: true }));
    }, noisy.toString('base64'));
    await restored(page);
    await page.evaluate(() => {
      const data = new DataTransfer();
      data.setData('text/plain', 'http://10.1.2.3/secret.jpg');
      document.body.dispatchEvent(new ClipboardEvent('paste', { clipboardData: data, bubbles: true }));
    });
    await page.getByText('The link is wrong, or its address is not allowed.').waitFor();
    await page.getByText(/For support: 21202/).waitFor();
    await close();
  });

  test('history survives a reload and stays in this browser', async () => {
    const first = await visit(browser, service.url);
    await choose(first.page, file());
    await restored(first.page);
    await expect.poll(async () => first.page.evaluate(async () => (await indexedDB.databases()).length)).toBe(1);
    await first.page.waitForTimeout(500);
    await first.page.reload();
    await first.page.getByRole('button', { name: 'History' }).click();
    await first.page.getByRole('button', { name: 'Open holiday.jpg' }).click();
    await restored(first.page);
    expect(await roughnessAt(first.page, 0.65)).toBeLessThan((await roughnessAt(first.page, 0.25)) * 0.7);
    await first.page.getByRole('button', { name: 'History' }).click();
    await first.page.getByRole('button', { name: 'Delete all' }).click();
    await first.page.getByRole('button', { name: 'History' }).click();
    await first.page.getByText('Nothing yet.').waitFor();
    await first.close();
    const other = await visit(browser, service.url);
    await other.page.getByRole('button', { name: 'History' }).click();
    await other.page.getByText('Nothing yet.').waitFor();
    await other.close();
  });

  test('the same call as curl and JSON, in both dialects', async () => {
    const { page, close } = await visit(browser, service.url);
    await choose(page, file());
    await restored(page);
    await page.locator('#strength').fill('70');
    await page.getByRole('button', { name: 'Use from code' }).click();
    const snippet = page.locator('.snippet');
    expect(await snippet.textContent()).toMatch(/\/v2\/restore.*image=@holiday\.jpg.*strength=0\.7/s);
    await page.getByText('JSON', { exact: true }).click();
    expect(JSON.parse((await snippet.textContent()) ?? '')).toEqual({ image: { base64: expect.any(String) }, options: { strength: 0.7 } });
    await page.getByText('Compatible, /v1').click();
    expect(JSON.parse((await snippet.textContent()) ?? '')).toMatchObject({
      media_info_list: [{ media_profiles: { media_data_type: 'jpg' } }],
      parameter: { strength: 0.7 },
    });
    await page.getByText('curl', { exact: true }).click();
    expect(await snippet.textContent()).toMatch(/\/v1\/aiquality\?api_key=/);
    await close();
  });
});

async function download(page: Page): Promise<{ name: string; bytes: Buffer }> {
  const [event] = await Promise.all([page.waitForEvent('download'), page.getByRole('button', { name: 'Download', exact: true }).click()]);
  return { name: event.suggestedFilename(), bytes: readFileSync(await event.path()) };
}

async function meanDifference(a: Buffer, b: Buffer): Promise<number> {
  expect(a.length).toBe(b.length);
  let sum = 0;
  for (let i = 0; i < a.length; i++) sum += Math.abs((a[i] ?? 0) - (b[i] ?? 0));
  return sum / a.length;
}
