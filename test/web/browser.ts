import { existsSync } from 'node:fs';
import { type Browser, type BrowserContextOptions, chromium, type Page } from 'playwright-core';
import { describe } from 'vitest';

/** Debian's and the usual places; the launcher's test set-up installs the first. */
const PLACES = [
  '/usr/bin/chromium-headless-shell',
  '/usr/bin/chromium',
  '/usr/lib/chromium/chromium-headless-shell',
  '/usr/lib/chromium/chromium',
  '/usr/bin/google-chrome',
];
const path = PLACES.find((place) => existsSync(place));
/** Where the set-up could have installed it, its absence is a failure and not a reason to skip. */
const isRequired = process.env.CI !== undefined || existsSync('/usr/bin/apt-get');

/** Tests in a real browser: skipped with a printed line only where none can be had. */
export function browserSuite(name: string, tests: () => void): void {
  if (path === undefined && !isRequired) console.log(`skipped: ${name} (no Chromium here, and no apt to get it with)`);
  describe.skipIf(path === undefined && !isRequired)(name, tests);
}

/** Starts the browser; one per test file. */
export function openBrowser(): Promise<Browser> {
  if (path === undefined) throw new Error('no Chromium found; install it with: apt-get install chromium-headless-shell');
  return chromium.launch({ executablePath: path, args: ['--no-sandbox', '--disable-dev-shm-usage'] });
}

/** Below a test's own limit, so that what was waited for is named, ms. */
const WAIT_LIMIT = 120_000;

export interface Visit {
  readonly page: Page;
  /** Errors of the console and of scripts, content-security violations among them. */
  readonly errors: readonly string[];
  close(): Promise<void>;
}

/** A fresh visitor on a page; English and wide unless told otherwise. */
export async function visit(browser: Browser, url: string, options: BrowserContextOptions = {}): Promise<Visit> {
  const context = await browser.newContext({ locale: 'en-US', viewport: { width: 1280, height: 800 }, acceptDownloads: true, ...options });
  // The browser's own limit is half a minute, which a busy machine needs; a page that hangs meets the test's limit.
  context.setDefaultTimeout(WAIT_LIMIT);
  const page = await context.newPage();
  const errors: string[] = [];
  page.on('console', (message) => {
    if (message.type() === 'error') errors.push(message.text());
  });
  page.on('pageerror', (error) => errors.push(String(error)));
  await page.goto(url);
  return { page, errors, close: () => context.close() };
}

export interface PictureFile {
  readonly name: string;
  readonly mimeType: string;
  readonly buffer: Buffer;
}

/** Chooses files as a person does with the file dialog. */
export async function choose(page: Page, ...files: PictureFile[]): Promise<void> {
  await page.locator('input[type=file]').setInputFiles(files);
}

/** Drops files on the page. */
export async function drop(page: Page, ...files: PictureFile[]): Promise<void> {
  const plain = files.map(({ name, mimeType, buffer }) => ({ name, mimeType, base64: buffer.toString('base64') }));
  const data = await page.evaluateHandle((all) => {
    const transfer = new DataTransfer();
    for (const { name, mimeType, base64 } of all) {
      transfer.items.add(new File([Uint8Array.from(atob(base64), (c) => c.charCodeAt(0))], name, { type: mimeType }));
    }
    return transfer;
  }, plain);
  for (const type of ['dragenter', 'dragover', 'drop']) await page.dispatchEvent('body', type, { dataTransfer: data });
}

/** Waits until the selected picture is restored. */
export async function restored(page: Page): Promise<void> {
  await page.locator('#strength').waitFor();
  await page.locator('.divider').waitFor();
}
