import sharp, { type PngOptions } from 'sharp';
import { afterAll, describe, expect, it } from 'vitest';
import { uprightExif } from '../../src/imaging/exif-orientation.ts';
import { CITY, openBench, psnr, samples } from './pictures.ts';

const bench = openBench();
afterAll(() => bench.close());

/** Everything below must come back with the source's own size, colour, alpha, depth and metadata. */
describe('JPEG in every form', () => {
  const city = () => sharp(CITY);
  it.each<[string, () => Promise<Buffer>]>([
    ['4:2:0', () => city().jpeg({ quality: 40, chromaSubsampling: '4:2:0' }).toBuffer()],
    ['4:4:4', () => city().jpeg({ quality: 40, chromaSubsampling: '4:4:4' }).toBuffer()],
    ['progressive', () => city().jpeg({ quality: 40, progressive: true }).toBuffer()],
    ['4:0:0', () => city().toColourspace('b-w').jpeg({ quality: 40 }).toBuffer()],
    ['optimised with trellis', () => city().jpeg({ quality: 40, optimiseCoding: true, trellisQuantisation: true }).toBuffer()],
    ['odd size', () => city().extract({ left: 3, top: 5, width: 211, height: 167 }).jpeg({ quality: 40 }).toBuffer()],
    ['smallest', () => city().resize(48, 48).jpeg({ quality: 40 }).toBuffer()],
    ['CMYK', () => city().toColourspace('cmyk').jpeg({ quality: 60 }).toBuffer()],
  ])('%s keeps its size and its look', async (_, make) => {
    const source = await make();
    const { file, outcome } = await bench.restore(source);
    const before = await sharp(source).toColourspace('srgb').raw().toBuffer({ resolveWithObject: true });
    const after = await sharp(file).toColourspace('srgb').raw().toBuffer({ resolveWithObject: true });
    expect([after.info.width, after.info.height]).toEqual([before.info.width, before.info.height]);
    expect([outcome.width, outcome.height, outcome.format]).toEqual([before.info.width, before.info.height, 'jpg']);
    // The tonal range is the source's: nothing is tinted, inverted or shifted.
    const means = (data: Buffer) => [0, 1, 2].map((c) => data.filter((_, i) => i % 3 === c).reduce((a, b) => a + b, 0) / (data.length / 3));
    const [a, b] = [means(before.data), means(after.data)];
    for (let c = 0; c < 3; c++) expect(Math.abs((a[c] as number) - (b[c] as number))).toBeLessThan(1.5);
  });

  it('a grey JPEG comes back as a grey JPEG', async () => {
    const { file, outcome } = await bench.restore(await sharp(CITY).toColourspace('b-w').jpeg({ quality: 30 }).toBuffer());
    expect((await sharp(file).metadata()).channels).toBe(1);
    expect(outcome.report.source.grey).toBe(true);
  });

  it('grey pixels in an RGB container stay exactly grey', async () => {
    const { data, width, height } = await samples(CITY);
    for (let i = 0; i < data.length; i += 3) data[i + 1] = data[i + 2] = data[i] as number;
    const source = await sharp(data, { raw: { width, height, channels: 3 } })
      .png()
      .toBuffer();
    const result = await samples((await bench.restore(source, { format: 'png' })).file);
    for (let i = 0; i < result.data.length; i += 3) {
      if (result.data[i] !== result.data[i + 1] || result.data[i] !== result.data[i + 2]) throw new Error(`colour at sample ${i}`);
    }
  });
});

describe('Exif orientation', () => {
  it.each([1, 2, 3, 4, 5, 6, 7, 8])('%i comes back upright with the tag set to 1', async (orientation) => {
    // The shape below is not symmetric in any way, so every wrong turn shows.
    const source = await sharp(CITY)
      .extract({ left: 0, top: 0, width: 200, height: 120 })
      .withMetadata({ orientation })
      .jpeg({ quality: 92 })
      .toBuffer();
    const expected = await sharp(source).autoOrient().raw().toBuffer({ resolveWithObject: true });
    const { file } = await bench.restore(source, { format: 'png' });
    const metadata = await sharp(file).metadata();
    expect([metadata.width, metadata.height]).toEqual([expected.info.width, expected.info.height]);
    expect(metadata.orientation ?? 1).toBe(1);
    expect(psnr((await samples(file)).data, expected.data)).toBeGreaterThan(30);
  });

  it('a block without an orientation tag is left as it is', () => {
    const block = Buffer.from('49492a0008000000000000000000', 'hex');
    expect(Buffer.from(uprightExif(block)).equals(block)).toBe(true);
  });
});

describe('PNG in every form', () => {
  const withAlpha = async () => {
    const { data, width, height } = await samples(CITY);
    const rgba = Buffer.alloc((data.length / 3) * 4);
    for (let i = 0; i < data.length / 3; i++) {
      data.copy(rgba, i * 4, i * 3, i * 3 + 3);
      rgba[i * 4 + 3] = (i * 7) % 256;
    }
    return { rgba, width, height };
  };

  it('alpha comes back exactly, in PNG and WebP', async () => {
    const { rgba, width, height } = await withAlpha();
    const source = await sharp(rgba, { raw: { width, height, channels: 4 } })
      .png()
      .toBuffer();
    const result = await samples((await bench.restore(source, { format: 'png' })).file);
    expect(result.channels).toBe(4);
    for (let i = 3; i < rgba.length; i += 4) if (result.data[i] !== rgba[i]) throw new Error(`alpha differs at ${i}`);
    const webp = await bench.restore(source, { format: 'webp' });
    expect((await sharp(webp.file).metadata()).hasAlpha).toBe(true);
  });

  it('transparency is laid on white where the result is JPEG, and said so', async () => {
    const clear = await sharp({ create: { width: 64, height: 64, channels: 4, background: { r: 200, g: 0, b: 0, alpha: 0 } } })
      .png()
      .toBuffer();
    const { file, outcome } = await bench.restore(clear);
    expect((await samples(file)).data.every((value) => value > 250)).toBe(true);
    expect(outcome.report.warnings.join()).toMatch(/white/);
  });

  it('16 bits stay 16 bits, with the gradient between the 8-bit steps', async () => {
    const width = 256;
    const ramp = new Uint16Array(width * 64 * 3);
    for (let i = 0; i < ramp.length; i++) ramp[i] = 20000 + Math.floor((i / 3) % width) * 20;
    const source = await sharp(ramp, { raw: { width, height: 64, channels: 3 } })
      .toColourspace('rgb16')
      .png()
      .toBuffer();
    const { file, outcome } = await bench.restore(source, { format: 'png' });
    expect((await sharp(file).metadata()).depth).toBe('ushort');
    expect(outcome.report.source.bits).toBe(16);
    const { data } = await sharp(file).toColourspace('rgb16').raw({ depth: 'ushort' }).toBuffer({ resolveWithObject: true });
    const result = new Uint16Array(data.buffer, data.byteOffset, data.length / 2);
    expect(new Set(result.subarray(0, width * 3)).size).toBeGreaterThan(100);
    const worst = ramp.reduce((most, value, i) => Math.max(most, Math.abs((result[i] as number) - value)), 0);
    expect(worst).toBeLessThanOrEqual(3 * 257);
  });

  it.each<[string, PngOptions]>([
    ['palette', { palette: true, colours: 64 }],
    ['interlaced', { progressive: true }],
  ])('%s', async (_, options) => {
    const source = await sharp(CITY).png(options).toBuffer();
    const result = await samples((await bench.restore(source, { format: 'png' })).file);
    expect(psnr(result.data, (await samples(source)).data)).toBeGreaterThan(28);
  });

  it('a grey PNG with alpha stays grey with alpha', async () => {
    const source = await sharp(CITY).ensureAlpha(0.5).toColourspace('b-w').png().toBuffer();
    const metadata = await sharp((await bench.restore(source, { format: 'png' })).file).metadata();
    expect([metadata.space, metadata.channels]).toEqual(['b-w', 2]);
  });
});

describe('colour profile and metadata', () => {
  const decorated = (format: 'jpeg' | 'png' | 'webp') =>
    sharp(CITY)
      .withIccProfile('p3')
      .withExifMerge({ IFD0: { Copyright: 'Somebody', Model: 'Camera 1' } })
      .toFormat(format, { quality: 50 })
      .toBuffer();

  it.each(['jpg', 'png', 'webp'] as const)('ICC and Exif come back in a %s result', async (format) => {
    const source = await decorated('jpeg');
    const before = await sharp(source).metadata();
    const { file } = await bench.restore(source, { format });
    const after = await sharp(file).metadata();
    expect(after.icc?.equals(before.icc as Buffer)).toBe(true);
    expect(after.exif?.includes('Somebody')).toBe(true);
    // Values stay in the profile's own space: a conversion would show as a large difference.
    expect(psnr((await samples(file)).data, (await samples(source)).data)).toBeGreaterThan(26);
  });

  it('--strip-metadata drops Exif and keeps the profile', async () => {
    const { file } = await bench.restore(await decorated('jpeg'), { metadata: 'strip' });
    const after = await sharp(file).metadata();
    expect(after.exif).toBeUndefined();
    expect(after.icc).toBeDefined();
  });

  it('a result with metadata opens in other decoders: chunk order and checksums hold', async () => {
    for (const format of ['jpg', 'png', 'webp'] as const) {
      const { file } = await bench.restore(await decorated('jpeg'), { format });
      await expect(sharp(file, { failOn: 'warning' }).raw().toBuffer()).resolves.toBeInstanceOf(Buffer);
    }
  });

  it('WebP, TIFF and AVIF are read where the limits allow them', async () => {
    const formats = ['jpg', 'png', 'webp', 'tiff', 'avif'] as const;
    for (const [format, expected] of [
      ['webp', 'webp'],
      ['tiff', 'png'],
      ['avif', 'webp'],
    ] as const) {
      const source = await sharp(CITY).toFormat(format, { quality: 60 }).toBuffer();
      const { outcome } = await bench.restore(source, { format: 'same' }, { formats: [...formats] });
      expect([outcome.format, outcome.width, outcome.height]).toEqual([expected, 320, 240]);
    }
  });
});
