/**
 * What the face stage gains over the general network, face by face: validation faces (every twentieth of
 * the sorted list, never trained on) as files with mixed harm at their own size, through the pipeline
 * without the face stage, then restored and blended as the stage does it. One JSON line each; the same
 * draws for every network, so two files of lines can be compared. `--summary` reads such lines and
 * prints the shares of faces on which the stage is better and no worse than the general network, with every face
 * restored in full and with the present rule (`imaging/faces/amount.ts`).
 *
 *     npx tsx scripts/face-gain.ts FOLDER-OF-ALIGNED-FACES [--step 20 --every 1 --from 0 --models DIR --face NAME] > gain.jsonl
 *     npx tsx scripts/face-gain.ts --summary gain.jsonl
 *
 * `--pictures DIR` also writes what was sent, the truth, the general network's result and the stage's (by the rules) of
 * every face that the stage changes, for `training/face_stage.py`, which takes FSIM of them.
 */
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import sharp from 'sharp';
import { psnr, ssim } from '../src/cli/bench/metrics.ts';
import { decodeRgb, encodePng, type Pixels } from '../src/cli/bench/pixels.ts';
import { seededRandom, seedOf } from '../src/cli/bench/random.ts';
import { blockinessOf } from '../src/imaging/blockiness.ts';
import { faceAmount } from '../src/imaging/faces/amount.ts';
import { blendFace } from '../src/imaging/faces/blend.ts';
import { clarityOf, isClear } from '../src/imaging/faces/clarity.ts';
import { FACE_LIMITS } from '../src/imaging/faces/limits.ts';
import { FACE_SIDE, FACE_TEMPLATE, type FivePoints } from '../src/imaging/faces/template.ts';
import { isGrey } from '../src/imaging/grey.ts';
import { rawNoiseSigma } from '../src/imaging/noise.ts';
import { createRegistry, shippedModelsDir } from '../src/models/registry.ts';
import { restoreFace } from '../src/pipeline/faces/restore-face.ts';
import { openFaceTools } from '../src/pipeline/faces/tools.ts';
import { createPipeline } from '../src/pipeline/index.ts';
import { DEFAULT_OPTIONS } from '../src/pipeline/options.ts';
import { BLOCKS_SURE, CLEAN_QUALITY } from '../src/pipeline/steps/gate.ts';
import { degraded, type Plan, planOf } from './face-harm.ts';

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    from: { type: 'string', default: '0' },
    every: { type: 'string', default: '1' },
    models: { type: 'string' },
    face: { type: 'string', default: 'auto' },
    pictures: { type: 'string' },
    step: { type: 'string', default: '20' },
    summary: { type: 'boolean', default: false },
  },
});
const [place] = positionals;
if (!place) {
  console.error(
    'usage: npx tsx scripts/face-gain.ts FOLDER-OF-ALIGNED-FACES [--step 20 --every 1 --from 0 --models DIR --face NAME] | --summary LINES',
  );
  process.exit(2);
}

/** To a millionth: on lightly harmed faces SSIM moves by less than a ten-thousandth. */
const short = (value: number) => Math.round(value * 1e6) / 1e6;
const DRAWS = ['light', 'light', 'portrait'] as const;

async function measure(folder: string): Promise<void> {
  const work = mkdtempSync(join(tmpdir(), 'mingxi-gain-'));
  const registry = createRegistry({ shippedDir: shippedModelsDir(), ...(values.models ? { importedDir: values.models } : {}) });
  const choice = { faceModel: values.face, faceDetector: 'none' };
  const { restorer } = await openFaceTools(registry, choice, { threads: 1, provider: 'cpu' });
  if (!restorer) throw new Error('there is no face network');
  const pipeline = createPipeline({ threads: 1, faceModel: 'none', faceDetector: 'none' });
  const limits = { formats: ['jpg', 'png'] as const, minSide: 1, maxSide: 4096, maxPixels: 1e7, maxBytes: 1e8 };
  const general = async (file: Buffer) => {
    const [source, result] = [join(work, 'source'), join(work, 'result')];
    writeFileSync(source, file);
    const { report } = await pipeline.restore({ source, result, options: { ...DEFAULT_OPTIONS, format: 'png', face: 'off' }, limits });
    return { report, ...(await decodeRgb(readFileSync(result))) };
  };
  const files = readdirSync(folder)
    .filter((name) => /\.(webp|png)$/.test(name))
    .sort()
    .filter((_, i) => i % Number(values.step) === 0)
    .filter((_, i) => i % Number(values.every) === Number(values.from));
  for (const name of files) {
    const face = await sharp(readFileSync(join(folder, name)))
      .resize(FACE_SIDE, FACE_SIDE)
      .removeAlpha()
      .toColourspace('srgb')
      .png()
      .toBuffer();
    for (const [draw, kind] of DRAWS.entries()) {
      const seed = seedOf(`${name} ${draw}`);
      const plan = planOf(kind, seededRandom(seed));
      const { file, truth } = await degraded(face, plan, seed ^ 0x5eed);
      const picture = await decodeRgb(file);
      const { width, height, data: rgb } = picture;
      const plain = await general(file);
      const toFace = { a: FACE_SIDE / width, b: 0, x0: 0, y0: 0 };
      const points = FACE_TEMPLATE.map(([u, v]) => [u / toFace.a, v / toFace.a]) as unknown as FivePoints;
      const order = { source: { rgb, width, height }, shown: { rgb: plain.data, width, height }, toFace, points };
      const restored = await restoreFace({ ...order, network: restorer.network, detector: undefined, grey: isGrey(rgb) });
      const change = 'change' in restored ? restored.change : undefined;
      const box = [0.2 * width, 0.26 * height, 0.59 * width] as const;
      const seen = {
        ...{ box: Math.round(box[2]), quality: plain.report.analysis.jpegQuality, gate: plain.report.gate.action },
        earlier: plain.report.analysis.earlierJpegQuality ?? null,
        ...{
          blocks: blockinessOf(rgb, width, height).standsOut,
          most: 'most' in restored ? short(restored.most) : 1,
          size: 'size' in restored ? short(restored.size) : 0,
          sigma: short(rawNoiseSigma(rgb, width, height)),
          ...clarityOf(rgb, width, height, box),
        },
      };
      const row = {
        name,
        ...plan,
        seen: { ...seen, noise: short(seen.noise) },
        input: [short(psnr(picture, truth)), short(ssim(picture, truth))],
      };
      const results: Record<string, readonly [number, number]> = { '0': [short(psnr(plain, truth)), short(ssim(plain, truth))] };
      for (const amount of change ? [0.25, 0.5, 0.75, 1] : []) {
        const out = Uint8Array.from(plain.data);
        blendFace(out, width, height, { change: change as Float32Array, toFace, amount }, []);
        const blended: Pixels = { width, height, channels: 3, data: out };
        results[amount] = [short(psnr(blended, truth)), short(ssim(blended, truth))];
      }
      const line: Line = { kind: plan.kind, seen: row.seen, results };
      if (values.pictures && change && amountOf(line) > 0) {
        const out = Uint8Array.from(plain.data);
        blendFace(out, width, height, { change, toFace, amount: amountOf(line) }, []);
        const shown = { input: picture, truth, general: plain, stage: { width, height, channels: 3, data: out } } as const;
        const place = join(values.pictures, `${plan.kind}-${draw}-${name.replace(/\.\w+$/, '')}`);
        for (const [what, pixels] of Object.entries(shown)) writeFileSync(`${place}-${what}.png`, await encodePng(pixels));
      }
      console.log(JSON.stringify({ ...row, results, ...('reason' in restored ? { reason: restored.reason } : {}) }));
    }
  }
  await pipeline.close();
  await restorer.network.close();
  rmSync(work, { recursive: true });
}

interface Line {
  readonly kind: Plan['kind'];
  readonly seen: {
    readonly box: number;
    readonly quality: number | null;
    /** Quality of an earlier compression. */
    readonly earlier: number | null;
    /** How far coding blocks stand out. */
    readonly blocks: number;
    /** What the grain allows. */
    readonly noise: number;
    readonly blur: number;
    readonly most: number;
    /** Of the change, see `FACE_LIMITS.change`. */
    readonly size: number;
  };
  /** PSNR and SSIM by amount; null for a PSNR beyond all numbers. */
  readonly results: Readonly<Record<string, readonly [number | null, number]>>;
}

/** What the pipeline does with such a face by its present rules: 0 where it is left alone. */
function amountOf({ seen }: Line): number {
  const compressed = (seen.quality !== null && seen.quality < CLEAN_QUALITY) || seen.earlier !== null || seen.blocks >= BLOCKS_SURE;
  if (!compressed && isClear(seen, seen.box)) return 0;
  if (seen.size < FACE_LIMITS.change) return 0;
  return Math.min(seen.most, faceAmount(seen, compressed));
}

/** PSNR (by way of the error, which is what adds up) and SSIM at an amount between two that were measured. */
function at(amount: number, { results }: Line): readonly [psnr: number, ssim: number] {
  const known = Object.keys(results)
    .map(Number)
    .sort((one, other) => one - other);
  const upper = known.find((each) => each >= amount) ?? 1;
  const lower = known.findLast((each) => each <= amount) ?? 0;
  const part = upper === lower ? 0 : (amount - lower) / (upper - lower);
  const [a, b] = [results[lower], results[upper]].map((pair) => [10 ** (-(pair?.[0] ?? 99) / 10), pair?.[1] ?? 1]) as [
    [number, number],
    [number, number],
  ];
  return [-10 * Math.log10(a[0] + part * (b[0] - a[0])), a[1] + part * (b[1] - a[1])];
}

/** Shares of faces no worse than by the general network, mean and worst difference: with every face in full, and by the rules. */
function summarize(file: string): void {
  const lines = readFileSync(file, 'utf8')
    .split('\n')
    .filter(Boolean)
    .map((line) => JSON.parse(line) as Line);
  console.log('| harm (faces) | blended in | measure | better | no worse | mean | worst |\n| --- | --- | --- | --- | --- | --- | --- |');
  for (const kind of ['light', 'portrait', 'all'] as const) {
    const chosen = lines.filter((line) => kind === 'all' || line.kind === kind).filter((line) => amountOf(line) > 0 && '1' in line.results);
    for (const [name, rule] of [
      ['all', () => 1],
      ['by the rules', amountOf],
    ] as const) {
      for (const [which, measure, within] of [
        [0, 'PSNR', 0.005],
        [1, 'SSIM', 5e-5],
      ] as const) {
        const gains = chosen.map((line) => at(rule(line), line)[which] - at(0, line)[which]);
        const part = (least: number) => `${Math.round((100 * gains.filter((gain) => gain > least).length) / gains.length)} %`;
        const mean = gains.reduce((a, b) => a + b, 0) / gains.length;
        const digits = which === 0 ? 2 : 4;
        console.log(
          `| ${kind} (${chosen.length}) | ${name} | ${measure} | ${part(0)} | ${part(-within)} | ${mean.toFixed(digits)} | ${Math.min(...gains).toFixed(digits)} |`,
        );
      }
    }
  }
}

await (values.summary ? summarize(place) : measure(place));
