import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { jpeg } from '../support/pictures.ts';
import { browserSuite, choose, openBrowser, restored, visit } from './browser.ts';
import { type Service, serve } from './service.ts';

browserSuite('studio: a server that asks for keys', () => {
  let service: Service;
  let browser: Browser;
  let key: { api_key: string; api_secret: string };
  beforeAll(async () => {
    [service, browser] = await Promise.all([serve({ MINGXI_STUDIO: 'keys' }), openBrowser()]);
    key = await service.newKey('studio');
  });
  afterAll(async () => {
    await browser?.close();
    await service?.stop();
  });

  test('asks once; a wrong key is said so, the waiting picture goes on with the right one', async () => {
    const { page, close } = await visit(browser, service.url);
    const dialog = page.getByRole('dialog', { name: 'This server asks for a key' });
    await dialog.getByLabel('API key').fill(key.api_key);
    await dialog.getByLabel('API secret').fill('not the secret');
    await dialog.getByRole('button', { name: 'Use this key' }).click();
    await choose(page, { name: 'a.jpg', mimeType: 'image/jpeg', buffer: await jpeg(160, 120) });
    await dialog.getByText('This key is not accepted').waitFor();
    await dialog.getByLabel('API key').fill(key.api_key);
    await dialog.getByLabel('API secret').fill(key.api_secret);
    await dialog.getByRole('button', { name: 'Use this key' }).click();
    await restored(page);

    // Kept for this tab: a reload does not ask again. Not on the device, for nobody ticked that.
    await page.reload();
    await choose(page, { name: 'b.jpg', mimeType: 'image/jpeg', buffer: await jpeg(160, 120) });
    await restored(page);
    expect(await dialog.count()).toBe(0);
    expect(await page.evaluate(() => JSON.stringify(localStorage))).not.toContain(key.api_secret);
    await close();
  });

  test('no key: the page waits with the picture instead of failing it', async () => {
    const { page, close } = await visit(browser, service.url);
    await page.getByRole('dialog').getByRole('button', { name: 'Close' }).click();
    await choose(page, { name: 'a.jpg', mimeType: 'image/jpeg', buffer: await jpeg(160, 120) });
    await page.getByRole('dialog').waitFor();
    await page.getByRole('button', { name: 'a.jpg, Waiting for its turn', includeHidden: true }).waitFor();
    await close();
  });
});
