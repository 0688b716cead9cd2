/**
 * What faces cost: a 12-megapixel picture with some blurred, noisy faces on a photograph, through the
 * pipeline in this process on as many threads as asked for. Prints one JSON line: milliseconds of the
 * steps, of finding faces alone, and of one whole face stage on the same photograph without the faces.
 * The stage's own time is all that faces cost, since nothing else of the pipeline knows of them. `cpu` is
 * processor time, all threads together, which a busy machine lengthens much less; with `--only` its difference
 * to the picture without faces is what the faces cost.
 *
 *     npx tsx scripts/face-time.ts PHOTOGRAPH FOLDER-OF-ALIGNED-FACES [--faces 10 --width 4000 --height 3000 --threads 2 --models DIR --detector NAME --only]
 *
 * `--only` leaves the general networks out: the face stage alone is timed.
 */
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import sharp from 'sharp';
import { decodeRgb } from '../src/cli/bench/pixels.ts';
import { createRegistry, shippedModelsDir } from '../src/models/registry.ts';
import { findFaces } from '../src/pipeline/faces/find.ts';
import { openFaceTools } from '../src/pipeline/faces/tools.ts';
import { createPipeline } from '../src/pipeline/index.ts';
import { DEFAULT_OPTIONS } from '../src/pipeline/options.ts';

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    faces: { type: 'string', default: '10' },
    width: { type: 'string', default: '4000' },
    height: { type: 'string', default: '3000' },
    threads: { type: 'string', default: '2' },
    models: { type: 'string' },
    detector: { type: 'string', default: 'auto' },
    only: { type: 'boolean', default: false },
    picture: { type: 'string' },
  },
});
const [photograph, folder] = positionals;
if (!photograph || !folder) {
  console.error(
    'usage: npx tsx scripts/face-time.ts PHOTOGRAPH FOLDER-OF-ALIGNED-FACES [--faces 10 --width 4000 --height 3000 --threads 2 --only]',
  );
  process.exit(2);
}
const [width, height, count, threads] = [values.width, values.height, values.faces, values.threads].map(Number) as [
  number,
  number,
  number,
  number,
];

/** The photograph at the wanted size, a little noisy from its own enlargement and compression, as phones store it. */
async function paint(faces: number): Promise<Buffer> {
  const names = readdirSync(folder as string)
    .filter((name) => /\.(webp|png)$/.test(name))
    .sort();
  const columns = Math.ceil(Math.sqrt((faces * width) / height));
  const cell = Math.floor(width / columns);
  const layers = [];
  for (let i = 0; i < faces; i++) {
    // Boxes of 120 to 400 px: a face's box is 0.59 of an aligned picture of it.
    const side = Math.min(cell - 20, Math.round((120 + (280 * i) / Math.max(1, faces - 1)) / 0.59));
    const file = readFileSync(join(folder as string, names[Math.floor((i * names.length) / faces)] as string));
    const input = await sharp(file).resize(side, side).removeAlpha().blur(1.5).png().toBuffer();
    layers.push({ input, left: (i % columns) * cell + 10, top: Math.floor(i / columns) * cell + 10 });
  }
  return sharp(readFileSync(photograph as string))
    .resize(width, height, { fit: 'cover' })
    .removeAlpha()
    .composite(layers)
    .jpeg({ quality: 88 })
    .toBuffer();
}

const work = mkdtempSync(join(tmpdir(), 'mingxi-face-time-'));
const models = values.models ? { modelsDir: values.models } : {};
const pipeline = createPipeline({ threads, faceDetector: values.detector, ...models });
const limits = { formats: ['jpg'] as const, minSide: 1, maxSide: 65_535, maxPixels: 1e8, maxBytes: 1e9 };
const through = async (file: Buffer, face: 'auto' | 'only') => {
  const [source, result] = [join(work, 'source'), join(work, 'result')];
  writeFileSync(source, file);
  const [started, before] = [performance.now(), process.cpuUsage()];
  const { report } = await pipeline.restore({ source, result, options: { ...DEFAULT_OPTIONS, format: 'jpg', face }, limits });
  const spent = process.cpuUsage(before);
  return { report, total: Math.round(performance.now() - started), cpu: Math.round((spent.user + spent.system) / 1000) };
};
try {
  const small = await sharp(readFileSync(photograph as string))
    .resize(640, 480, { fit: 'cover' })
    .jpeg()
    .toBuffer();
  // Everything is loaded before anything is timed.
  await through(small, 'auto');
  const [crowd, empty] = [await paint(count), await paint(0)];
  if (values.picture) writeFileSync(values.picture, crowd);
  const mode = values.only ? 'only' : 'auto';
  const faces = await through(crowd, mode);
  const none = await through(empty, 'only');
  const { detector } = await openFaceTools(
    createRegistry({ shippedDir: shippedModelsDir(), ...(values.models ? { importedDir: values.models } : {}) }),
    { faceModel: 'auto', faceDetector: values.detector },
    { threads, provider: 'cpu' },
  );
  const pixels = { ...(await decodeRgb(crowd)), rgb: (await decodeRgb(crowd)).data };
  const finding = [];
  for (let i = 0; i < 3 && detector; i++) {
    const started = performance.now();
    await findFaces(pixels, detector);
    finding.push(Math.round(performance.now() - started));
  }
  await detector?.close();
  const restored = faces.report.faces.filter(({ action }) => action === 'restored').length;
  console.log(
    JSON.stringify({
      ...{
        width,
        height,
        threads,
        mode,
        found: faces.report.faces.length,
        restored,
        total: faces.total,
        cpu: faces.cpu,
        steps: faces.report.timings,
      },
      ...{ finding, withoutFaces: { found: none.report.faces.length, cpu: none.cpu, faceStage: none.report.timings.faces } },
    }),
  );
} finally {
  await pipeline.close();
  rmSync(work, { recursive: true });
}
