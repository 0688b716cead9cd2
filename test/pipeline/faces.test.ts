import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import sharp from 'sharp';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { faceMask } from '../../src/imaging/faces/mask.ts';
import { apply, type Similarity } from '../../src/imaging/faces/similarity.ts';
import { FACE_TEMPLATE, type FivePoints, toTemplate } from '../../src/imaging/faces/template.ts';
import type { Draft } from '../../src/models/draft.ts';
import { presetDraft } from '../../src/models/presets.ts';
import type { RestoreOptions } from '../../src/pipeline/options.ts';
import type { RestoreReport } from '../../src/pipeline/report.ts';
import { knownFaceNetwork, paintedFaceDetector, patternAt } from '../support/face-networks.ts';
import { addTestModel } from '../support/imported.ts';
import { faceNetwork, multiplier, repeater } from '../support/onnx.ts';
import { type PaintedFace, paint, painted, pngOf, pointsOf } from '../support/painted-faces.ts';
import { openBench, samples } from './pictures.ts';

const dir = mkdtempSync(join(tmpdir(), 'mingxi-faces-'));
const BYTES = { layout: 'NHWC', type: 'uint8', channels: 'RGB' } as const satisfies Draft['input'];
const FACE: Draft = { task: 'face', input: BYTES, scale: 1, tile: { multiple: 16, halo: 0, max: 512, size: 512 }, licence: 'MIT' };
const SIGNED = { layout: 'NCHW', type: 'float32', channels: 'BGR', range: [-1, 1] } as const satisfies Draft['input'];

beforeAll(async () => {
  const detector: Draft = { ...FACE, task: 'face-detect', detector: 'mingxi', tile: { multiple: 32, halo: 0, max: 4096 } };
  await addTestModel(dir, 'painted', paintedFaceDetector(), detector);
  await addTestModel(dir, 'same', knownFaceNetwork(), FACE);
  await addTestModel(dir, 'pattern', knownFaceNetwork({ pattern: true }), FACE);
  await addTestModel(dir, 'tint', knownFaceNetwork({ shift: [6, 0, -6] }), FACE);
  await addTestModel(dir, 'bright', knownFaceNetwork({ shift: [40, 40, 40] }), FACE);
  await addTestModel(dir, 'stranger', knownFaceNetwork({ flip: true }), FACE);
  await addTestModel(dir, 'gfpgan', multiplier({ tensor: SIGNED, side: 512 }), { ...presetDraft('gfpgan'), input: SIGNED });
  await addTestModel(dir, 'codeformer', faceNetwork('float64'), { ...presetDraft('codeformer'), scalars: [{ value: 0.97 }] });
  await addTestModel(dir, 'twice', repeater(2), presetDraft('realesrgan', 2));
});
afterAll(() => rmSync(dir, { recursive: true }));

interface Outcome {
  readonly report: RestoreReport;
  readonly data: Uint8Array;
  readonly file: Buffer;
}

/** A picture through the pipeline as PNG, faces only unless said otherwise: the general networks stay out of the sums. */
async function through(file: Buffer, faceModel: string, options: Partial<RestoreOptions> = {}, faceDetector = 'painted'): Promise<Outcome> {
  const open = openBench({ modelsDir: dir, faceModel, faceDetector });
  try {
    const { file: result, outcome } = await open.restore(file, { face: 'only', format: 'png', ...options }, { maxBytes: 1e8 });
    return { report: outcome.report, data: (await samples(result)).data, file: result };
  } finally {
    await open.close();
  }
}

/** Points of a face that lies exactly as the template does, at whole pixels. */
const upright = (x: number, y: number): [number, number][] => FACE_TEMPLATE.map(([u, v]) => [u + x, v + y]);
const noiseOf = (width: number, height: number) => paint({ width, height, faces: [] });

/** What the pattern network's change amounts to at a pixel, where one face lies at (x, y) unscaled. */
const change = (i: number, width: number, x: number, y: number) => {
  const [px, py] = [Math.floor(i / 3) % width, Math.floor(i / 3 / width)];
  return faceMask(px + 0.5 - x, py + 0.5 - y) * Math.round(patternAt(px - x, py - y));
};
const farthest = (found: Uint8Array, expected: (i: number) => number) =>
  found.reduce((most, value, i) => Math.max(most, Math.abs(value - expected(i))), 0);

describe('what is blended in', () => {
  const [width, height] = [560, 540];
  const source = noiseOf(width, height);

  it.each([
    ['all of it', {}, 1],
    ['by face strength', { faceStrength: 0.4 }, 0.4],
    ['by strength and face strength', { strength: 0.5, faceStrength: 0.5 }, 0.25],
  ])('is exactly the mask times what the network changed: %s', async (_, options, amount) => {
    const facePoints = [upright(24, 14)];
    const { data, report } = await through(await pngOf(source, width, height), 'pattern', { facePoints, ...options });
    expect(report.faces).toMatchObject([{ action: 'restored', score: 1, size: 'medium' }]);
    expect(farthest(data, (i) => (source[i] as number) + amount * change(i, width, 24, 14))).toBeLessThan(0.51);
  });

  it('a network that changes nothing leaves every byte', async () => {
    const { data, report } = await through(await pngOf(source, width, height), 'same', { facePoints: [upright(24, 14)] });
    expect(report.faces[0]?.action).toBe('restored');
    expect(Buffer.from(data).equals(Buffer.from(source))).toBe(true);
  });

  it('colours are those of the picture: a tint of the network is taken out', async () => {
    const { data, report } = await through(await pngOf(source, width, height), 'tint', { facePoints: [upright(24, 14)] });
    expect(report.faces[0]?.action).toBe('restored');
    expect(farthest(data, (i) => source[i] as number)).toBeLessThanOrEqual(1);
  });

  it('two faces that overlap share the pixels', async () => {
    const facePoints = [upright(4, 14), upright(44, 22)];
    const { data, report } = await through(await pngOf(source, width, height), 'pattern', { facePoints });
    expect(report.faces.map(({ action }) => action)).toEqual(['restored', 'restored']);
    // Both patterns agree where they meet (their distance is whole periods), so together they are one.
    const off = farthest(data, (i) => {
      const [px, py] = [Math.floor(i / 3) % width, Math.floor(i / 3 / width)];
      const sum = faceMask(px - 3.5, py - 13.5) + faceMask(px - 43.5, py - 21.5);
      return (source[i] as number) + Math.min(1, sum) * Math.round(patternAt(px - 4, py - 14));
    });
    expect(off).toBeLessThan(2);
  });

  it('a face much larger than the template keeps its finest detail', async () => {
    const big = noiseOf(1100, 1000);
    const facePoints = [FACE_TEMPLATE.map(([u, v]): [number, number] => [u * 2.1 + 10, v * 2.1 - 40])];
    const { data, report } = await through(await pngOf(big, 1100, 1000), 'same', { facePoints });
    expect(report.faces).toMatchObject([{ action: 'restored', size: 'large' }]);
    expect(Buffer.from(data).equals(Buffer.from(big))).toBe(true);
  });
});

describe('finding', () => {
  const one: PaintedFace = { x: 150, y: 120, size: 80 };
  const near = (report: RestoreReport, face: PaintedFace, index = 0) => {
    const found = report.faces[index];
    const expected = pointsOf(face);
    return Math.max(...(found?.points ?? []).map(([x, y], i) => Math.hypot(x - (expected[i]?.[0] ?? 0), y - (expected[i]?.[1] ?? 0))));
  };

  it('box, points and score are reported, and the face is restored', async () => {
    const { report } = await through(await painted({ width: 300, height: 240, faces: [one] }), 'pattern');
    expect(report.faceStage).toEqual({ detector: 'painted', model: 'pattern' });
    expect(report.faces).toMatchObject([{ action: 'restored', score: 0.95, size: 'small' }]);
    expect(near(report, one)).toBeLessThan(1);
    const [x, y, size] = report.faces[0]?.box ?? [0, 0, 0];
    for (const [found, expected] of [
      [x, 110],
      [y, 80],
      [size, 80],
    ] as const)
      expect(Math.abs(found - expected)).toBeLessThan(2);
  });

  it.each([
    ['turned by 35°', { ...one, angle: 35 }],
    ['upside down', { ...one, angle: 180 }],
    ['lying on its left', { ...one, angle: -90 }],
    ['lying on its right', { ...one, angle: 90 }],
  ])('a face %s', async (_, face) => {
    const { report } = await through(await painted({ width: 300, height: 240, faces: [face] }), 'pattern');
    expect(report.faces).toMatchObject([{ action: 'restored' }]);
    expect(near(report, face)).toBeLessThan(1.5);
  });

  it('a face nearly as large as the picture', async () => {
    const face = { x: 170, y: 170, size: 326 };
    const { report, data } = await through(await painted({ width: 340, height: 340, faces: [face] }), 'pattern');
    expect(report.faces).toMatchObject([{ action: 'restored', size: 'medium' }]);
    expect(near(report, face)).toBeLessThan(2);
    expect(data.length).toBe(340 * 340 * 3);
  });

  it('a face of a large picture, in the reduced copies', async () => {
    const face = { x: 640, y: 420, size: 420 };
    const { report } = await through(await painted({ width: 1100, height: 900, faces: [face] }), 'same');
    expect(report.faces).toMatchObject([{ action: 'restored', size: 'large' }]);
    expect(near(report, face)).toBeLessThan(4);
  });

  it('fifty faces of a group', async () => {
    const faces = Array.from({ length: 50 }, (_, i) => ({ x: 60 + (i % 10) * 96, y: 60 + Math.floor(i / 10) * 96, size: 54 }));
    const { report } = await through(await painted({ width: 1000, height: 520, faces }), 'same');
    expect(report.faces.map(({ action }) => action)).toEqual(new Array(50).fill('restored'));
  }, 300_000);

  it('what is smaller than documented is left to the general stage', async () => {
    const { report } = await through(await painted({ width: 300, height: 240, faces: [{ ...one, size: 40 }] }), 'pattern');
    expect(report.faces).toMatchObject([{ action: 'left', size: 'tiny', reason: 'smaller than 48 px' }]);
  });

  it('an enlarged picture reports its faces in pixels of the source', async () => {
    const { report, data } = await through(await painted({ width: 300, height: 240, faces: [one] }), 'pattern', {
      scale: 2,
      model: 'twice',
    });
    expect(report.faces).toMatchObject([{ action: 'restored', size: 'small' }]);
    expect(near(report, one)).toBeLessThan(1.5);
    expect(data.length).toBe(600 * 480 * 3);
  });
});

describe('points that are given', () => {
  const [width, height] = [560, 540];
  const source = noiseOf(width, height);
  const face: PaintedFace = { x: 150, y: 120, size: 80 };

  it('are used instead of a detector', async () => {
    const { report } = await through(await pngOf(source, width, height), 'pattern', { facePoints: [upright(24, 14)] }, 'none');
    expect(report.faceStage).toEqual({ detector: null, model: 'pattern' });
    expect(report.faces).toMatchObject([{ action: 'restored', score: 1 }]);
  });

  it('a box is looked into', async () => {
    const file = await painted({ width: 300, height: 240, faces: [face] });
    const box: [number, number][] = [
      [112, 85],
      [186, 162],
    ];
    const { report } = await through(file, 'pattern', { facePoints: [box] });
    expect(report.faces).toMatchObject([{ action: 'restored', score: 1 }]);
    const empty = await through(file, 'pattern', {
      facePoints: [
        [
          [200, 170],
          [260, 230],
        ],
      ],
    });
    expect(empty.report.faces).toMatchObject([{ action: 'left', reason: 'no face was found in the box', points: [] }]);
  });

  it('a clear face is left alone, and the file keeps its bytes', async () => {
    const file = await painted({ width, height, faces: [], sigma: 0.8 });
    const { report, file: result } = await through(file, 'pattern', { facePoints: [upright(24, 14)] });
    expect(report.faces).toMatchObject([{ action: 'left', reason: 'already clear' }]);
    expect(result.equals(file)).toBe(true);
  });

  it.each<[string, [number, number][], string]>([
    ['outside the picture', upright(2000, 2000), 'cut by the border'],
    ['half outside', upright(-260, 14), 'cut by the border'],
    [
      'in profile',
      [
        [120, 200],
        [150, 200],
        [90, 260],
        [110, 320],
        [130, 320],
      ],
      'profile',
    ],
    [
      'in one place',
      [
        [9, 9],
        [9, 9],
        [9, 9],
        [9, 9],
        [9, 9],
      ],
      'no face was found in the box',
    ],
    [
      'in no order',
      [
        [200, 200],
        [260, 330],
        [300, 210],
        [210, 320],
        [330, 330],
      ],
      'points do not form a face',
    ],
  ])('%s: left alone', async (_, points, reason) => {
    const { report, data } = await through(await pngOf(source, width, height), 'pattern', { facePoints: [points] }, 'none');
    expect(report.faces).toMatchObject([{ action: 'left', reason }]);
    expect(Buffer.from(data).equals(Buffer.from(source))).toBe(true);
  });

  it('a face that a border cuts a little is restored up to the border', async () => {
    const { report, data } = await through(await pngOf(source, width, height), 'pattern', { facePoints: [upright(-96, 14)] });
    expect(report.faces[0]?.action).toBe('restored');
    expect(farthest(data, (i) => (source[i] as number) + change(i, width, -96, 14))).toBeLessThan(0.51);
  });
});

describe('the guard', () => {
  const face: PaintedFace = { x: 150, y: 120, size: 90 };

  it.each([
    ['bright', /^its colour moved by \d/],
    ['stranger', /^(its colour moved|its structure changed|its features moved|it was no longer seen)/],
  ])('drops what %s makes, and says why', async (network, reason) => {
    const file = await painted({ width: 300, height: 240, faces: [face] });
    const { report, file: result } = await through(file, network);
    expect(report.faces).toMatchObject([{ action: 'dropped', reason: expect.stringMatching(reason) }]);
    expect(result.equals(file)).toBe(true);
  });
});

describe('the same picture', () => {
  const [width, height] = [560, 540];
  const facePoints = [upright(24, 14)];

  it('grey stays grey', async () => {
    const grey = noiseOf(width, height).filter((_, i) => i % 3 === 1);
    const { data, file } = await through(await pngOf(grey, width, height, 1), 'pattern', { facePoints });
    expect((await sharp(file).metadata()).space).toBe('b-w');
    expect(farthest(data, (i) => (grey[Math.floor(i / 3)] as number) + change(i, width, 24, 14))).toBeLessThan(1.01);
    const coloured = await through(
      await pngOf(
        noiseOf(width, height).map((value, i, all) => all[i - (i % 3)] ?? value),
        width,
        height,
      ),
      'tint',
      { facePoints },
    );
    expect(coloured.report.source.grey).toBe(true);
    expect(coloured.data.every((value, i) => value === coloured.data[i - (i % 3)])).toBe(true);
  });

  it('transparency is untouched', async () => {
    const rgb = noiseOf(width, height);
    const rgba = Uint8Array.from({ length: width * height * 4 }, (_, i) =>
      i % 4 === 3 ? (i >> 2) % 251 : (rgb[Math.floor(i / 4) * 3 + (i % 4)] as number),
    );
    const { data } = await through(await pngOf(rgba, width, height, 4), 'pattern', { facePoints });
    expect(data.every((value, i) => i % 4 !== 3 || value === rgba[i])).toBe(true);
    expect(data.some((value, i) => i % 4 !== 3 && value !== rgba[i])).toBe(true);
  });

  it('16 bits: the source’s own samples plus the change', async () => {
    const rgb = noiseOf(width, height);
    const deep = Uint16Array.from(rgb, (value, i) => value * 257 + ((i * 37) % 200) - 100);
    const file = await sharp(deep, { raw: { width, height, channels: 3 } })
      .toColourspace('rgb16')
      .png()
      .toBuffer();
    const { file: result } = await through(file, 'pattern', { facePoints });
    const raw = await sharp(result).toColourspace('rgb16').raw({ depth: 'ushort' }).toBuffer();
    const found = new Uint16Array(raw.buffer, raw.byteOffset, raw.length / 2);
    const off = found.reduce((most, value, i) => Math.max(most, Math.abs(value - (deep[i] as number) - 257 * change(i, width, 24, 14))), 0);
    expect(off).toBeLessThan(0.51 * 257 + 1);
  });
});

describe('when the stage does nothing', () => {
  const empty = () => pngOf(noiseOf(160, 120), 160, 120);

  it('a picture without a face comes back as without the stage', async () => {
    const file = await empty();
    const without = await through(file, 'pattern', { face: 'off' });
    const looked = await through(file, 'pattern', { face: 'auto' });
    expect(looked.file.equals(without.file)).toBe(true);
    expect(looked.report.faces).toEqual([]);
    expect(looked.report.faceStage).toEqual({ detector: 'painted', model: 'pattern' });
    expect(without.report.faceStage).toEqual({ detector: null, model: null });
  });

  it('only faces: the general stage is left out', async () => {
    const file = await empty();
    const { report, file: result } = await through(file, 'pattern', { face: 'only' });
    expect(result.equals(file)).toBe(true);
    expect(report.gate).toMatchObject({ action: 'copy', reason: expect.stringMatching(/^nothing but faces was asked for/) });
    expect(report.model).toBeNull();
  });

  it.each([
    ['no face network is installed', 'none', 'painted'],
    ['no face detector is installed', 'pattern', 'none'],
  ])('%s: said so', async (note, network, detector) => {
    const { report } = await through(await empty(), network, { face: 'auto' }, detector);
    expect(report.faceStage).toEqual({ detector: null, model: null, note });
    const only = await through(await empty(), network, { face: 'only' }, detector);
    expect(only.report.warnings).toContain(`Nothing was restored: ${note}.`);
  });

  it.each([{ face: 'off' }, { strength: 0 }, { faceStrength: 0 }] as const)('%o: faces are not even looked for', async (options) => {
    const file = await painted({ width: 300, height: 240, faces: [{ x: 150, y: 120, size: 80 }] });
    const { report } = await through(file, 'pattern', { face: 'auto', ...options });
    expect(report.faces).toEqual([]);
  });

  it.each([
    ['same', 'same', /The model same is for face, not for face-detect/],
    ['nonesuch', 'painted', /There is no model "nonesuch"/],
  ])('networks %s and %s are refused', async (network, detector, reason) => {
    await expect(through(await empty(), network, {}, detector)).rejects.toMatchObject({
      kind: 'PARAM_VALUE_ERROR',
      message: expect.stringMatching(reason),
    });
  });
});

describe('imported restorers of aligned faces', () => {
  it.each([
    ['gfpgan', 1],
    ['codeformer', 4],
  ])('%s, with its own layout, range and numbers', async (network, tolerance) => {
    const source = noiseOf(560, 540);
    const { report, data } = await through(await pngOf(source, 560, 540), network, { facePoints: [upright(24, 14)] });
    expect(report.faceStage?.model).toBe(network);
    expect(report.faces).toMatchObject([{ action: 'restored' }]);
    expect(farthest(data, (i) => source[i] as number)).toBeLessThanOrEqual(tolerance);
  });
});

/** A detector of the field and labelled photographs, where somebody put them beside the checkout. */
describe('fixtures of this file', () => {
  it('points of a painted face are those of the template, turned', () => {
    const face = { x: 90, y: 70, size: 60, angle: 25 };
    const map = toTemplate(pointsOf(face) as unknown as FivePoints) as Similarity;
    const [u, v] = apply(map, [90, 70]);
    expect([Math.round(u), Math.round(v)]).toEqual([256, 285]);
  });
});
