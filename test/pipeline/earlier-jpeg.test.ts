import sharp from 'sharp';
import { afterAll, describe, expect, it } from 'vitest';
import { addCameraNoise } from '../../src/cli/bench/camera-noise.ts';
import { CITY, noisy, openBench, psnr, samples } from './pictures.ts';

const bench = openBench({ precision: 'fp32' });
afterAll(() => bench.close());

const ALL = { left: 0, top: 0, width: 320, height: 240 };
const PART = { left: 3, top: 5, width: 301, height: 223 };

const jpeg = (file: Buffer, quality: number) => sharp(file).jpeg({ quality, chromaSubsampling: '4:2:0' }).toBuffer();
const part = (file: Buffer) => sharp(file).extract(PART);
const pixels = async (file: Buffer) => (await samples(file)).data;

/** PSNR of the part of CITY that every file here shows. */
async function shown(file: Buffer, extract = ALL): Promise<number> {
  const whole = extract === ALL ? file : await sharp(file).extract(extract).png().toBuffer();
  return psnr(await pixels(whole), await pixels(await part(CITY).png().toBuffer()));
}

describe('a picture that was compressed before', () => {
  it.each([10, 30, 60, 85])('of quality %i, cropped and saved losslessly, is restored as the JPEG itself is', async (quality) => {
    const file = await jpeg(CITY, quality);
    const copy = await part(file).png().toBuffer();
    const fromJpeg = await bench.restore(file, { format: 'png' });
    const fromCopy = await bench.restore(copy, { format: 'png' });
    expect(fromCopy.outcome.report.analysis.earlierJpegQuality).toBe(quality);
    expect(fromCopy.outcome.report.gate.reason).toContain(`JPEG of quality ${quality} before`);
    expect(fromJpeg.outcome.report.analysis.earlierJpegQuality).toBeNull();
    const [before, after] = [await shown(copy), await shown(fromCopy.file)];
    expect(after).toBeGreaterThan(before + 0.5);
    expect(Math.abs(after - (await shown(fromJpeg.file, PART)))).toBeLessThan(0.1);
  });

  it('of quality 20, saved again at 97, is not taken for one of 97', async () => {
    const again = await jpeg(await jpeg(CITY, 20), 97);
    const { file, outcome } = await bench.restore(again, { format: 'png' });
    expect(outcome.report.analysis).toMatchObject({ jpegQuality: 97, earlierJpegQuality: 20, clean: false });
    expect(outcome.report.gate.action).toBe('restore');
    const city = await pixels(CITY);
    expect(psnr(await pixels(file), city)).toBeGreaterThan(psnr(await pixels(again), city) + 0.7);
  });

  it('and turned by its Exif orientation is restored in the orientation it is stored in', async () => {
    const copy = await part(await jpeg(CITY, 20))
      .png()
      .toBuffer();
    const again = (orientation: number) => sharp(copy).withMetadata({ orientation }).jpeg({ quality: 97 }).toBuffer();
    const { file, outcome } = await bench.restore(await again(6), { format: 'png' });
    expect([outcome.width, outcome.height]).toEqual([PART.height, PART.width]);
    expect(outcome.report.analysis.earlierJpegQuality).toBe(20);
    const straight = await bench.restore(await again(1), { format: 'png' });
    const back = await sharp(file).rotate(-90).png().toBuffer();
    expect(psnr(await pixels(back), await pixels(straight.file))).toBeGreaterThan(50);
  });
});

describe('noise in a picture that was compressed before', () => {
  const noisyJpeg = async (quality: number, sigma = 5) => jpeg(await noisyCity(sigma), quality);
  const noisyCity = (sigma: number) => withNoise((data) => noisy(data, sigma, 4));
  async function withNoise(add: (data: Buffer, width: number, height: number) => Uint8Array | Promise<Uint8Array>): Promise<Buffer> {
    const { data, width, height } = await samples(await sharp(CITY).removeAlpha().png().toBuffer());
    return sharp(await add(data, width, height), { raw: { width, height, channels: 3 } })
      .png()
      .toBuffer();
  }
  /** Grain of about two pixels, as a camera's own interpolation leaves it. */
  const grainyCity = (sigma: number) =>
    withNoise(async (data, width, height) => {
      const raw = { width, height, channels: 3 } as const;
      const grain = await sharp(noisy(Buffer.alloc(data.length, 128), 3 * sigma, 5), { raw })
        .blur(0.9)
        .raw()
        .toBuffer();
      return data.map((value, i) => Math.min(255, Math.max(0, value + (grain[i] as number) - 128)));
    });

  it('is restored as noise where the compression was light', async () => {
    const copy = await sharp(await noisyJpeg(93))
      .png()
      .toBuffer();
    const { file, outcome } = await bench.restore(copy, { format: 'png' });
    expect(outcome.report.analysis.earlierJpegQuality).toBe(93);
    expect(await gain(copy, file)).toBeGreaterThan(1);
  });

  it.each([88, 98])("is restored as noise in a camera's own file of quality %i", async (quality) => {
    const camera = await noisyJpeg(quality, 8);
    const { file, outcome } = await bench.restore(camera, { format: 'png' });
    expect(outcome.report.analysis).toMatchObject({ jpegQuality: quality, earlierJpegQuality: null, clean: false });
    // The compression half gains 1.4 and 0.5.
    expect(await gain(camera, file)).toBeGreaterThan(1.7);
    expect(outcome.report.gate.reason).toContain('which is more to be repaired than the compression');
  });

  it.each([82, 92])('is restored as noise where it is coarse, as grain is, in a file of quality %i', async (quality) => {
    const camera = await jpeg(await grainyCity(9), quality);
    const { file, outcome } = await bench.restore(camera, { format: 'png' });
    // The fine estimate hardly sees it.
    expect(outcome.report.analysis.noiseSigma).toBeLessThan(3);
    expect(outcome.report.gate.reason).toContain('which is more to be repaired than the compression');
    expect(await gain(camera, file)).toBeGreaterThan(0);
  });

  it.each([88, 92])("is restored as noise in a copy without tables of a camera's file of quality %i", async (quality) => {
    const { data, width, height } = await samples(await sharp(CITY).removeAlpha().blur(1.2).png().toBuffer());
    const taken = addCameraNoise({ data, width, height, channels: 3 }, 12, 3).data;
    const camera = sharp(taken, { raw: { width, height, channels: 3 } }).jpeg({ quality });
    const copy = await sharp(await camera.toBuffer())
      .png()
      .toBuffer();
    const { file, outcome } = await bench.restore(copy, { format: 'png' });
    expect(outcome.report.analysis).toMatchObject({ jpegQuality: null, earlierJpegQuality: quality });
    expect(outcome.report.gate.reason).toContain('which is more to be repaired than the compression');
    expect(psnr((await samples(file)).data, data)).toBeGreaterThan(psnr((await samples(copy)).data, data) + 1.5);
  });

  it.each([82, 93])('is looked for in vain in a clean one of quality %i, whose blocks are repaired', async (quality) => {
    const camera = await jpeg(await sharp(CITY).removeAlpha().png().toBuffer(), quality);
    const { file, outcome } = await bench.restore(camera, { format: 'png' });
    expect(await gain(camera, file)).toBeGreaterThan(0.6);
    expect(outcome.report.gate.reason).not.toContain('more to be repaired');
    const copy = await bench.restore(await sharp(camera).png().toBuffer());
    expect(copy.outcome.report.gate.reason).toMatch(/^no compression tables, JPEG of quality \d+ before.*noise σ [\d.]+$/);
  });
});

/** In dB against CITY. */
async function gain(before: Buffer, after: Buffer): Promise<number> {
  const city = await pixels(await sharp(CITY).removeAlpha().png().toBuffer());
  return psnr(await pixels(after), city) - psnr(await pixels(before), city);
}
