import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import sharp from 'sharp';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { fineStructureOf } from '../../src/imaging/fine-structure.ts';
import { addBack, FORMS, turned } from '../../src/imaging/forms.ts';
import { planTiles } from '../../src/imaging/tiles.ts';
import { Lane } from '../../src/inference/lane.ts';
import { createLanes } from '../../src/inference/lanes.ts';
import { openNetwork } from '../../src/inference/session.ts';
import { doTiles, tileWork } from '../../src/inference/tile-work.ts';
import type { Draft } from '../../src/models/draft.ts';
import { createRegistry, networkFor, shippedModelsDir, tileRuleFor } from '../../src/models/registry.ts';
import { CITY, openBench, samples, seeded } from '../pipeline/pictures.ts';
import { addTestModel } from '../support/imported.ts';
import { multiplier, onnx, repeater } from '../support/onnx.ts';

const ROOT = join(import.meta.dirname, '..', '..');
const UNIT = { layout: 'NCHW', type: 'float32', channels: 'RGB', range: [0, 1] } as const satisfies Draft['input'];
const draft = (scale: Draft['scale'], side?: number): Draft => ({
  ...{ task: 'restore', input: UNIT, scale, licence: 'MIT' },
  tile: { multiple: 8, halo: 16, max: side ?? 128, ...(side ? { size: side } : {}) },
});

const dir = mkdtempSync(join(tmpdir(), 'mingxi-lanes-'));
beforeAll(async () => {
  await addTestModel(dir, 'darker', multiplier({ tensor: UNIT, factors: [0.9, 1, 0.95] }), draft(1));
  await addTestModel(dir, 'fixed', multiplier({ tensor: UNIT, factors: [0.9, 1, 0.95], side: 96 }), draft(1));
  await addTestModel(dir, 'twice', repeater(2), draft(2));
  await addTestModel(dir, 'blind', nanWhereBlack(), draft(1));
});
afterAll(() => rmSync(dir, { recursive: true }));

const registry = () => createRegistry({ shippedDir: shippedModelsDir(), importedDir: dir });
const entryOf = (name: string) => registry().get(name);

/** x²/x: no number where a sample is 0. */
function nanWhereBlack(): Buffer {
  return onnx({
    inputs: [{ name: 'x', shape: [1, 3, 'h', 'w'] }],
    outputs: [{ name: 'y', shape: [1, 3, 'h', 'w'] }],
    nodes: [
      { operator: 'Mul', inputs: ['x', 'x'], output: 'square' },
      { operator: 'Div', inputs: ['square', 'x'], output: 'y' },
    ],
  });
}

/** Random samples from 1 up. */
function grain(width: number, height: number, seed: number) {
  const random = seeded(seed);
  return { rgb: Uint8Array.from({ length: width * height * 3 }, () => 1 + random() * 254), width, height };
}

describe('lanes', () => {
  it.each([1, 2, 5])('%i threads: each tile comes out as one thread alone makes it, twice the same', async (threads) => {
    const entry = entryOf('general');
    const file = networkFor(entry, 'compression');
    const picture = grain(401, 323, threads);
    const conditions = Float32Array.of(0.6, 0.5, 1, 0.1);
    const lanes = createLanes({ threads, provider: 'cpu' });
    const network = await lanes.open(entry, file);
    const seen: number[] = [];
    const result = await network.restore(picture, conditions, { onProgress: (done) => seen.push(done) });
    expect(Buffer.compare(result, await network.restore(picture, conditions))).toBe(0);
    await lanes.close();

    const alone = await openNetwork(entry, file, { threads: 1, provider: 'cpu' });
    const tiles = planTiles(picture.width, picture.height, tileRuleFor(entry, file), Math.min(threads, 4));
    const work = tileWork(picture, tiles, { conditions, forms: ['as-is'] }, 1, 1);
    await doTiles(alone, work);
    await alone.close();
    expect(tiles.length).toBeGreaterThanOrEqual(Math.min(threads, 4));
    expect(Buffer.compare(result, work.result)).toBe(0);
    expect(seen.length).toBeGreaterThan(0);
    expect(seen).toEqual([...seen].sort((a, b) => a - b));
    expect(Math.max(...seen)).toBeLessThanOrEqual(1);
  });

  it.each(['darker', 'fixed'])('an imported network (%s) gets every pixel of every tile', async (name) => {
    const lanes = createLanes({ threads: 2, provider: 'cpu' });
    const entry = entryOf(name);
    const picture = grain(300, 217, 4);
    const result = await (await lanes.open(entry, networkFor(entry, 'noise'))).restore(picture, new Float32Array());
    await lanes.close();
    const expected = picture.rgb.map((value, i) => Math.round(value * ([0.9, 1, 0.95][i % 3] as number)));
    expect(result.every((value, i) => Math.abs(value - (expected[i] as number)) <= 1)).toBe(true);
  });

  it.each([1, 2, 3])('%i threads: a look sees what this thread would see, in the array that is restored after it', async (threads) => {
    const lanes = createLanes({ threads, provider: 'cpu' });
    const picture = grain(333, 217, 6);
    const shared = { ...picture, rgb: lanes.share(picture.rgb) };
    expect(shared.rgb === picture.rgb).toBe(threads === 1);
    expect(lanes.share(shared.rgb)).toBe(shared.rgb);
    expect(Buffer.compare(shared.rgb, picture.rgb)).toBe(0);
    expect(await lanes.look(shared)).toEqual(fineStructureOf(picture.rgb, picture.width, picture.height));
    const entry = entryOf('darker');
    const network = await lanes.open(entry, networkFor(entry, 'noise'));
    const both = [await network.restore(shared, new Float32Array()), await network.restore(picture, new Float32Array())] as const;
    await lanes.close();
    expect(Buffer.compare(...both)).toBe(0);
    expect(Buffer.compare(shared.rgb, picture.rgb)).toBe(0);
  });

  it('in several forms every pixel is the mean of what the network makes of it in each', async () => {
    const lanes = createLanes({ threads: 2, provider: 'cpu' });
    const entry = entryOf('general');
    const file = networkFor(entry, 'noise');
    const network = await lanes.open(entry, file);
    const picture = grain(64, 48, 8);
    const conditions = Float32Array.of(0.1, 0.1, 0.3, 0.3);
    const forms = ['as-is', 'x', 't', 'xyt'] as const;
    const result = await network.restore(picture, conditions, { forms });
    const sums = new Uint16Array(picture.rgb.length);
    for (const form of forms) {
      const { rgb, width, height } = turned(picture, form);
      addBack(sums, { rgb: await network.run(rgb, width, height, conditions), width, height }, form);
    }
    await lanes.close();
    expect([...result]).toEqual([...sums].map((sum) => Math.floor((sum + 2) / 4)));
  });

  it('enlarging, in every form: each pixel comes to its place', async () => {
    const lanes = createLanes({ threads: 1, provider: 'cpu' });
    const entry = entryOf('twice');
    const network = await lanes.open(entry, networkFor(entry, 'noise'));
    const picture = grain(72, 56, 9);
    const plain = await network.restore(picture, new Float32Array());
    const result = await network.restore(picture, new Float32Array(), { forms: FORMS });
    await lanes.close();
    expect(Buffer.compare(result, plain)).toBe(0);
  });

  it('enlarging: every lane writes its own part', async () => {
    const lanes = createLanes({ threads: 2, provider: 'cpu' });
    const entry = entryOf('twice');
    const picture = grain(203, 150, 5);
    const result = await (await lanes.open(entry, networkFor(entry, 'noise'))).restore(picture, new Float32Array());
    await lanes.close();
    expect(result.length).toBe(picture.rgb.length * 4);
    const wrong = result.findIndex((value, i) => {
      const [x, y] = [Math.floor(i / 3) % 406, Math.floor(i / 3 / 406)];
      return value !== picture.rgb[((y >> 1) * 203 + (x >> 1)) * 3 + (i % 3)];
    });
    expect(wrong).toBe(-1);
  });

  it('a file with two lanes is the file of every other run with two lanes', async () => {
    const source = await sharp(CITY).jpeg({ quality: 20 }).toBuffer();
    const files: Buffer[] = [];
    for (let i = 0; i < 2; i++) {
      const bench = openBench({ threads: 2 });
      files.push((await bench.restore(source, { format: 'png' })).file);
      await bench.close();
    }
    expect(Buffer.compare(files[0] as Buffer, files[1] as Buffer)).toBe(0);
    expect((await samples(files[0] as Buffer)).width).toBe((await samples(source)).width);
  });
});

describe('failures', () => {
  it('a tile that fails in any lane fails the picture with its own words, and the next picture succeeds', async () => {
    const lanes = createLanes({ threads: 2, provider: 'cpu' });
    const entry = entryOf('blind');
    const network = await lanes.open(entry, networkFor(entry, 'noise'));
    const picture = grain(300, 300, 6);
    // One corner each: whichever lane takes that tile must be heard.
    for (const at of [0, picture.rgb.length - 3]) {
      const broken = { ...picture, rgb: picture.rgb.with(at, 0) };
      await expect(network.restore(broken, new Float32Array())).rejects.toMatchObject({
        kind: 'PROCESS_ERROR',
        message: 'The model blind gave values that are no finite numbers for this picture.',
      });
    }
    const whole = await network.restore(picture, new Float32Array());
    await lanes.close();
    expect(whole.every((value, i) => Math.abs(value - (picture.rgb[i] as number)) <= 1)).toBe(true);
  });

  it('a network that cannot be opened is refused with the reason, and the lanes still open others', async () => {
    const lanes = createLanes({ threads: 2, provider: 'cpu' });
    const entry = entryOf('darker');
    const file = { ...networkFor(entry, 'noise'), sha256: '0'.repeat(64) };
    await expect(lanes.open(entry, file)).rejects.toMatchObject({
      kind: 'PROCESS_ERROR',
      message: expect.stringContaining('is not the file its manifest names'),
    });
    const network = await lanes.open(entry, networkFor(entry, 'noise'));
    const result = await network.restore(grain(200, 200, 7), new Float32Array());
    await lanes.close();
    expect(result.length).toBe(200 * 200 * 3);
  });

  it('a lane whose thread ends answers what it was asked with an error, and everything after it', async () => {
    const lane = new Lane({ threads: 1, provider: 'cpu' }, join(import.meta.dirname, 'threads', 'dying.ts'));
    const entry = entryOf('darker');
    const open = { type: 'open', key: 'darker', entry, file: networkFor(entry, 'noise') } as const;
    const asked = [lane.ask(open), lane.ask(open)];
    for (const one of asked)
      await expect(one).rejects.toMatchObject({
        kind: 'PROCESS_ERROR',
        message: 'The restoration of this picture failed.',
        cause: 'lane ended with status 3',
      });
    expect(lane.gone).toBe(true);
    await expect(lane.ask(open)).rejects.toMatchObject({ kind: 'PROCESS_ERROR' });
    await lane.close();
  });
});

describe('a network beside this thread', () => {
  const black = grain(64, 64, 3);
  const broken = black.rgb.with(0, 0);
  const fileOf = (name: string) => networkFor(entryOf(name), 'noise');

  it.each([1, 2])('%i threads: this thread goes on while it runs, and what it refuses is refused in its words', async (threads) => {
    const lanes = createLanes({ threads, provider: 'cpu' });
    const network = await lanes.openAside(entryOf('blind'), fileOf('blind'));
    const runs = [black.rgb, broken, black.rgb].map((rgb) => network.run(rgb, 64, 64, new Float32Array()));
    const [first, second, third] = await Promise.allSettled(runs);
    await lanes.close();
    expect(second).toMatchObject({
      status: 'rejected',
      reason: { kind: 'PROCESS_ERROR', message: expect.stringContaining('no finite numbers') },
    });
    for (const each of [first, third]) expect(each).toEqual({ status: 'fulfilled', value: black.rgb });
  });

  it('a file that is not the one its manifest names is refused, and the lanes still open others', async () => {
    const lanes = createLanes({ threads: 2, provider: 'cpu' });
    const file = { ...fileOf('darker'), sha256: '0'.repeat(64) };
    await expect(lanes.openAside(entryOf('darker'), file)).rejects.toMatchObject({
      kind: 'PROCESS_ERROR',
      message: expect.stringContaining('is not the file its manifest names'),
    });
    const network = await lanes.openAside(entryOf('darker'), fileOf('darker'));
    expect((await network.run(black.rgb, 64, 64, new Float32Array())).length).toBe(black.rgb.length);
    await lanes.close();
  });

  it('a lane that is lost fails the run it was at; the next one runs here', async () => {
    const lanes = createLanes({ threads: 2, provider: 'cpu' }, join(import.meta.dirname, 'threads', 'dying-at-run.ts'));
    const network = await lanes.openAside(entryOf('blind'), fileOf('blind'));
    await expect(network.run(black.rgb, 64, 64, new Float32Array())).rejects.toMatchObject({
      kind: 'PROCESS_ERROR',
      cause: 'lane ended with status 3',
    });
    expect(await network.run(black.rgb, 64, 64, new Float32Array())).toEqual(black.rgb);
    await lanes.close();
  });
});

describe('a process with lanes', () => {
  it.each([
    ['closed', 'await lanes.close();'],
    ['left idle', ''],
  ])('ends by itself and in peace when they are %s', (_, ending) => {
    const program = `
      import { createLanes } from './build-test/inference/lanes.js';
      import { createRegistry, networkFor, shippedModelsDir, tileRuleFor } from './build-test/models/registry.js';
      const entry = createRegistry({ shippedDir: shippedModelsDir() }).get('general');
      const lanes = createLanes({ threads: 2, provider: 'cpu' });
      const network = await lanes.open(entry, networkFor(entry, 'noise'));
      const rgb = new Uint8Array(300 * 200 * 3);
      const result = await network.restore({ rgb, width: 300, height: 200 }, new Float32Array(4));
      ${ending}
      console.log(result.length);
    `;
    const { status, signal, stdout, stderr } = spawnSync(process.execPath, ['--input-type=module', '-e', program], { cwd: ROOT });
    expect({ status, signal, stdout: String(stdout), stderr: String(stderr) }).toEqual({
      status: 0,
      signal: null,
      stdout: '180000\n',
      stderr: '',
    });
  });
});
