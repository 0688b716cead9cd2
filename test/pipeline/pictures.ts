import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import sharp, { type Sharp } from 'sharp';
import type { Pixels } from '../../src/imaging/forms.ts';
import { createPipeline, type Pipeline, type PipelineOptions } from '../../src/pipeline/index.ts';
import { DEFAULT_OPTIONS, DOCUMENTED_LIMITS, type PictureLimits, type RestoreOptions } from '../../src/pipeline/options.ts';
import type { RestoreOutcome } from '../../src/pipeline/report.ts';

export const CITY = readFileSync(join(import.meta.dirname, '..', 'fixtures', 'city.png'));

export interface Samples {
  readonly data: Buffer;
  readonly width: number;
  readonly height: number;
  readonly channels: number;
}

/** Decoded samples as the file holds them, three or four channels. */
export async function samples(file: Buffer | string): Promise<Samples> {
  const { data, info } = await sharp(file, { ignoreIcc: true }).raw().toBuffer({ resolveWithObject: true });
  return { data, width: info.width, height: info.height, channels: info.channels };
}

/** A picture as the pipeline has it. */
export async function pixelsOf(picture: Sharp): Promise<Pixels> {
  const { data, info } = await picture.removeAlpha().toColourspace('srgb').raw().toBuffer({ resolveWithObject: true });
  return { rgb: data, width: info.width, height: info.height };
}

/** PSNR in dB of two sample arrays of equal size. */
export function psnr(a: Uint8Array, b: Uint8Array): number {
  if (a.length !== b.length) throw new Error(`sizes differ: ${a.length} and ${b.length}`);
  let sum = 0;
  for (let i = 0; i < a.length; i++) sum += ((a[i] as number) - (b[i] as number)) ** 2;
  return 10 * Math.log10((255 * 255 * a.length) / Math.max(sum, 1e-9));
}

/** Mulberry32: the same noise on every machine. */
export function seeded(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = Math.imul(state ^ (state >>> 15), state | 1);
    t = (t + Math.imul(t ^ (t >>> 7), t | 61)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  };
}

/** White Gaussian noise of the given sigma on 8-bit samples, clipped and rounded. */
export function noisy(data: Uint8Array, sigma: number, seed: number): Buffer {
  const random = seeded(seed);
  return Buffer.from(
    data.map((value) => {
      const gauss = Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random());
      return Math.min(255, Math.max(0, Math.round(value + sigma * gauss)));
    }),
  );
}

/** A pipeline in this process with a scratch folder: the same one the children run. */
export function openBench(more: Partial<PipelineOptions> = {}): {
  restore(
    file: Buffer,
    options?: Partial<RestoreOptions>,
    limits?: Partial<PictureLimits>,
  ): Promise<{ file: Buffer; outcome: RestoreOutcome }>;
  close(): Promise<void>;
} {
  const dir = mkdtempSync(join(tmpdir(), 'mingxi-pipeline-'));
  const pipeline: Pipeline = createPipeline({ threads: 1, ...more });
  let count = 0;
  return {
    async restore(file, options = {}, limits = {}) {
      const source = join(dir, `${++count}.in`);
      const result = join(dir, `${count}.out`);
      writeFileSync(source, file);
      const outcome = await pipeline.restore({
        source,
        result,
        options: { ...DEFAULT_OPTIONS, ...options },
        limits: { ...DOCUMENTED_LIMITS, ...limits },
      });
      return { file: readFileSync(result), outcome };
    },
    async close() {
      await pipeline.close();
      rmSync(dir, { recursive: true, force: true });
    },
  };
}
