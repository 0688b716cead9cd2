import type { Browser, Page } from 'playwright-core';
import sharp from 'sharp';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { seededRandom } from '../support/pictures.ts';
import { browserSuite, choose, openBrowser, restored, visit } from './browser.ts';
import { type Service, serve } from './service.ts';

const SIDE = 4096;
/** The bar of a fluid view: no frame longer than this, in ms. */
const FRAME = 50;

/** A JPEG of the largest documented size: smooth ramps with some noise, quick to make. */
async function largest(seed: number): Promise<Buffer> {
  const random = seededRandom(seed);
  const tile = Buffer.from(Uint8Array.from({ length: 256 * 256 * 3 }, (_, i) => 90 + ((i / 3) % 256) / 2 + random() * 40));
  return sharp(tile, { raw: { width: 256, height: 256, channels: 3 } })
    .resize(SIDE, SIDE, { kernel: 'cubic' })
    .jpeg({ quality: 80 })
    .toBuffer();
}

/** Stands in for the restoration alone, whose speed is not what is measured here. */
async function answerAtOnce(page: Page, result: Buffer): Promise<void> {
  const job = {
    id: 'x',
    state: 'succeeded',
    progress: 1,
    result: { url: '/v2/jobs/x/result', mediaType: 'image/jpeg', width: SIDE, height: SIDE, bytes: result.length },
  };
  await page.route('**/v2/**', (route) => {
    const path = new URL(route.request().url()).pathname;
    if (path.endsWith('/result')) return route.fulfill({ contentType: 'image/jpeg', body: result });
    if (path.endsWith('/events'))
      return route.fulfill({ contentType: 'text/event-stream', body: `event: end\ndata: ${JSON.stringify(job)}\n\n` });
    return route.fulfill({ status: path.endsWith('/restore') ? 202 : 200, json: job });
  });
}

interface TraceEvent {
  readonly name: string;
  readonly pid: number;
  readonly tid: number;
  /** Processor time of the task in µs; unlike `dur` it holds nothing of other programs' turns. */
  readonly tdur?: number;
  readonly args?: { readonly name?: string };
}

/** The threads every frame passes through. */
const THREADS = ['CrRendererMain', 'Compositor', 'VizCompositorThread', 'CrGpuMain'];

/** Runs the gestures; answers each frame's interval, and the processor time (ms) of each task a frame waits for. */
async function trace(page: Page, gestures: () => Promise<void>): Promise<{ frames: number[]; tasks: number[] }> {
  const session = await page.context().newCDPSession(page);
  const events: TraceEvent[] = [];
  session.on('Tracing.dataCollected', ({ value }) => events.push(...(value as unknown as TraceEvent[])));
  await session.send('Tracing.start', { transferMode: 'ReportEvents', traceConfig: { includedCategories: ['toplevel', '__metadata'] } });
  await page.evaluate(() => {
    const state = { frames: [] as number[], on: true, last: performance.now() };
    (globalThis as unknown as { traced: typeof state }).traced = state;
    const step = (now: number) => {
      state.frames.push(now - state.last);
      state.last = now;
      if (state.on) requestAnimationFrame(step);
    };
    requestAnimationFrame(step);
  });
  await gestures();
  const frames = await page.evaluate(() => {
    const { traced } = globalThis as unknown as { traced: { frames: number[]; on: boolean } };
    traced.on = false;
    return traced.frames.slice(2);
  });
  const complete = new Promise((resolve) => session.once('Tracing.tracingComplete', resolve));
  await session.send('Tracing.end');
  await complete;
  const threads = new Set(
    events
      .filter((event) => event.name === 'thread_name' && THREADS.includes(event.args?.name ?? ''))
      .map(({ pid, tid }) => `${pid}/${tid}`),
  );
  const tasks = events
    .filter(({ name, pid, tid }) => /RunTask$/.test(name) && threads.has(`${pid}/${tid}`))
    .map(({ tdur = 0 }) => tdur / 1000);
  return { frames, tasks };
}

browserSuite('studio: fluid at 4096 × 4096', () => {
  let service: Service;
  let browser: Browser;
  let pictures: [Buffer, Buffer];
  beforeAll(async () => {
    [service, browser, pictures] = await Promise.all([serve(), openBrowser(), Promise.all([largest(1), largest(2)])]);
  });
  afterAll(async () => {
    await browser?.close();
    await service?.stop();
  });

  test('zoom, pan, divider and dial', async () => {
    const { page, errors, close } = await visit(browser, service.url, { viewport: { width: 1440, height: 900 } });
    await answerAtOnce(page, pictures[1]);
    await choose(page, { name: 'largest.jpg', mimeType: 'image/jpeg', buffer: pictures[0] });
    await restored(page);
    await page.waitForTimeout(1500); // thumbnails and history are written in the worker
    const box = await page.locator('.stage-canvas').boundingBox();
    if (box === null) throw new Error('no stage');
    const [x, y] = [box.x + box.width * 0.6, box.y + box.height * 0.4];
    const { frames, tasks } = await trace(page, async () => {
      await page.mouse.move(x, y);
      for (let i = 0; i < 60; i++) await page.mouse.wheel(0, i < 30 ? -120 : 120);
      await page.locator('.divider').hover();
      await page.mouse.down();
      for (let i = 0; i < 60; i++) await page.mouse.move(box.x + box.width * (0.2 + 0.6 * Math.abs(Math.sin(i / 10))), y);
      await page.mouse.up();
      for (let i = 0; i < 8; i++) await page.getByRole('button', { name: 'Zoom in' }).click();
      await page.mouse.move(x, y);
      await page.mouse.down();
      for (let i = 0; i < 60; i++) await page.mouse.move(x - i * 4, y - i * 2);
      await page.mouse.up();
      for (let i = 100; i >= 0; i -= 5) await page.locator('#strength').fill(String(i));
    });
    const at = (values: readonly number[], share: number) =>
      [...values].sort((a, b) => a - b)[Math.floor((values.length - 1) * share)] ?? 0;
    const late = frames.filter((ms) => ms > FRAME).length;
    const longest = at(tasks, 1);
    console.log(
      `4096² in the viewer: ${frames.length} frames, median ${at(frames, 0.5).toFixed(0)} ms, 99 % ${at(frames, 0.99).toFixed(0)} ms, longest ${at(frames, 1).toFixed(0)} ms, ` +
        `${late} over ${FRAME} ms by the clock; longest task of ${tasks.length}: ${longest.toFixed(0)} ms of processor time`,
    );
    expect(errors).toEqual([]);
    expect(frames.length).toBeGreaterThan(60);
    expect(tasks.length).toBeGreaterThan(frames.length);
    // By processor time: on a busy machine the clock also counts the turns of other programs.
    expect(longest).toBeLessThan(FRAME);
    await close();
  });
});
