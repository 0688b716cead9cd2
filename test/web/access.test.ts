import { readdirSync, readFileSync, statSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { jpeg } from '../support/pictures.ts';
import { browserSuite, choose, openBrowser, restored, visit } from './browser.ts';
import { type Service, serve } from './service.ts';

const AXE = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');
const PAGE = join(import.meta.dirname, '..', '..', 'dist', 'web');

/** Serious and critical findings of axe-core, as "rule: element". */
async function findings(page: Page): Promise<string[]> {
  await page.evaluate(AXE); // through the debugger: the page's own policy forbids injected scripts
  return page.evaluate(async () => {
    const { axe } = globalThis as unknown as {
      axe: { run(): Promise<{ violations: { id: string; impact: string; nodes: { html: string }[] }[] }> };
    };
    const { violations } = await axe.run();
    return violations
      .filter(({ impact }) => impact === 'serious' || impact === 'critical')
      .flatMap(({ id, nodes }) => nodes.map(({ html }) => `${id}: ${html}`));
  });
}
/** Pixels that stick out to the side. */
const overflow = (page: Page) => page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);

browserSuite('studio: for everyone', () => {
  let service: Service;
  let browser: Browser;
  let picture: { name: string; mimeType: string; buffer: Buffer };
  beforeAll(async () => {
    [service, browser] = await Promise.all([serve(), openBrowser()]);
    picture = { name: 'holiday.jpg', mimeType: 'image/jpeg', buffer: await jpeg(320, 240) };
  });
  afterAll(async () => {
    await browser?.close();
    await service?.stop();
  });

  test.each([
    ['light', 'en-US'],
    ['dark', 'en-US'],
    ['light', 'zh-CN'],
    ['dark', 'zh-CN'],
  ] as const)('no serious finding of axe-core, %s, %s: empty, done, dialogs, failed', async (colorScheme, locale) => {
    const { page, errors, close } = await visit(browser, service.url, { colorScheme, locale, reducedMotion: 'reduce' });
    expect(await findings(page)).toEqual([]);
    await choose(page, picture);
    await restored(page);
    expect(await findings(page)).toEqual([]);
    await page.locator('.panel summary').first().click();
    await page.locator('.panel summary').last().click();
    expect(await findings(page)).toEqual([]);
    await page.locator('.save-row + button').click();
    expect(await findings(page)).toEqual([]);
    await page.keyboard.press('Escape');
    await choose(page, { name: 'broken.jpg', mimeType: 'image/jpeg', buffer: picture.buffer.subarray(0, 150) });
    await page.locator('.panel [role=alert]').waitFor();
    expect(await findings(page)).toEqual([]);
    expect(errors.filter((text) => !/status of 422/.test(text))).toEqual([]);
    await close();
  });

  test.each([320, 360, 390, 768])('%i px wide: nothing sticks out, everything can be reached', async (width) => {
    const { page, close } = await visit(browser, service.url, {
      viewport: { width, height: 740 },
      hasTouch: true,
      isMobile: true,
      deviceScaleFactor: 2,
    });
    expect(await overflow(page)).toBe(0);
    await choose(page, picture);
    await restored(page);
    expect(await overflow(page)).toBe(0);
    await page.getByRole('button', { name: 'Download', exact: true }).scrollIntoViewIfNeeded();
    await page.getByRole('button', { name: 'Use from code' }).tap();
    expect(await page.getByRole('dialog').boundingBox()).toMatchObject({ x: expect.any(Number) });
    expect(await overflow(page)).toBe(0);
    const small = await page.evaluate(() =>
      [...document.querySelectorAll<HTMLElement>('.header-tools button, .toolbar button')]
        .filter((node) => node.offsetParent !== null)
        .filter((node) => node.offsetHeight < 40 || node.offsetWidth < 40)
        .map((node) => node.outerHTML),
    );
    expect(small).toEqual([]);
    await close();
  });

  test('Chinese by the browser, English by the switch, remembered', async () => {
    const { page, close } = await visit(browser, service.url, { locale: 'zh-CN' });
    await page.getByRole('heading', { name: '把图片拖到这里' }).waitFor();
    expect(await page.evaluate(() => document.documentElement.lang)).toBe('zh-CN');
    await choose(page, picture);
    await restored(page);
    expect(await page.locator('.panel').textContent()).toMatch(/强度.*检测结果.*JPEG 质量.*噪点.*处理内容.*下载/s);
    await page.getByRole('button', { name: 'EN', exact: true }).click();
    expect(await page.locator('.panel').textContent()).toMatch(/Strength.*Found.*Done.*Download/s);
    await page.reload();
    await page.getByRole('heading', { name: 'Drop a picture here' }).waitFor();
    await close();
  });

  test('what the server says late leaves the focus where it is', async () => {
    const { page, close } = await visit(browser, 'about:blank');
    let answer = () => {};
    const held = new Promise<void>((resolve) => {
      answer = resolve;
    });
    await page.route('**/v1/models', async (route) => {
      await held;
      await route.continue();
    });
    const models = page.waitForResponse('**/v1/models');
    await page.goto(service.url);
    const button = page.getByRole('button', { name: 'Choose pictures' });
    await button.focus();
    const before = await button.elementHandle();
    answer();
    await models;
    await expect.poll(() => before?.evaluate((node) => node.isConnected)).toBe(false);
    expect(await button.evaluate((node) => node === document.activeElement)).toBe(true);
    await close();
  });

  test('keyboard alone: choose, compare, zoom, dial, download', async () => {
    const { page, close } = await visit(browser, service.url);
    const press = async (key: string, times = 1) => {
      for (let i = 0; i < times; i++) await page.keyboard.press(key);
    };
    const focused = () =>
      page.evaluate(() => document.activeElement?.getAttribute('aria-label') ?? document.activeElement?.textContent ?? '');
    const tabTo = async (label: RegExp) => {
      for (let i = 0; i < 60; i++) {
        await press('Tab');
        if (label.test(await focused())) return;
      }
      throw new Error(`no way by Tab to ${label}`);
    };
    // What the page asks for when it opens is drawn when it comes; a key pressed meanwhile may go nowhere.
    await page.waitForLoadState('networkidle');
    // Waited for from here on: the browser is told to hand the dialogue over long before the key that opens it.
    const chooser = page.waitForEvent('filechooser');
    await tabTo(/^Choose pictures$/);
    await press('Enter');
    await (await chooser).setFiles([picture]);
    await restored(page);
    await tabTo(/^Picture\. Plus/);
    await press('1');
    await expect.poll(() => page.locator('.zoom-value').textContent()).toBe('100 %');
    await press('8');
    await expect.poll(() => page.locator('.zoom-value').textContent()).toBe('800 %');
    await press('0');
    await press('+');
    await page.keyboard.down(' ');
    await page.locator('.chip-after').waitFor({ state: 'hidden' });
    await page.keyboard.up(' ');
    await page.locator('.chip-after').waitFor();
    await tabTo(/^Divider between/);
    await press('ArrowLeft', 5);
    await expect.poll(() => page.locator('.divider').getAttribute('aria-valuenow')).toBe('40');
    await press('Home');
    await expect.poll(() => page.locator('.divider').getAttribute('aria-valuenow')).toBe('0');
    for (let i = 0; i < 30 && (await page.evaluate(() => document.activeElement?.id)) !== 'strength'; i++) await press('Tab');
    await press('ArrowLeft', 3);
    expect(await page.locator('output').textContent()).toBe('97 %');
    await tabTo(/^Download$/);
    const [download] = await Promise.all([page.waitForEvent('download'), press('Enter')]);
    expect(download.suggestedFilename()).toBe('holiday-restored.jpg');
    await close();
  });

  test('the theme can be chosen and is remembered before the first paint', async () => {
    const { page, close } = await visit(browser, service.url, { colorScheme: 'dark' });
    const ground = () => page.evaluate(() => getComputedStyle(document.documentElement).backgroundColor);
    expect(await ground()).toBe('rgb(22, 22, 22)');
    await page.getByRole('button', { name: 'Theme: as the system' }).click();
    expect(await ground()).toBe('rgb(244, 244, 243)');
    await page.reload({ waitUntil: 'commit' });
    await expect.poll(ground).toBe('rgb(244, 244, 243)');
    await close();
  });

  test('/docs: the interface, complete and without an error', async () => {
    const { page, errors, close } = await visit(browser, `${service.url}/docs/`);
    await page.getByText('Restore a picture', { exact: true }).click();
    await page.getByText('multipart/form-data').first().waitFor({ state: 'attached' });
    expect(errors).toEqual([]);
    await close();
  });

  test('at most 150 kB compressed, first view within a second, nothing from elsewhere', async () => {
    const sent = readdirSync(PAGE, { recursive: true })
      .map(String)
      .filter((name) => name.endsWith('.gz'));
    const bytes = sent.reduce((sum, name) => sum + statSync(join(PAGE, name)).size, 0);
    expect(sent.length).toBeGreaterThanOrEqual(5);
    expect(bytes).toBeLessThan(150_000);
    const context = await browser.newContext();
    const page = await context.newPage();
    const foreign: string[] = [];
    page.on('request', (request) => {
      if (!request.url().startsWith(service.url)) foreign.push(request.url());
    });
    const answer = await page.goto(service.url);
    expect(answer?.headers()['content-security-policy']).toMatch(/default-src 'none'/);
    expect(answer?.headers()['content-encoding']).toMatch(/br|gzip/);
    const firstPaint = () => page.evaluate(() => performance.getEntriesByName('first-contentful-paint')[0]?.startTime ?? 0);
    await expect.poll(firstPaint).toBeGreaterThan(0);
    const paint = await firstPaint();
    console.log(`studio page: ${bytes} bytes as gzip, first contentful paint ${Math.round(paint)} ms`);
    expect(paint).toBeLessThan(1000);
    expect(foreign).toEqual([]);
    await context.close();
  });
});
