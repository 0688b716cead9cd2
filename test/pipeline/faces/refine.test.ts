import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Candidate, Face } from '../../../src/imaging/faces/face.ts';
import type { Point } from '../../../src/imaging/faces/similarity.ts';
import type { FivePoints } from '../../../src/imaging/faces/template.ts';
import { orientSamples } from '../../../src/imaging/orient.ts';
import { type FaceDetector, openDetector } from '../../../src/inference/detector.ts';
import type { FaceRefiner } from '../../../src/inference/refiner.ts';
import { contradiction } from '../../../src/models/manifest.ts';
import { createRegistry } from '../../../src/models/registry.ts';
import { findFaces, findInBox, type Pixels, pointsOf } from '../../../src/pipeline/faces/find.ts';
import { MOST_CANDIDATES, refine } from '../../../src/pipeline/faces/refine.ts';
import { knownFaceNetwork, paintedFaceDetector, paintedFaceRefiner } from '../../support/face-networks.ts';
import { addTestModel, addTestRefiner } from '../../support/imported.ts';
import { type PaintedFace, paint, pointsOf as paintedPoints } from '../../support/painted-faces.ts';
import { DETECTOR } from './bench.ts';

const dir = mkdtempSync(join(tmpdir(), 'mingxi-refine-'));
const open = (name: string) =>
  openDetector(createRegistry({ shippedDir: dir }).get(name), { threads: 1, provider: 'cpu' }) as Promise<
    FaceDetector & { readonly refiner: FaceRefiner }
  >;
let careless: FaceDetector;
let careful: FaceDetector & { readonly refiner: FaceRefiner };
let sure: FaceDetector;

beforeAll(async () => {
  for (const name of ['careless', 'careful']) await addTestModel(dir, name, paintedFaceDetector({ careless: true, sure: 0.45 }), DETECTOR);
  await addTestModel(dir, 'sure', paintedFaceDetector({ careless: true, sure: 0.85 }), DETECTOR);
  for (const name of ['careful', 'sure']) addTestRefiner(dir, name, paintedFaceRefiner());
  [careless, careful, sure] = [await open('careless'), await open('careful'), await open('sure')];
});
afterAll(async () => {
  for (const detector of [careless, careful, sure]) await detector.close();
  rmSync(dir, { recursive: true });
});

const picture = (faces: readonly PaintedFace[], width = 300, height = 240): Pixels => ({
  rgb: paint({ width, height, faces }),
  width,
  height,
});
const farthest = (points: readonly Point[], expected: readonly Point[]) =>
  Math.max(...points.map(([x, y], i) => Math.hypot(x - (expected[i]?.[0] ?? 0), y - (expected[i]?.[1] ?? 0))));
const off = (face: Pick<Face, 'points'> | undefined, painted: PaintedFace) => farthest(face?.points ?? [[0, 0]], paintedPoints(painted));

/** A candidate that is off by a tenth of the face and turned by a few degrees too much. */
function roughly({ x, y, size, angle = 0 }: PaintedFace): Candidate {
  const points = paintedPoints({ x: x + size / 10, y: y - size / 12, size, angle: angle + 8 });
  return {
    left: x - size * 0.4,
    top: y - size * 0.6,
    width: size,
    height: size * 1.1,
    score: 0.6,
    points: points as unknown as FivePoints,
  };
}

describe('a detector with a refiner', () => {
  const face: PaintedFace = { x: 150, y: 120, size: 80 };

  it('finds what the detector alone is too unsure of, and exactly where it is', async () => {
    const pixels = picture([face]);
    expect(await findFaces(pixels, careless)).toEqual([]);
    const found = await findFaces(pixels, careful);
    expect(found).toHaveLength(1);
    expect(found[0]?.score).toBeCloseTo(0.45 ** 0.3 * 0.98 ** 0.7, 2);
    expect(off(found[0], face)).toBeLessThan(1);
    const [x, y, size] = found[0]?.box ?? [0, 0, 0];
    expect(Math.max(Math.abs(x - 110), Math.abs(y - 80), Math.abs(size - 80))).toBeLessThan(2);
  });

  it('refuses what the detector took for a face', async () => {
    const mimic = { ...face, split: 0.35 };
    expect(await findFaces(picture([mimic]), careful)).toEqual([]);
    // It was the refiner who said no: the detector has seen a candidate.
    const seen = await findFaces(picture([mimic, { x: 250, y: 60, size: 60 }]), careful);
    expect(seen).toHaveLength(1);
  });

  it('no look at what could not reach its score whatever was seen there', async () => {
    let looks = 0;
    const refiner: FaceRefiner = {
      ...careful.refiner,
      look(squares, count) {
        looks += count;
        return careful.refiner.look(squares, count);
      },
    };
    const lying = picture([{ ...face, angle: 180 }]);
    expect(await findFaces(lying, { ...sure, refiner })).toHaveLength(1);
    const turned = looks;
    looks = 0;
    // 0.45 may be a face that stands upright (0.45^0.3 is more than 0.6), but none in a picture that was turned for it (0.85).
    expect(await findFaces(lying, { ...careful, refiner })).toEqual([]);
    expect(looks).toBeLessThan(turned);
    looks = 0;
    expect(await findFaces(picture([face]), { ...careful, refiner })).toHaveLength(1);
    expect(looks).toBeGreaterThan(0);
  });

  it.each([
    ['cut by the left border', { x: 30, y: 120, size: 80 }],
    ['in the corner', { x: 274, y: 214, size: 70 }],
    ['nearly as large as the picture', { x: 150, y: 120, size: 236 }],
  ])('a face %s', async (_, painted) => {
    const refined = await refine([roughly(painted)], picture([painted]), careful.refiner);
    expect(refined).toHaveLength(1);
    // What the border cuts off is missing from the centroids: then nearly right is right.
    const cut = painted.x - painted.size / 2 < 0 || painted.x + painted.size / 2 > 300;
    expect(off(refined[0], painted)).toBeLessThan(cut ? 0.12 * painted.size : 2);
  });

  it('a picture without any face has none, and none of no candidates', async () => {
    expect(await findFaces(picture([]), careful)).toEqual([]);
    expect(await refine([], picture([]), careful.refiner)).toEqual([]);
  });

  it('a box that is given, and an aligned face, are looked at closely too', async () => {
    const pixels = picture([face]);
    const given = await findInBox(pixels, [112, 82, 74], careful);
    expect(off(given, face)).toBeLessThan(1);
    expect(off(await findInBox(pixels, [112, 82, 74], careless), face)).toBeGreaterThan(3);
    expect(await findInBox(pixels, [10, 10, 60], careful)).toBeUndefined();
    const large = { x: 256, y: 285, size: 300 };
    const points = await pointsOf(picture([large], 512, 512), careful);
    expect(off(points && { points }, large)).toBeLessThan(2);
    expect(await pointsOf(picture([], 512, 512), careful)).toBeUndefined();
  });

  it('a picture that is upside down, or lies on its side', async () => {
    for (const angle of [180, 90, -90]) {
      const lying = { ...face, angle };
      expect(off((await findFaces(picture([lying]), sure))[0], lying)).toBeLessThan(1);
      // Four looks need more than one.
      expect(await findFaces(picture([lying]), careful)).toEqual([]);
    }
  });

  it('a picture with nothing like a face is not turned for a detector that shows a hint of those that lie', async () => {
    let runs = 0;
    const hinting: FaceDetector = {
      ...sure,
      hint: 0.15,
      run(...args) {
        runs++;
        return sure.run(...args);
      },
    };
    const lying = { ...face, angle: 180 };
    expect(await findFaces(picture([lying]), hinting)).toEqual([]);
    expect(runs).toBe(1);
    // Something like a face, which the refiner refuses: as it was seen, so may one that lies be.
    expect(await findFaces(picture([{ ...face, split: 0.35 }]), { ...hinting, refiner: careful.refiner })).toEqual([]);
    expect(runs).toBe(5);
  });

  it('only a detector can have a hint', () => {
    const { manifest } = createRegistry({ shippedDir: dir }).get('careless');
    expect(contradiction({ ...manifest, hint: 0.15 })).toBeUndefined();
    expect(contradiction({ ...manifest, hint: 0.15, task: 'restore' })).toBe('hint: expected none with the task restore, received 0.15');
  });
});

describe('refine', () => {
  const faces: PaintedFace[] = Array.from({ length: 35 }, (_, i) => ({
    x: 70 + (i % 7) * 120,
    y: 70 + Math.floor(i / 7) * 120,
    size: 44 + (i % 5) * 6,
    angle: (i * 37) % 40,
  }));
  const pixels = picture(faces, 860, 620);

  it('many at once are what each is alone', async () => {
    const together = await refine(faces.map(roughly), pixels, careful.refiner);
    expect(together).toHaveLength(faces.length);
    for (const [i, face] of faces.entries()) {
      const [alone] = await refine([roughly(face)], pixels, careful.refiner);
      const same = together[i] as Candidate;
      expect(farthest(same.points, alone?.points ?? [])).toBeLessThan(1e-3);
      expect(Math.abs(same.score - (alone?.score ?? 0))).toBeLessThan(1e-6);
      expect(off(same, face)).toBeLessThan(1);
    }
  });

  it('a turned picture gives the same faces, turned', async () => {
    const back = ([x, y]: Point): Point => [y, pixels.height - x];
    const quarter: Pixels = { rgb: orientSamples(pixels.rgb, 860, 620, 3, 6), width: 620, height: 860 };
    const turned = faces.map((face): Candidate => {
      const { left, top, width, height, points, score } = roughly(face);
      const forth = ([x, y]: Point): Point => [pixels.height - y, x];
      const [x] = forth([left, top + height]);
      return { left: x, top: left, width: height, height: width, score, points: points.map(forth) as unknown as FivePoints };
    });
    const [upright, lying] = [await refine(faces.map(roughly), pixels, careful.refiner), await refine(turned, quarter, careful.refiner)];
    expect(lying).toHaveLength(faces.length);
    lying.forEach((candidate, i) => {
      const other = upright[i] as Candidate;
      expect(farthest(candidate.points.map(back), other.points)).toBeLessThan(0.2);
      expect(Math.abs(candidate.width - other.height) + Math.abs(candidate.height - other.width)).toBeLessThan(0.3);
    });
  });

  it(`looks at the best ${MOST_CANDIDATES} candidates at most, sixteen squares at once, each candidate twice and once in the mirror`, async () => {
    const looks: number[] = [];
    const counted: FaceRefiner = {
      ...careful.refiner,
      look(squares, count) {
        looks.push(count);
        return careful.refiner.look(squares, count);
      },
    };
    const many = Array.from({ length: MOST_CANDIDATES + 30 }, (_, i) => ({
      ...roughly(faces[i % faces.length] as PaintedFace),
      score: i < 30 ? 0.3 : 0.6,
    }));
    const found = await refine(many, pixels, counted);
    expect(found).toHaveLength(MOST_CANDIDATES);
    expect(Math.min(...found.map(({ score }) => score))).toBeGreaterThan(Math.sqrt(0.3 * 0.98));
    expect(Math.max(...looks)).toBe(16);
    expect(looks.reduce((sum, count) => sum + count)).toBe(3 * MOST_CANDIDATES);
  });
});

describe('a refiner that cannot be used', () => {
  const damaged = Buffer.from(paintedFaceRefiner().subarray(0, 3000));

  it.each<[string, Buffer, RegExp]>([
    ['a damaged file', damaged, /^The refiner refiner\.onnx of the face detector broken-\d cannot be loaded with the provider cpu/],
    [
      'another network',
      knownFaceNetwork(),
      /has another signature: expected the input faces uint8 \[n, 80, 80, 3\], received face uint8 \[1, 512, 512, 3\]/,
    ],
  ])('%s is refused', async (_, file, message) => {
    const name = `broken-${file === damaged ? 0 : 1}`;
    await addTestModel(dir, name, paintedFaceDetector(), DETECTOR);
    addTestRefiner(dir, name, file);
    await expect(open(name)).rejects.toMatchObject({ kind: 'PROCESS_ERROR', message: expect.stringMatching(message) });
  });

  it('a file that is not the one its manifest names is seen by verify, and not loaded', async () => {
    await addTestModel(dir, 'changed', paintedFaceDetector(), DETECTOR);
    addTestRefiner(dir, 'changed', paintedFaceRefiner());
    writeFileSync(join(dir, 'changed', 'refiner.onnx'), 'not a network');
    const verified = createRegistry({ shippedDir: dir }).verify();
    expect(verified.find(({ name }) => name === 'changed')).toMatchObject({ ok: false, problem: expect.stringContaining('refiner.onnx') });
    expect(verified.find(({ name }) => name === 'careful')).toEqual({ name: 'careful', ok: true });
    await expect(open('changed')).rejects.toMatchObject({ kind: 'PROCESS_ERROR', message: expect.stringMatching(/checksum/) });
  });
});
