/**
 * Makes docs/quality/before-after.webp with the product itself: the fixture photograph as a JPEG of
 * quality 12 (top) and with noise of sigma 25 (bottom), source left and result right, enlarged ×2
 * without smoothing.
 *
 *     npx tsx scripts/readme-picture.ts
 */
import { mkdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import sharp from 'sharp';
import { createRestorer } from '../src/index.ts';

const ROOT = join(import.meta.dirname, '..');
const PART = { left: 20, top: 0, width: 240, height: 180 };

/** White Gaussian noise by a fixed seed (mulberry32, Box-Muller). */
function addNoise(data: Buffer, sigma: number): Buffer {
  let state = 25;
  const random = () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = Math.imul(state ^ (state >>> 15), state | 1);
    t = (t + Math.imul(t ^ (t >>> 7), t | 61)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
  return Buffer.from(
    data.map((v) =>
      Math.min(255, Math.max(0, Math.round(v + sigma * Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random())))),
    ),
  );
}

const photograph = await readFile(join(ROOT, 'test', 'fixtures', 'cactus.png'));
const { data, info } = await sharp(photograph).raw().toBuffer({ resolveWithObject: true });
const sources = [
  await sharp(photograph).jpeg({ quality: 12 }).toBuffer(),
  await sharp(addNoise(data, 25), { raw: { width: info.width, height: info.height, channels: 3 } })
    .png()
    .toBuffer(),
];
const restorer = await createRestorer();
const layers: { input: Buffer; left: number; top: number }[] = [];
for (const [row, source] of sources.entries()) {
  const result = await restorer.restore(source, { format: 'png' });
  for (const [column, file] of [source, result.data].entries()) {
    const input = await sharp(file)
      .extract(PART)
      .resize(PART.width * 2, PART.height * 2, { kernel: 'nearest' })
      .png()
      .toBuffer();
    layers.push({ input, left: column * (PART.width * 2 + 4), top: row * (PART.height * 2 + 4) });
  }
}
await restorer.close();
await mkdir(join(ROOT, 'docs', 'quality'), { recursive: true });
await sharp({ create: { width: PART.width * 4 + 4, height: PART.height * 4 + 4, channels: 3, background: '#fff' } })
  .composite(layers)
  .webp({ quality: 92 })
  .toFile(join(ROOT, 'docs', 'quality', 'before-after.webp'));
