/**
 * Before/after sheets made by the product: for each picture the window the restoration changed most,
 * enlarged without smoothing, source left and result right.
 *
 *     npx tsx scripts/contact-sheet.ts OUT.webp PICTURE…
 */
import { readFile } from 'node:fs/promises';
import { basename } from 'node:path';
import sharp from 'sharp';
import { createRestorer } from '../src/index.ts';

const WINDOW = 128;
const ENLARGE = 2;
const PAIRS_PER_ROW = 3;
const CAPTION = 22;

interface Raw {
  readonly data: Buffer;
  readonly width: number;
  readonly height: number;
}

async function decode(file: Buffer): Promise<Raw> {
  const { data, info } = await sharp(file)
    .autoOrient()
    .flatten({ background: '#fff' })
    .toColourspace('srgb')
    .raw()
    .toBuffer({ resolveWithObject: true });
  return { data, width: info.width, height: info.height };
}

/** Top left of the window with the largest mean change, on a coarse grid. */
function mostChanged(before: Raw, after: Raw): { left: number; top: number } {
  const step = 32;
  let best = { left: 0, top: 0, change: -1 };
  for (let top = 0; top === 0 || top + WINDOW <= before.height; top += step) {
    for (let left = 0; left === 0 || left + WINDOW <= before.width; left += step) {
      let change = 0;
      for (let y = top; y < Math.min(top + WINDOW, before.height); y += 2) {
        for (let x = left; x < Math.min(left + WINDOW, before.width); x += 2) {
          const at = (y * before.width + x) * 3;
          change +=
            Math.abs((before.data[at] as number) - (after.data[at] as number)) +
            Math.abs((before.data[at + 1] as number) - (after.data[at + 1] as number));
        }
      }
      if (change > best.change) best = { left, top, change };
    }
  }
  return best;
}

function window(raw: Raw, { left, top }: { left: number; top: number }): Promise<Buffer> {
  const width = Math.min(WINDOW, raw.width - left);
  const height = Math.min(WINDOW, raw.height - top);
  return sharp(raw.data, { raw: { width: raw.width, height: raw.height, channels: 3 } })
    .extract({ left, top, width, height })
    .resize(width * ENLARGE, height * ENLARGE, { kernel: 'nearest' })
    .png()
    .toBuffer();
}

const plain = (text: string) => text.replace(/[<&>]/g, '.');

const [out, ...pictures] = process.argv.slice(2);
if (!out || pictures.length === 0) {
  console.error('usage: npx tsx scripts/contact-sheet.ts OUT.webp PICTURE…');
  process.exit(2);
}
const restorer = await createRestorer();
const side = WINDOW * ENLARGE;
const rows = Math.ceil(pictures.length / PAIRS_PER_ROW);
const layers: { input: Buffer; left: number; top: number }[] = [];
for (const [i, picture] of pictures.entries()) {
  // Every test picture as a file the product accepts: lossless WebP references become PNG.
  const bytes = await readFile(picture);
  const source = /\.(jpe?g|png)$/i.test(picture) ? bytes : await sharp(bytes).png().toBuffer();
  const { data, report } = await restorer.restore(source, { format: 'png' });
  const [before, after] = [await decode(source), await decode(Buffer.from(data))];
  const place = mostChanged(before, after);
  const left = (i % PAIRS_PER_ROW) * (2 * side + 12);
  const top = Math.floor(i / PAIRS_PER_ROW) * (side + CAPTION);
  const caption = `<svg width="${2 * side}" height="${CAPTION}"><text x="2" y="15" font-family="sans-serif" font-size="13" fill="#222">${plain(basename(picture))}: ${plain(report.gate.action)}, ${plain(report.gate.reason)}</text></svg>`;
  layers.push(
    { input: Buffer.from(caption), left, top },
    { input: await window(before, place), left, top: top + CAPTION },
    { input: await window(after, place), left: left + side, top: top + CAPTION },
  );
  console.log(`${basename(picture)}: ${report.gate.action}, ${report.gate.reason}`);
}
await restorer.close();
await sharp({ create: { width: PAIRS_PER_ROW * (2 * side + 12), height: rows * (side + CAPTION), channels: 3, background: '#fff' } })
  .composite(layers)
  .toFormat(out.endsWith('.png') ? 'png' : 'webp', { quality: 90 })
  .toFile(out);
