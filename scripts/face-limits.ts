/**
 * The data behind `FACE_LIMITS`: validation faces (every twentieth of the sorted list, never trained on)
 * degraded in known ways at several sizes, restored by the shipped network as the pipeline does it.
 * One JSON line each: how clear the face was, what the restoration moved, what it gained.
 *
 *     npx tsx scripts/face-limits.ts FOLDER-OF-ALIGNED-FACES [--every 60 --models DIR --face NAME --detector NAME] > limits.jsonl
 */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import sharp, { type Sharp } from 'sharp';
import { alignFace } from '../src/imaging/faces/align.ts';
import { blendFace } from '../src/imaging/faces/blend.ts';
import { clarityOf } from '../src/imaging/faces/clarity.ts';
import { matchColours, slowChange } from '../src/imaging/faces/colour-match.ts';
import { colourShift, pointsMoved, structureLikeness } from '../src/imaging/faces/guard.ts';
import { faceMask } from '../src/imaging/faces/mask.ts';
import { FACE_SIDE } from '../src/imaging/faces/template.ts';
import { createRegistry, shippedModelsDir } from '../src/models/registry.ts';
import { pointsOf } from '../src/pipeline/faces/find.ts';
import { openFaceTools } from '../src/pipeline/faces/tools.ts';

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    every: { type: 'string', default: '60' },
    models: { type: 'string' },
    face: { type: 'string', default: 'auto' },
    detector: { type: 'string', default: 'auto' },
  },
});
const [folder] = positionals;
if (!folder) {
  console.error('usage: npx tsx scripts/face-limits.ts FOLDER-OF-ALIGNED-FACES [--every 60 --models DIR --face NAME --detector NAME]');
  process.exit(2);
}

/** What happens to a face at its own size. */
const HARM: Readonly<Record<string, (face: Sharp, random: () => number) => Promise<Buffer> | Sharp>> = {
  clean: (face) => face,
  'noise 1': (face, random) => noisy(face, 1, random),
  'noise 2': (face, random) => noisy(face, 2, random),
  'noise 4': (face, random) => noisy(face, 4, random),
  'noise 12': (face, random) => noisy(face, 12, random),
  'blur 0.7': (face) => face.blur(0.7),
  'blur 1': (face) => face.blur(1),
  'blur 2': (face) => face.blur(2),
  'blur 5': (face) => face.blur(5),
  'jpeg 95': (face) => face.jpeg({ quality: 95 }).toBuffer(),
  'jpeg 70': (face) => face.jpeg({ quality: 70 }).toBuffer(),
  'jpeg 30': (face) => face.jpeg({ quality: 30 }).toBuffer(),
  'blur 1.5, noise 6, jpeg 60': async (face, random) =>
    sharp(await (await sharp(await noisy(face.blur(1.5), 6, random))).toBuffer())
      .jpeg({ quality: 60 })
      .toBuffer(),
};
const SIZES = [512, 256, 128] as const;

async function noisy(face: Sharp, sigma: number, random: () => number): Promise<Buffer> {
  const { data, info } = await face.removeAlpha().raw().toBuffer({ resolveWithObject: true });
  const gauss = () => Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random());
  const out = data.map((value) => Math.min(255, Math.max(0, Math.round(value + sigma * gauss()))));
  return sharp(out, { raw: { width: info.width, height: info.height, channels: 3 } })
    .png()
    .toBuffer();
}

const pixels = async (file: Buffer | Sharp) =>
  new Uint8Array(await (Buffer.isBuffer(file) ? sharp(file) : file).removeAlpha().toColourspace('srgb').raw().toBuffer());

/** PSNR within the oval. */
function psnr(one: Uint8Array, other: Uint8Array, side: number): number {
  let [sum, count] = [0, 0];
  for (let i = 0; i < one.length; i++) {
    const pixel = Math.floor(i / 3);
    const weight = faceMask((((pixel % side) + 0.5) * FACE_SIDE) / side, ((Math.floor(pixel / side) + 0.5) * FACE_SIDE) / side);
    sum += weight * ((one[i] as number) - (other[i] as number)) ** 2;
    count += weight;
  }
  return 10 * Math.log10((255 * 255) / Math.max(sum / count, 1e-4));
}

const registry = createRegistry({ shippedDir: shippedModelsDir(), ...(values.models ? { importedDir: values.models } : {}) });
const tools = await openFaceTools(registry, { faceModel: values.face, faceDetector: values.detector }, { threads: 1, provider: 'cpu' });
if (!tools.restorer) throw new Error('there is no face network');
const files = readdirSync(folder)
  .filter((name) => /\.(webp|png)$/.test(name))
  .sort()
  .filter((_, i) => i % Number(values.every) === 0);
let state = 1;
const random = () => {
  state = (Math.imul(state, 1103515245) + 12345) >>> 0;
  return state / 2 ** 32;
};
const short = (value: number) => Math.round(value * 1000) / 1000;

for (const name of files) {
  for (const side of SIZES) {
    const clean = await sharp(readFileSync(join(folder, name)))
      .resize(side, side, { kernel: 'lanczos3' })
      .png()
      .toBuffer();
    const truth = await pixels(clean);
    for (const [harm, apply] of Object.entries(HARM)) {
      const source = await pixels(await apply(sharp(clean), random));
      const toFace = { a: FACE_SIDE / side, b: 0, x0: 0, y0: 0 };
      const face = alignFace(source, side, side, toFace);
      const restored = await tools.restorer.network.run(face, FACE_SIDE, FACE_SIDE, new Float32Array());
      const change = Float32Array.from(restored, (value, i) => value - (face[i] as number));
      const slow = slowChange(change);
      const results = [false, true].map((matched) => {
        const mixed = change.slice();
        if (matched) matchColours(mixed, slow);
        const out = source.slice();
        blendFace(out, side, side, { change: mixed, toFace, amount: 1 }, []);
        return out;
      });
      const square = (rgb: Uint8Array) => ({ rgb, width: FACE_SIDE, height: FACE_SIDE });
      const [before, after] = tools.detector
        ? [await pointsOf(square(face), tools.detector), await pointsOf(square(restored), tools.detector)]
        : [];
      const { noise, blur } = clarityOf(source, side, side, [0.2 * side, 0.26 * side, 0.59 * side]);
      const input = psnr(source, truth, side);
      console.log(
        JSON.stringify({
          ...{ name, side, harm, noise: short(noise), blur, input: short(input) },
          ...{
            gain: short(psnr(results[1] as Uint8Array, truth, side) - input),
            unmatched: short(psnr(results[0] as Uint8Array, truth, side) - input),
          },
          ...{ colour: short(colourShift(slow)), structure: short(structureLikeness(face, restored)) },
          points: before && after ? short(pointsMoved(before, after)) : before ? 'lost' : null,
        }),
      );
    }
  }
}
