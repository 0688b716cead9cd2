/**
 * Contact sheets of the faces in pictures, made by the product's own steps: source, without the face
 * stage, with it, each enlarged alike; below, what the report says.
 *
 *     npx tsx scripts/face-sheet.ts OUT-FOLDER PICTURE… [--models DIR --face NAME --detector NAME --side 320]
 */
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { parseArgs } from 'node:util';
import sharp from 'sharp';
import { createPipeline } from '../src/pipeline/index.ts';
import { DEFAULT_OPTIONS } from '../src/pipeline/options.ts';
import type { RestoreReport } from '../src/pipeline/report.ts';

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    models: { type: 'string' },
    face: { type: 'string', default: 'auto' },
    detector: { type: 'string', default: 'auto' },
    side: { type: 'string', default: '320' },
  },
});
const [out, ...pictures] = positionals;
if (!out || pictures.length === 0) {
  console.error('usage: npx tsx scripts/face-sheet.ts OUT-FOLDER PICTURE… [--models DIR --face NAME --detector NAME --side 320]');
  process.exit(2);
}
const SIDE = Number(values.side);
const CAPTION = 20;
const LIMITS = { formats: ['jpg', 'png', 'webp'] as const, minSide: 1, maxSide: 65_535, maxPixels: 1e8, maxBytes: 1e9 };
const folder = mkdtempSync(join(tmpdir(), 'mingxi-sheet-'));
mkdirSync(out, { recursive: true });
const pipeline = createPipeline({
  threads: 1,
  faceModel: values.face,
  faceDetector: values.detector,
  ...(values.models ? { modelsDir: values.models } : {}),
});

// The pipeline leaves only the loaders for photographs: captions are SVG.
sharp.unblock({ operation: ['VipsForeignLoadSvgBuffer'] });

/** The whole way of a file, as PNG. */
async function through(bytes: Buffer, face: 'auto' | 'off'): Promise<{ file: Buffer; report: RestoreReport }> {
  const [source, result] = [join(folder, 'source'), join(folder, 'result')];
  writeFileSync(source, bytes);
  const { report } = await pipeline.restore({ source, result, options: { ...DEFAULT_OPTIONS, format: 'png', face }, limits: LIMITS });
  return { file: readFileSync(result), report };
}

/** The square round a face with half its side around, enlarged to SIDE. */
async function closeUp(file: Buffer, [x, y, size]: readonly [number, number, number]): Promise<Buffer> {
  const { width = 1, height = 1 } = await sharp(file)
    .autoOrient()
    .toBuffer({ resolveWithObject: true })
    .then(({ info }) => info);
  const margin = size * 0.35;
  const left = Math.min(width - 2, Math.max(0, Math.round(x - margin)));
  const top = Math.min(height - 2, Math.max(0, Math.round(y - margin)));
  const wide = Math.max(1, Math.min(width, Math.round(x + size + margin)) - left);
  const high = Math.max(1, Math.min(height, Math.round(y + size + margin)) - top);
  return sharp(file)
    .autoOrient()
    .flatten({ background: '#fff' })
    .extract({ left, top, width: wide, height: high })
    .resize(SIDE, SIDE, { fit: 'contain', background: '#888', kernel: 'cubic' })
    .png()
    .toBuffer();
}

const plain = (text: string) => text.replace(/[<&>]/g, '.');
const caption = (text: string) =>
  Buffer.from(
    `<svg width="${3 * SIDE}" height="${CAPTION}"><text x="2" y="14" font-family="sans-serif" font-size="12" fill="#222">${plain(text)}</text></svg>`,
  );

for (const picture of pictures) {
  const bytes = readFileSync(picture);
  const source = /\.(jpe?g|png)$/i.test(picture) ? bytes : await sharp(bytes).png().toBuffer();
  const [general, faces] = [await through(source, 'off'), await through(source, 'auto')];
  const { report } = faces;
  const time = report.timings.faces ?? 0;
  console.log(
    `${basename(picture)}: ${report.source.width}×${report.source.height}, ${report.faces.length} faces, ${time} ms, gate ${report.gate.action}`,
  );
  const shown = report.faces.slice(0, 12);
  const layers: { input: Buffer; left: number; top: number }[] = [];
  for (const [i, face] of shown.entries()) {
    const text = `${basename(picture)} face ${i + 1}: ${Math.round(face.box[2])} px ${face.size}, score ${face.score}, ${face.action}${face.reason ? ` (${face.reason})` : ''}`;
    console.log(`  ${text}`);
    const top = i * (SIDE + CAPTION);
    layers.push({ input: caption(text), left: 0, top });
    for (const [column, file] of [source, general.file, faces.file].entries())
      layers.push({ input: await closeUp(file, face.box), left: column * SIDE, top: top + CAPTION });
  }
  if (layers.length === 0) continue;
  await sharp({ create: { width: 3 * SIDE, height: shown.length * (SIDE + CAPTION), channels: 3, background: '#fff' } })
    .composite(layers)
    .webp({ quality: 92 })
    .toFile(join(out, `${basename(picture)}.webp`));
}
await pipeline.close();
rmSync(folder, { recursive: true });
