import { describe, expect, it } from 'vitest';
import { faceAmount } from '../../../src/imaging/faces/amount.ts';
import { clarityOf } from '../../../src/imaging/faces/clarity.ts';
import type { Face } from '../../../src/imaging/faces/face.ts';
import { FACE_TEMPLATE, type FivePoints } from '../../../src/imaging/faces/template.ts';
import { selectFaces } from '../../../src/pipeline/faces/select.ts';
import { paint } from '../../support/painted-faces.ts';

const source = { rgb: paint({ width: 700, height: 500, faces: [] }), width: 700, height: 500 };
const demands = { scale: 1, sure: 0.6, sureLarge: 0.6, compressed: false, measured: false };

/** A face of this side whose aligned crop begins at (x, y). */
const face = (size: number, x = 20, y = 20, score = 0.9): Face => ({
  box: [x, y, size],
  score,
  points: FACE_TEMPLATE.map(([u, v]) => [x + (u * size) / 300, y + (v * size) / 300]) as unknown as FivePoints,
});
const reasons = (faces: readonly Face[], more: Partial<typeof demands> = {}) =>
  selectFaces(faces, source, { ...demands, ...more }).map((each) => ('reason' in each ? each.reason : 'restore'));

describe('selectFaces', () => {
  it('takes the fifty largest, largest first', () => {
    const faces = Array.from({ length: 53 }, (_, i) => face(60 + ((i * 7) % 53)));
    const selections = selectFaces(faces, source, demands);
    const sizes = selections.map((each) => each.face.box[2]);
    expect(sizes).toEqual([...sizes].sort((one, other) => other - one));
    expect(selections.slice(0, 50).every((each) => each.toFace)).toBe(true);
    expect(reasons(faces).slice(50)).toEqual(new Array(3).fill('beyond the 50 largest faces'));
  });

  it('faces that are left alone do not count among the fifty', () => {
    const faces = [...Array.from({ length: 50 }, () => face(100)), ...Array.from({ length: 5 }, () => face(110, 20, 20, 0.5)), face(90)];
    expect(reasons(faces).filter((reason) => reason === 'restore')).toHaveLength(50);
    expect(reasons(faces).filter((reason) => reason === 'uncertain')).toHaveLength(5);
  });

  it('a large face must be surer than a small one, and one between them about half as much', () => {
    const scored = (size: number, score: number) => face(size, 20, 20, score);
    const outcome = (...faces: Face[]) => faces.flatMap((each) => reasons([each], { sure: 0.75, sureLarge: 0.95 }));
    expect(outcome(scored(50, 0.76), scored(64, 0.76), scored(128, 0.96), scored(300, 0.96))).toEqual(new Array(4).fill('restore'));
    expect(outcome(scored(50, 0.74), scored(64, 0.74), scored(128, 0.94), scored(300, 0.94))).toEqual(new Array(4).fill('uncertain'));
    expect(outcome(scored(90.51, 0.849), scored(90.51, 0.851))).toEqual(['uncertain', 'restore']);
    // In pixels of the source: an enlarged face is no surer.
    expect(reasons([scored(128, 0.8)], { sure: 0.75, sureLarge: 0.95, scale: 2 })).toEqual(['restore']);
  });

  it('the smallest side is the documented one, in pixels of the source', () => {
    expect(reasons([face(48), face(47.9)])).toEqual(['restore', 'smaller than 48 px']);
    expect(reasons([face(96), face(95)], { scale: 2 })).toEqual(['restore', 'smaller than 48 px']);
    const large = { rgb: new Uint8Array(4096 * 3200 * 3), width: 4096, height: 3200 };
    expect(selectFaces([face(65)], large, demands)).toMatchObject([{ reason: 'smaller than 66 px' }]);
  });

  it('a face without noise or blur is left alone, unless the file is compressed or enlarged', () => {
    const clear = { ...source, rgb: Uint8Array.from(source.rgb, (_, i) => (Math.floor((i / 3) % 700) % 24 < 12 ? 60 : 190)) };
    const outcome = (more: Partial<typeof demands>) => selectFaces([face(200)], clear, { ...demands, ...more })[0];
    expect(outcome({})).toMatchObject({ reason: 'already clear' });
    expect(outcome({ compressed: true })).not.toHaveProperty('reason');
    expect(outcome({ scale: 2 })).not.toHaveProperty('reason');
  });

  it('a face takes all of the network, but for the one whose gain was measured', () => {
    const amounts = (more: Partial<typeof demands>) =>
      selectFaces([face(200), face(90)], source, { ...demands, ...more }).map(({ amount }) => amount);
    expect(amounts({})).toEqual([1, 1]);
    expect(amounts({ measured: true, scale: 2 })).toEqual([1, undefined]);
    const expected = [200, 90].map((size) => faceAmount(clarityOf(source.rgb, 700, 500, face(size).box), false));
    expect(amounts({ measured: true })).toEqual(expected);
    expect(Math.max(...expected)).toBeLessThan(1);
  });
});
