/**
 * Contact sheets of the faces in pictures, made by the product's own steps: source, without the face
 * stage, with it, each enlarged alike; above, what the report says. With `--harm` the pictures are clean
 * faces, which are degraded first, and a fourth column shows them as they were.
 *
 *     npx tsx scripts/face-sheet.ts OUT-FOLDER PICTURE… [--name sheet --rows 4 --side 400 --harm --models DIR --face NAME --detector NAME]
 */
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { parseArgs } from 'node:util';
import sharp from 'sharp';
import { encodePng } from '../src/cli/bench/pixels.ts';
import { seededRandom, seedOf } from '../src/cli/bench/random.ts';
import { createPipeline } from '../src/pipeline/index.ts';
import { DEFAULT_OPTIONS } from '../src/pipeline/options.ts';
import type { RestoreReport } from '../src/pipeline/report.ts';
import { degraded, planOf } from './face-harm.ts';

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    name: { type: 'string', default: 'sheet' },
    rows: { type: 'string', default: '4' },
    side: { type: 'string', default: '400' },
    harm: { type: 'boolean', default: false },
    models: { type: 'string' },
    face: { type: 'string', default: 'auto' },
    detector: { type: 'string', default: 'auto' },
  },
});
const [out, ...pictures] = positionals;
if (!out || pictures.length === 0) {
  console.error(
    'usage: npx tsx scripts/face-sheet.ts OUT-FOLDER PICTURE… [--name sheet --rows 4 --side 400 --harm --models DIR --face NAME]',
  );
  process.exit(2);
}
const [SIDE, ROWS] = [Number(values.side), Number(values.rows)];
const COLUMNS = values.harm ? 4 : 3;
const CAPTION = 20;
/** Most faces of one picture that are shown. */
const MOST = 6;
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

interface Source {
  readonly name: string;
  readonly file: Buffer;
  /** As it was before it was degraded. */
  readonly truth?: Buffer;
}

async function sourceOf(picture: string): Promise<Source> {
  const [name, bytes] = [basename(picture), readFileSync(picture)];
  if (!values.harm) return { name, file: /\.(jpe?g|png)$/i.test(picture) ? bytes : await sharp(bytes).png().toBuffer() };
  const seed = seedOf(name);
  const plan = planOf(seed % 3 === 0 ? 'light' : 'portrait', seededRandom(seed));
  const { file, truth } = await degraded(bytes, plan, seed);
  const words = [
    `${plan.side} px`,
    ...(plan.blur > 0 ? [`blur ${plan.blur.toFixed(1)}`] : []),
    ...(plan.sigma > 0 ? [`noise ${plan.sigma.toFixed(0)}`] : []),
    ...(plan.quality === undefined ? [] : [`JPEG ${plan.quality}`]),
  ];
  return { name: `${name} (${words.join(', ')})`, file, truth: await encodePng(truth) };
}

/** The whole way of a file, as PNG. */
async function through(bytes: Buffer, face: 'auto' | 'off'): Promise<{ file: Buffer; report: RestoreReport }> {
  const [source, result] = [join(folder, 'source'), join(folder, 'result')];
  writeFileSync(source, bytes);
  const { report } = await pipeline.restore({ source, result, options: { ...DEFAULT_OPTIONS, format: 'png', face }, limits: LIMITS });
  return { file: readFileSync(result), report };
}

/** The square round a face with a third of its side around, enlarged to SIDE. */
async function closeUp(file: Buffer, [x, y, size]: readonly [number, number, number]): Promise<Buffer> {
  const { data, info } = await sharp(file).autoOrient().flatten({ background: '#fff' }).png().toBuffer({ resolveWithObject: true });
  const margin = size * 0.35;
  const left = Math.min(info.width - 2, Math.max(0, Math.round(x - margin)));
  const top = Math.min(info.height - 2, Math.max(0, Math.round(y - margin)));
  const wide = Math.max(1, Math.min(info.width, Math.round(x + size + margin)) - left);
  const high = Math.max(1, Math.min(info.height, Math.round(y + size + margin)) - top);
  return sharp(data)
    .extract({ left, top, width: wide, height: high })
    .resize(SIDE, SIDE, { fit: 'contain', background: '#888', kernel: 'cubic' })
    .png()
    .toBuffer();
}

const plain = (text: string) => text.replace(/[<&>]/g, '.');
const caption = (text: string) =>
  Buffer.from(
    `<svg width="${COLUMNS * SIDE}" height="${CAPTION}"><text x="2" y="14" font-family="sans-serif" font-size="12" fill="#222">${plain(text)}</text></svg>`,
  );

interface Row {
  readonly text: string;
  readonly cells: readonly Buffer[];
}

/** The faces of a picture, or the whole of it where none was found. */
async function rowsOf({ name, file, truth }: Source): Promise<Row[]> {
  const [general, faces] = [await through(file, 'off'), await through(file, 'auto')];
  const { report } = faces;
  const files = [file, general.file, faces.file, ...(truth ? [truth] : [])];
  const { width, height } = report.source;
  const side = Math.max(width, height);
  if (report.faces.length === 0) {
    const box = [(width - side / 1.7) / 2, (height - side / 1.7) / 2, side / 1.7] as const;
    return [{ text: `${name}: no face found`, cells: await Promise.all(files.map((each) => closeUp(each, box))) }];
  }
  return Promise.all(
    report.faces.slice(0, MOST).map(async (face, i) => {
      const what = `${Math.round(face.box[2])} px, score ${face.score}, ${face.action}${face.reason ? ` (${face.reason})` : ''}`;
      const which = report.faces.length > 1 ? ` face ${i + 1} of ${report.faces.length}` : '';
      return { text: `${name}${which}: ${what}`, cells: await Promise.all(files.map((each) => closeUp(each, face.box))) };
    }),
  );
}

let page = 0;
async function write(rows: readonly Row[]): Promise<void> {
  if (rows.length === 0) return;
  page += 1;
  const layers = rows.flatMap(({ text, cells }, i) => {
    const top = i * (SIDE + CAPTION);
    return [{ input: caption(text), left: 0, top }, ...cells.map((input, column) => ({ input, left: column * SIDE, top: top + CAPTION }))];
  });
  await sharp({ create: { width: COLUMNS * SIDE, height: rows.length * (SIDE + CAPTION), channels: 3, background: '#fff' } })
    .composite(layers)
    .jpeg({ quality: 85, mozjpeg: true })
    .toFile(join(out as string, `${values.name}-${String(page).padStart(2, '0')}.jpg`));
}

let rows: Row[] = [];
for (const picture of pictures) {
  const found = await rowsOf(await sourceOf(picture));
  for (const { text } of found) console.log(text);
  rows.push(...found);
  for (; rows.length >= ROWS; rows = rows.slice(ROWS)) await write(rows.slice(0, ROWS));
}
await write(rows);
await pipeline.close();
rmSync(folder, { recursive: true });
