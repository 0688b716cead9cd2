import sharp from 'sharp';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { CITY, noisy, openBench, psnr, samples } from './pictures.ts';

const bench = openBench();
afterAll(() => bench.close());

describe('restoration gains against doing nothing', () => {
  it.each([10, 20, 40])('JPEG quality %i comes back closer to the original', async (quality) => {
    const original = await samples(CITY);
    const source = await sharp(CITY).jpeg({ quality, chromaSubsampling: '4:2:0' }).toBuffer();
    const { file, outcome } = await bench.restore(source, { format: 'png' });
    const before = psnr((await samples(source)).data, original.data);
    expect(psnr((await samples(file)).data, original.data)).toBeGreaterThan(before + 0.4);
    expect(outcome.report.analysis.jpegQuality).toBe(quality);
    expect(outcome.report.model).toBe('general');
  });

  it.each([15, 25, 50])('noise of sigma %i comes back closer to the original by 5 dB', async (sigma) => {
    const { data, width, height } = await samples(CITY);
    const lq = noisy(data, sigma, sigma);
    const source = await sharp(lq, { raw: { width, height, channels: 3 } })
      .png()
      .toBuffer();
    const { file, outcome } = await bench.restore(source, { format: 'png' });
    expect(psnr((await samples(file)).data, data)).toBeGreaterThan(psnr(lq, data) + 5);
    expect(Math.abs(outcome.report.analysis.noiseSigma - sigma)).toBeLessThan(0.25 * sigma);
  });

  it('leaves a clean picture visually unchanged', async () => {
    const { file } = await bench.restore(CITY, { format: 'png' });
    expect(psnr((await samples(file)).data, (await samples(CITY)).data)).toBeGreaterThan(38);
  });

  it('copies a clean JPEG of very high quality byte by byte when the container stays', async () => {
    const flat = await sharp({ create: { width: 160, height: 120, channels: 3, background: '#7a8a9a' } })
      .jpeg({ quality: 98 })
      .toBuffer();
    const { file, outcome } = await bench.restore(flat, { format: 'same' });
    expect(outcome.report.gate.action).toBe('copy');
    expect(outcome.report.model).toBeNull();
    expect(file.equals(flat)).toBe(true);
  });

  it('still restores a low-quality JPEG that was saved again at high quality', async () => {
    const bad = await sharp(CITY).jpeg({ quality: 15 }).toBuffer();
    const again = await sharp(bad).jpeg({ quality: 97, chromaSubsampling: '4:4:4' }).toBuffer();
    const { outcome } = await bench.restore(again, { format: 'png' });
    expect(outcome.report.gate.action).toBe('restore');
    expect(outcome.report.gate.reason).toMatch(/coding blocks/);
  });
});

describe('texture is not taken for noise', () => {
  /** Grain that grows from left to right: no noise does that, leaves and gravel do. */
  const grown = (least: number, most: number) => {
    const [width, height] = [384, 256];
    const grain = noisy(new Uint8Array(width * height * 3).fill(128), 8, 11);
    const rgb = grain.map((value, i) => {
      const part = (Math.floor(i / 3) % width) / width;
      return Math.round(128 + ((value - 128) / 8) * (least + (most - least) * part));
    });
    return sharp(rgb, { raw: { width, height, channels: 3 } })
      .png()
      .toBuffer();
  };

  it('grain that follows the contrast is left as it is, to the byte', async () => {
    const source = await grown(0.5, 12);
    const { file, outcome } = await bench.restore(source, { format: 'same' });
    expect(outcome.report.gate).toMatchObject({
      action: 'copy',
      reason: expect.stringMatching(/^what reads as noise is texture: .*noise σ 2\.\d$/),
    });
    expect(outcome.report).toMatchObject({ model: null, analysis: { clean: true } });
    expect(file.equals(source)).toBe(true);
  });

  it('coarse noise that the fine estimate does not see goes, and the texture of the same estimate stays', async () => {
    const { data, width, height } = await samples(CITY);
    const smooth = await sharp(data, { raw: { width, height, channels: 3 } })
      .blur(1.5)
      .raw()
      .toBuffer();
    const grain = await sharp(noisy(new Uint8Array(data.length).fill(128), 30, 5), { raw: { width, height, channels: 3 } })
      .blur(1.5)
      .raw()
      .toBuffer();
    const lq = smooth.map((value, i) => Math.min(255, Math.max(0, value + (grain[i] as number) - 128)));
    const restored = async (rgb: Uint8Array) =>
      bench.restore(
        await sharp(rgb, { raw: { width, height, channels: 3 } })
          .png()
          .toBuffer(),
      );
    const { file, outcome } = await restored(lq);
    expect(outcome.report.analysis.noiseSigma).toBeLessThan(2);
    expect(psnr((await samples(file)).data, smooth)).toBeGreaterThan(psnr(lq, smooth) + 1);
    // What it is instead: soft.
    const soft = await restored(smooth);
    expect(soft.outcome.report.gate).toMatchObject({ action: 'restore', reason: expect.stringMatching(/^soft:/) });
    expect(psnr((await samples(soft.file)).data, data)).toBeGreaterThan(psnr(smooth, data) + 0.3);
  });

  it('where all but a little is white, the estimates alone decide', async () => {
    const [width, height] = [256, 256];
    const grain = noisy(new Uint8Array(width * height * 3).fill(128), 4, 3);
    const page = grain.map((value, i) => (Math.floor(i / 3 / width) < 40 && Math.floor(i / 3) % width < 100 ? value : 254));
    const { outcome } = await bench.restore(
      await sharp(page, { raw: { width, height, channels: 3 } })
        .png()
        .toBuffer(),
    );
    expect(outcome.report.gate).toMatchObject({ action: 'restore', reason: expect.stringMatching(/noise σ/) });
  });

  it('even grain of the same strength is noise and goes', async () => {
    const { file, outcome } = await bench.restore(await grown(3, 3), { format: 'png' });
    expect(outcome.report.gate.action).toBe('restore');
    const spread = (await samples(file)).data.reduce((sum, value) => sum + Math.abs(value - 128), 0) / (384 * 256 * 3);
    // 2.4 before: the mean of |N(0, 3)|; a fifth of what goes is left (`grain`).
    expect(spread).toBeLessThan(1.1);
  });
});

describe('strength', () => {
  let source: Buffer;
  beforeAll(async () => {
    source = await sharp(CITY).jpeg({ quality: 20 }).toBuffer();
  });

  it('0 gives back the source, 0.5 the mean of source and full restoration', async () => {
    const decoded = await samples(source);
    const none = await samples((await bench.restore(source, { strength: 0, format: 'png' })).file);
    const half = await samples((await bench.restore(source, { strength: 0.5, format: 'png' })).file);
    const full = await samples((await bench.restore(source, { strength: 1, format: 'png' })).file);
    expect(none.data.equals(decoded.data)).toBe(true);
    const off = half.data.map((value, i) => 2 * Math.abs(value - ((decoded.data[i] as number) + (full.data[i] as number)) / 2));
    expect(Math.max(...[...new Set(off)])).toBeLessThanOrEqual(1);
  });
});

describe('determinism', () => {
  it('the same bytes and options give the same result bytes', async () => {
    const source = await sharp(CITY).jpeg({ quality: 30 }).toBuffer();
    const first = await bench.restore(source);
    const second = await bench.restore(source);
    expect(first.file.equals(second.file)).toBe(true);
  });
});

describe('refusals', () => {
  it.each([
    ['text labelled as a picture', Buffer.from('<svg xmlns="http://www.w3.org/2000/svg"/>'), 'IMAGE_DECODE_FORMAT_ERROR'],
    ['an empty file', Buffer.alloc(0), 'IMAGE_DECODE_FORMAT_ERROR'],
    ['a PNG cut off in its header', CITY.subarray(0, 20), 'IMAGE_DECODE_ERROR'],
    ['a PNG cut off in its pixels', CITY.subarray(0, CITY.length >> 1), 'IMAGE_DECODE_ERROR'],
  ])('%s', async (_, file, kind) => {
    await expect(bench.restore(file)).rejects.toMatchObject({ kind });
  });

  it('a truncated JPEG', async () => {
    const whole = await sharp(CITY).jpeg().toBuffer();
    await expect(bench.restore(whole.subarray(0, whole.length - 2000))).rejects.toMatchObject({ kind: 'IMAGE_DECODE_ERROR' });
  });

  it('too small, too large, too heavy, wrong format, unknown model, scale not offered', async () => {
    const small = await sharp(CITY).resize(47, 60).png().toBuffer();
    await expect(bench.restore(small)).rejects.toMatchObject({ kind: 'IMAGE_DECODE_SIZE_ERROR', message: expect.stringContaining('48') });
    await expect(bench.restore(CITY, {}, { maxSide: 300 })).rejects.toMatchObject({ kind: 'RESOLUTION_TOO_LARGE_ERROR' });
    await expect(bench.restore(CITY, {}, { maxPixels: 1000 })).rejects.toMatchObject({ kind: 'RESOLUTION_TOO_LARGE_ERROR' });
    await expect(bench.restore(CITY, {}, { maxBytes: 1000 })).rejects.toMatchObject({ kind: 'PICTURE_OVERRUN_ERROR' });
    const webp = await sharp(CITY).webp().toBuffer();
    await expect(bench.restore(webp)).rejects.toMatchObject({
      kind: 'IMAGE_DECODE_FORMAT_ERROR',
      message: expect.stringContaining('WebP'),
    });
    await expect(bench.restore(CITY, { model: 'nonesuch' })).rejects.toMatchObject({
      kind: 'PARAM_VALUE_ERROR',
      message: expect.stringContaining('general'),
    });
    await expect(bench.restore(CITY, { scale: 2 })).rejects.toMatchObject({ kind: 'PARAM_VALUE_ERROR' });
  });
});
