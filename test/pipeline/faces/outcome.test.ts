import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type PaintedFace, painted, pngOf } from '../../support/painted-faces.ts';
import { type FaceBench, noiseOf, openFaceBench } from './bench.ts';

let bench: FaceBench;
beforeAll(async () => {
  bench = await openFaceBench('painted', 'same', 'pattern', 'bright', 'stranger');
});
afterAll(() => bench.close());
const through: FaceBench['through'] = (...order) => bench.through(...order);

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
