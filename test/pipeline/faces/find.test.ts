import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { apply, type Similarity } from '../../../src/imaging/faces/similarity.ts';
import { type FivePoints, toTemplate } from '../../../src/imaging/faces/template.ts';
import { type PaintedFace, painted, pngOf, pointsOf } from '../../support/painted-faces.ts';
import { change, type FaceBench, farthest, noiseOf, openFaceBench, pointsOff, upright } from './bench.ts';

let bench: FaceBench;
beforeAll(async () => {
  bench = await openFaceBench('painted', 'same', 'pattern', 'twice');
});
afterAll(() => bench.close());
const through: FaceBench['through'] = (...order) => bench.through(...order);

describe('finding', () => {
  const one: PaintedFace = { x: 150, y: 120, size: 80 };

  it('box, points and score are reported, and the face is restored', async () => {
    const { report } = await through(await painted({ width: 300, height: 240, faces: [one] }), 'pattern');
    expect(report.faceStage).toEqual({ detector: 'painted', model: 'pattern' });
    expect(report.faces).toMatchObject([{ action: 'restored', score: 0.95, size: 'small' }]);
    expect(pointsOff(report, one)).toBeLessThan(1);
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
    expect(pointsOff(report, face)).toBeLessThan(1.5);
  });

  it('a face nearly as large as the picture', async () => {
    const face = { x: 170, y: 170, size: 326 };
    const { report, data } = await through(await painted({ width: 340, height: 340, faces: [face] }), 'pattern');
    expect(report.faces).toMatchObject([{ action: 'restored', size: 'medium' }]);
    expect(pointsOff(report, face)).toBeLessThan(2);
    expect(data.length).toBe(340 * 340 * 3);
  });

  it('a face of a large picture, in the reduced copies', async () => {
    const face = { x: 640, y: 420, size: 420 };
    const { report } = await through(await painted({ width: 1100, height: 900, faces: [face] }), 'same');
    expect(report.faces).toMatchObject([{ action: 'restored', size: 'large' }]);
    expect(pointsOff(report, face)).toBeLessThan(4);
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
    expect(pointsOff(report, one)).toBeLessThan(1.5);
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

describe('fixtures of this file', () => {
  it('points of a painted face are those of the template, turned', () => {
    const face = { x: 90, y: 70, size: 60, angle: 25 };
    const map = toTemplate(pointsOf(face) as unknown as FivePoints) as Similarity;
    const [u, v] = apply(map, [90, 70]);
    expect([Math.round(u), Math.round(v)]).toEqual([256, 285]);
  });
});
