import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import sharp from 'sharp';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Draft } from '../../src/models/draft.ts';
import { presetDraft } from '../../src/models/presets.ts';
import { addTestModel } from '../support/imported.ts';
import { faceNetwork, multiplier, onnx, repeater } from '../support/onnx.ts';
import { CITY, openBench, samples } from './pictures.ts';

const dir = mkdtempSync(join(tmpdir(), 'mingxi-imported-'));
const TILE = { multiple: 8, halo: 16, max: 128 };
const restorer = (input: Draft['input'], more: Partial<Draft> = {}): Draft => ({
  ...{ task: 'restore', input, scale: 1, tile: TILE, licence: 'MIT' },
  ...more,
});
const UNIT = { layout: 'NCHW', type: 'float32', channels: 'RGB', range: [0, 1] } as const satisfies Draft['input'];
const SIGNED_BGR = { ...UNIT, channels: 'BGR', range: [-1, 1] } as const satisfies Draft['input'];
const BYTES_BGR = { layout: 'NHWC', type: 'uint8', channels: 'BGR' } as const satisfies Draft['input'];

beforeAll(async () => {
  await addTestModel(dir, 'darker', multiplier({ tensor: UNIT, factors: [0.9, 1, 0.95] }), restorer(UNIT));
  await addTestModel(dir, 'softer', multiplier({ tensor: SIGNED_BGR, factors: [0.9, 1, 0.8] }), restorer(SIGNED_BGR));
  await addTestModel(dir, 'bytes', multiplier({ tensor: BYTES_BGR, factors: [0.9, 1, 0.95] }), restorer(BYTES_BGR));
  await addTestModel(dir, 'fixed', multiplier({ tensor: UNIT, factors: [0.9, 1, 0.95], side: 96 }), restorer(UNIT));
  await addTestModel(dir, 'twice', repeater(2), presetDraft('realesrgan', 2));
  await addTestModel(dir, 'four', repeater(4, 64), presetDraft('realesrgan', 4));
  await addTestModel(dir, 'face', faceNetwork('float64'), presetDraft('codeformer'));
  await addTestModel(dir, 'weighted', weighted(), restorer(UNIT, { scalars: [{ name: 'strength', value: 0.9 }] }));
  await addTestModel(dir, 'blind', nanWhereBlack(), restorer(UNIT));
});
afterAll(() => rmSync(dir, { recursive: true }));
/** A pipeline reads its registry when it is opened: after the models are there. */
const withModels = () => openBench({ modelsDir: dir });

function weighted(): Buffer {
  return onnx({
    inputs: [
      { name: 'strength', shape: [1] },
      { name: 'picture', shape: [1, 3, 'h', 'w'] },
    ],
    outputs: [{ name: 'restored', shape: [1, 3, 'h', 'w'] }],
    nodes: [{ operator: 'Mul', inputs: ['picture', 'strength'], output: 'restored' }],
  });
}

/** x²/x: no number where a sample is 0, which the check's picture has nowhere. */
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

/** Result and source samples of one model, as PNG in and out. */
async function through(model: string, file = CITY, options = {}) {
  const open = withModels();
  try {
    const { file: result, outcome } = await open.restore(file, { model, format: 'png', ...options });
    return { result: await samples(result), source: await samples(file), outcome };
  } finally {
    await open.close();
  }
}

describe('same-size networks of every layout, type, range and channel order', () => {
  it.each<[string, (value: number, channel: number) => number]>([
    ['darker', (value, c) => value * ([0.9, 1, 0.95][c] as number)],
    // The network's first channel is blue, and it draws towards mid-grey.
    ['softer', (value, c) => 127.5 + (value - 127.5) * ([0.8, 1, 0.9][c] as number)],
    ['bytes', (value, c) => value * ([0.95, 1, 0.9][c] as number)],
    ['fixed', (value, c) => value * ([0.9, 1, 0.95][c] as number)],
    ['weighted', (value) => value * 0.9],
  ])('%s computes what its graph says, in tiles', async (model, expected) => {
    const { result, source, outcome } = await through(model);
    expect([result.width, result.height]).toEqual([source.width, source.height]);
    const off = result.data.reduce((most, value, i) => Math.max(most, Math.abs(value - expected(source.data[i] as number, i % 3))), 0);
    expect(off).toBeLessThan(0.51);
    expect(outcome.report.model).toBe(model);
  });

  it('a picture smaller than the only tile size', async () => {
    const small = await sharp(CITY).extract({ left: 9, top: 5, width: 61, height: 49 }).png().toBuffer();
    const { result, source } = await through('fixed', small);
    expect(result.data.length).toBe(source.data.length);
    expect(result.data.every((value, i) => Math.abs(value - (source.data[i] as number) * ([0.9, 1, 0.95][i % 3] as number)) < 0.51)).toBe(
      true,
    );
  });
});

/** Every pixel repeated: what `repeater` computes. */
const repeated = (data: Uint8Array, width: number, channels: number, scale: number) =>
  Uint8Array.from({ length: data.length * scale * scale }, (_, i) => {
    const [pixel, c] = [Math.floor(i / channels), i % channels];
    const [x, y] = [pixel % (width * scale), Math.floor(pixel / (width * scale))];
    return data[(Math.floor(y / scale) * width + Math.floor(x / scale)) * channels + c] as number;
  });

describe('enlargement', () => {
  it.each([
    ['twice', 2],
    ['four', 4],
  ] as const)('%s: every pixel where it belongs, across tiles', async (model, scale) => {
    const file = await sharp(CITY).extract({ left: 0, top: 0, width: 173, height: 131 }).png().toBuffer();
    const { result, source, outcome } = await through(model, file, { scale });
    expect([result.width, result.height]).toEqual([173 * scale, 131 * scale]);
    expect([outcome.width, outcome.height]).toEqual([173 * scale, 131 * scale]);
    expect(Buffer.compare(result.data, repeated(source.data, 173, 3, scale))).toBe(0);
    expect(outcome.report.source).toMatchObject({ width: 173, height: 131 });
    expect(outcome.report.timings.enlarge).toBeGreaterThanOrEqual(0);
  });

  it('auto takes the network that offers the scale', async () => {
    const file = await sharp(CITY).resize(80, 60).png().toBuffer();
    const { outcome } = await through('auto', file, { scale: 4 });
    expect(outcome.report.model).toBe('four');
    expect([outcome.width, outcome.height]).toEqual([320, 240]);
  });

  it('strength 0 is the source by Lanczos, between 0 and 1 their mixture; the model is named only where it ran', async () => {
    const file = await sharp(CITY).resize(120, 90).png().toBuffer();
    const none = await through('twice', file, { scale: 2, strength: 0 });
    const half = await through('twice', file, { scale: 2, strength: 0.5 });
    const full = await through('twice', file, { scale: 2 });
    expect(none.outcome.report.model).toBeNull();
    expect(Buffer.compare(none.result.data, full.result.data)).not.toBe(0);
    const off = half.result.data.map((value, i) => Math.abs(2 * value - (none.result.data[i] as number) - (full.result.data[i] as number)));
    expect(Math.max(...new Set(off))).toBeLessThanOrEqual(1);
    // Lanczos keeps means; nearest keeps them exactly.
    const mean = (data: Uint8Array) => data.reduce((sum, value) => sum + value, 0) / data.length;
    expect(Math.abs(mean(none.result.data) - mean(full.result.data))).toBeLessThan(0.5);
  });

  it('alpha and 16-bit depth are enlarged with it', async () => {
    const [width, height] = [64, 50];
    const deep = new Uint16Array(width * height * 4).map((_, i) => {
      const x = Math.floor(i / 4) % width;
      return i % 4 === 3 ? 65_535 * (x < width / 2 ? 0 : 1) : 20_000 + 300 * x + 1000 * (i % 4);
    });
    const file = await sharp(deep, { raw: { width, height, channels: 4 } })
      .toColourspace('rgb16')
      .png()
      .toBuffer();
    const open = withModels();
    const { file: result } = await open.restore(file, { model: 'twice', scale: 2, format: 'png' });
    await open.close();
    const { data, info } = await sharp(result).toColourspace('rgb16').raw({ depth: 'ushort' }).toBuffer({ resolveWithObject: true });
    expect(info).toMatchObject({ width: 128, height: 100, channels: 4 });
    const values = new Uint16Array(data.buffer, data.byteOffset, data.length / 2);
    const at = (x: number, y: number, c: number) => values[(y * 128 + x) * 4 + c] as number;
    expect([at(4, 40, 3), at(120, 40, 3)]).toEqual([0, 65_535]);
    // The source's slope of 300 a pixel, not the 8-bit steps of 257.
    expect(new Set(Array.from(values).filter((_, i) => i % 4 === 0)).size).toBeGreaterThan(64);
    expect(Math.abs(at(61, 50, 0) - (20_000 + 300 * 30.25))).toBeLessThan(400);
  });

  it('a turned picture comes out upright and enlarged', async () => {
    const file = await sharp(CITY).extract({ left: 0, top: 0, width: 96, height: 64 }).withMetadata({ orientation: 6 }).jpeg().toBuffer();
    const { result, outcome } = await through('twice', file, { scale: 2 });
    expect([result.width, result.height]).toEqual([128, 192]);
    const upright = await samples(await sharp(file).autoOrient().png().toBuffer());
    expect(Buffer.compare(result.data, repeated(upright.data, 64, 3, 2))).toBe(0);
    expect(outcome.report.source).toMatchObject({ width: 64, height: 96, orientation: 6 });
  });

  it('a clean JPEG is enlarged, not copied, and still reported as clean', async () => {
    const flat = await sharp({ create: { width: 160, height: 120, channels: 3, background: '#7a8a9a' } })
      .jpeg({ quality: 98 })
      .toBuffer();
    const { outcome } = await through('twice', flat, { scale: 2, format: 'same' });
    expect(outcome).toMatchObject({ width: 320, height: 240, format: 'jpg' });
    expect(outcome.report).toMatchObject({ model: 'twice', gate: { action: 'restore' }, analysis: { clean: true } });
  });

  it('a grey picture stays grey', async () => {
    const grey = await sharp(CITY).resize(90, 70).greyscale().png().toBuffer();
    const { result, outcome } = await through('twice', grey, { scale: 2 });
    expect(outcome.report.source.grey).toBe(true);
    expect(result.data.every((value, i) => value === result.data[i - (i % 3)])).toBe(true);
    expect([result.width, result.height]).toEqual([180, 140]);
  });
});

describe('refusals', () => {
  it.each([
    ['scale 1 of an enlarger', { model: 'twice' }, /scale 1 is not offered by the model twice; it offers 2/],
    ['scale 4 of a ×2 network', { model: 'twice', scale: 4 }, /scale 4 is not offered by the model twice; it offers 2/],
    ['a face network for a whole picture', { model: 'face' }, /face is for faces \(face\), not for whole pictures/],
  ] as const)('%s', async (_, options, reason) => {
    const open = withModels();
    await expect(open.restore(CITY, options)).rejects.toMatchObject({ kind: 'PARAM_VALUE_ERROR', message: expect.stringMatching(reason) });
    await open.close();
  });

  it('a result with more pixels than allowed, before any is decoded', async () => {
    const open = withModels();
    const half = CITY.subarray(0, CITY.length >> 1);
    await expect(open.restore(half, { model: 'four', scale: 4 }, { maxResultPixels: 1_000_000 })).rejects.toMatchObject({
      kind: 'RESOLUTION_TOO_LARGE_ERROR',
      message: expect.stringMatching(/enlarged ×4 would be \d+×\d+ px; a result may have at most 1000000 pixels/),
    });
    const wide = await sharp({ create: { width: 4090, height: 48, channels: 3, background: '#888' } })
      .png()
      .toBuffer();
    await expect(open.restore(wide, { model: 'four', scale: 4, format: 'webp' })).resolves.toMatchObject({ outcome: { width: 16_360 } });
    const wider = await sharp({ create: { width: 4096, height: 48, channels: 3, background: '#888' } })
      .png()
      .toBuffer();
    await expect(open.restore(wider, { model: 'four', scale: 4, format: 'webp' })).rejects.toThrow(/allows 16383 px a side/);
    await open.close();
  });

  it('a network that gives no numbers for this picture fails instead of writing black', async () => {
    const open = withModels();
    const black = await sharp({ create: { width: 80, height: 80, channels: 3, background: '#000' } })
      .png()
      .toBuffer();
    await expect(open.restore(black, { model: 'blind' })).rejects.toMatchObject({
      kind: 'PROCESS_ERROR',
      message: expect.stringMatching(/no finite numbers/),
    });
    await open.close();
  });
});
