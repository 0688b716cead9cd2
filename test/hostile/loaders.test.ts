import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import sharp from 'sharp';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { refuseUnsafeLoaders } from '../../src/imaging/codec.ts';
import { png } from '../support/pictures.ts';

/**
 * The codec's own door, behind the check of magic numbers: even if that were passed, only five loaders
 * exist. Blocking is for the whole process, like in a child; so the pictures are made before.
 */
const folder = mkdtempSync(join(tmpdir(), 'mingxi-loaders-'));
const SVG = Buffer.from('<svg xmlns="http://www.w3.org/2000/svg" width="64" height="64"><rect width="64" height="64"/></svg>');
const files: Record<string, Buffer> = {};
beforeAll(async () => {
  const picture = sharp(await png(64, 64));
  for (const format of ['jpeg', 'png', 'webp', 'tiff', 'avif', 'gif'] as const)
    files[format] = await picture.clone().toFormat(format).toBuffer();
  files.svg = SVG;
  await sharp(SVG).metadata(); // Would be read without the block.
  refuseUnsafeLoaders();
});
afterAll(() => rmSync(folder, { recursive: true }));

describe('loaders', () => {
  test.each(['jpeg', 'png', 'webp', 'tiff', 'avif'])('%s is read', async (format) => {
    expect(await sharp(files[format]).metadata()).toMatchObject({ width: 64, height: 64 });
  });

  test.each(['gif', 'svg'])('%s is refused by the codec', async (format) => {
    await expect(sharp(files[format]).metadata()).rejects.toThrow(/unsupported image format/);
  });

  test.each([
    ['Netpbm', 'P6 2 2 255\n############'],
    ['Radiance', '#?RADIANCE\nFORMAT=32-bit_rle_rgbe\n\n-Y 1 +X 1\n####'],
    ['CSV', '1,2\n3,4\n'],
    ['FITS', 'SIMPLE  =                    T'.padEnd(2880)],
    ['PDF', '%PDF-1.4\n%%EOF'],
    ['VIPS', '\u0008\u00f2\u00a6\u00b6'.padEnd(100, '\u0000')],
  ])('%s is refused by the codec', async (_name, content) => {
    await expect(sharp(Buffer.from(content, 'latin1')).metadata()).rejects.toThrow();
  });

  test.each(['jpeg', 'png', 'svg', 'gif'])(
    'not even %s is read from a path: nothing inside a file can name another one',
    async (format) => {
      const path = join(folder, `file.${format}`);
      writeFileSync(path, files[format] as Buffer);
      await expect(sharp(path).metadata()).rejects.toThrow();
    },
  );
});
