import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import sharp from 'sharp';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Draft } from '../../src/models/draft.ts';
import { contradiction } from '../../src/models/manifest.ts';
import { createPipeline, type Pipeline, type PipelineOptions } from '../../src/pipeline/index.ts';
import { DEFAULT_OPTIONS, DOCUMENTED_LIMITS, type RestoreOptions, type RestoreTask } from '../../src/pipeline/options.ts';
import { addTestModel } from '../support/imported.ts';
import { multiplier } from '../support/onnx.ts';
import { CITY, noisy, psnr, samples } from './pictures.ts';

const dir = mkdtempSync(join(tmpdir(), 'mingxi-tiers-'));
const pipelines: Pipeline[] = [];
const open = (options: Partial<PipelineOptions> = {}) => {
  const pipeline = createPipeline({ threads: 1, modelsDir: join(dir, 'models'), ...options });
  pipelines.push(pipeline);
  return pipeline;
};
afterAll(async () => {
  for (const pipeline of pipelines) await pipeline.close();
  rmSync(dir, { recursive: true });
});

interface Given {
  readonly pipeline?: Pipeline;
  readonly options?: Partial<RestoreOptions>;
  readonly time?: RestoreTask['time'];
}

const UNIT = { layout: 'NCHW', type: 'float32', channels: 'RGB', range: [0, 1] } as const satisfies Draft['input'];
/** A network that somebody registered as the fast tier of `general`. */
const HASTY: Draft = {
  ...{ task: 'restore', input: UNIT, scale: 1, licence: 'MIT' },
  tile: { multiple: 8, halo: 16, max: 128 },
  tier: { of: 'general', level: 'fast' },
};
const ordinary = open();
let count = 0;

async function restore(file: Buffer, { pipeline = ordinary, options = {}, time }: Given = {}) {
  const [source, result] = [join(dir, `${++count}.in`), join(dir, `${count}.out`)];
  writeFileSync(source, file);
  const { report, work } = await pipeline.restore({
    ...{ source, result, limits: DOCUMENTED_LIMITS },
    options: { ...DEFAULT_OPTIONS, format: 'png', face: 'off', ...options },
    ...(time ? { time } : {}),
  });
  return { data: (await samples(readFileSync(result))).data, report, work };
}

const compressed = (quality: number) => sharp(CITY).jpeg({ quality }).toBuffer();
let original: Buffer;
let grainy: Buffer;
beforeAll(async () => {
  await addTestModel(join(dir, 'models'), 'hasty', multiplier({ tensor: UNIT, factors: [0.9, 1, 0.95] }), HASTY);
  const { data, width, height } = await samples(CITY);
  original = data;
  grainy = await sharp(noisy(data, 25, 1), { raw: { width, height, channels: 3 } })
    .png()
    .toBuffer();
});

describe('named tiers', () => {
  it.each([
    ['compressed', () => compressed(10)],
    ['noisy', async () => grainy],
  ])('%s: the best one is better than the default one', async (_, make) => {
    const file = await make();
    const input = psnr((await samples(file)).data, original);
    const of = async (model: string) => {
      const { data, report } = await restore(file, { options: { model } });
      expect(report).toMatchObject({ model, choice: 'asked for by name' });
      return psnr(data, original);
    };
    const [general, best] = [await of('general'), await of('general-best')];
    expect(general).toBeGreaterThan(input + 0.3);
    expect(best).toBeGreaterThan(general);
  });

  it.each([
    ['compressed', () => compressed(10), 0.3],
    ['noisy', async () => grainy, 6],
  ])('%s: the fast one that is shipped is better than nothing, and the default one than it', async (_, make, gain) => {
    const file = await make();
    const input = psnr((await samples(file)).data, original);
    const of = async (model: string) => psnr((await restore(file, { options: { model } })).data, original);
    const [fast, general] = [await of('general-fast'), await of('general')];
    expect(fast).toBeGreaterThan(input + gain);
    expect(general).toBeGreaterThan(fast);
  });

  it('say their work in units of the default one, for whoever estimates times; an imported network says nothing', async () => {
    const file = await compressed(20);
    const run = async (model: string) => restore(file, { options: { model } });
    expect([(await run('general')).work, (await run('general-best')).work, (await run('hasty')).work]).toEqual([1, 8, undefined]);
    expect((await run('general-fast')).work).toBeCloseTo(0.32, 2);
  });

  it('run in the precision of the networks they use', async () => {
    const file = await compressed(20);
    for (const precision of ['fp32', 'int8'] as const) {
      const { report } = await restore(file, { pipeline: open({ precision }), options: { model: 'general-best' } });
      expect(report).toMatchObject({ model: 'general-best', precision });
    }
  });
});

describe('auto', () => {
  it('is the default network where time is not limited, not known, or does', async () => {
    const file = await compressed(10);
    const plain = await restore(file);
    expect(plain.report).toMatchObject({ model: 'general', choice: 'the default' });
    for (const time of [
      { left: 10, expected: 9.9 },
      { left: 1000, expected: 1 },
    ]) {
      const timed = await restore(file, { time });
      expect(timed.report).toMatchObject({ model: 'general', choice: 'the default' });
      expect(timed.data.equals(plain.data)).toBe(true);
    }
  });

  it('is the fast one where the default would take longer than what is left, and says so', async () => {
    const file = await compressed(10);
    const { report, data } = await restore(file, { time: { left: 2, expected: 5.25 } });
    expect(report).toMatchObject({
      model: 'hasty',
      choice: 'fast: the default network would take about 5.3 s, 2.0 s are left',
    });
    const named = await restore(file, { options: { model: 'hasty' } });
    expect(data.equals(named.data)).toBe(true);
  });

  it('without an imported one, the fast one is the shipped one', async () => {
    const pipeline = open({ modelsDir: join(dir, 'none') });
    const { report } = await restore(await compressed(10), { pipeline, time: { left: 2, expected: 5.25 } });
    expect(report).toMatchObject({ model: 'general-fast', choice: expect.stringMatching(/^fast: /) });
  });

  it('a soft picture goes to the fast one as well, and a clean one, of which nothing is to be said, to none', async () => {
    const pipeline = open({ modelsDir: join(dir, 'none') });
    const short = { pipeline, time: { left: 2, expected: 5.25 } };
    const { report } = await restore(await sharp(CITY).blur(1.6).png().toBuffer(), short);
    expect(report).toMatchObject({
      model: 'general-fast',
      choice: expect.stringMatching(/^fast: /),
      gate: { reason: expect.stringMatching(/^soft/) },
    });
    const clean = readFileSync(join(import.meta.dirname, '..', 'fixtures', 'cactus.png'));
    const copied = await restore(clean, short);
    expect(copied.report).toMatchObject({ model: null, gate: { action: 'copy' } });
    expect(copied.report.choice).toBeUndefined();
    expect(copied.data.equals((await samples(clean)).data)).toBe(true);
  });

  it('in a hurry a compressed picture is not looked at for blur, unless its network was asked for by name', async () => {
    const pipeline = open({ modelsDir: join(dir, 'none') });
    const file = await sharp(CITY).blur(1.6).jpeg({ quality: 60 }).toBuffer();
    const hurried = { pipeline, time: { left: 2, expected: 5.25 } };
    const [short, ample, named] = [
      await restore(file, hurried),
      await restore(file, { pipeline, time: { left: 9, expected: 5.25 } }),
      await restore(file, { ...hurried, options: { model: 'general' } }),
    ];
    expect(short.report.gate.reason).not.toMatch(/soft/);
    expect(short.report.deblurred).toBeUndefined();
    for (const { report } of [ample, named]) expect(report).toMatchObject({ model: 'general', deblurred: expect.any(Number) });
    expect(ample.data.equals(named.data)).toBe(true);
  });

  it('what was asked for by name stays, however little time there is', async () => {
    const { report } = await restore(grainy, { options: { model: 'general' }, time: { left: 0.1, expected: 60 } });
    expect(report).toMatchObject({ model: 'general', choice: 'asked for by name' });
  });

  it('says nothing where no network ran', async () => {
    for (const given of [{ options: { strength: 0 } }, { options: { face: 'only' as const } }]) {
      const { report } = await restore(await compressed(10), given);
      expect(report.model).toBeNull();
      expect(report.choice).toBeUndefined();
    }
  });

  describe('with the best tier allowed', () => {
    const pipeline = open({ autoBest: true });

    it.each<[string, () => Promise<Buffer>, RestoreTask['time'], string, RegExp]>([
      ['no limit of time', () => compressed(10), undefined, 'general-best', /best: the time is not limited/],
      ['ample time', async () => grainy, { left: 100, expected: 1 }, 'general-best', /best: 100\.0 s are left/],
      ['enough time, but not ample', () => compressed(10), { left: 15, expected: 1 }, 'general', /the default/],
      ['too little time for the default', () => compressed(10), { left: 1, expected: 2 }, 'hasty', /fast/],
      ['damage that nobody sees', () => compressed(92), undefined, 'general', /the default/],
    ])('%s', async (_, make, time, model, choice) => {
      const { report } = await restore(await make(), { pipeline, ...(time ? { time } : {}) });
      expect(report).toMatchObject({ model, choice: expect.stringMatching(choice) });
    });
  });

  it('no network of another scale or for faces is a tier', async () => {
    for (const wrong of [{ scale: 2 as const }, { task: 'face' as const, tile: { multiple: 8, halo: 0, max: 512, size: 512 } }])
      expect(contradiction({ ...HASTY, ...wrong })).toMatch(/^tier: expected none with/);
  });

  it('a default network without tiers stands alone', async () => {
    const pipeline = open({ defaultModel: 'general-best', autoBest: true });
    const { report } = await restore(await compressed(10), { pipeline, time: { left: 1, expected: 60 } });
    expect(report).toMatchObject({ model: 'general-best', choice: 'the default' });
  });
});
