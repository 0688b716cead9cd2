import { describe, expect, it } from 'vitest';
import { FACE_SIDE, FACE_TEMPLATE } from '../../../src/imaging/faces/template.ts';
import type { Network } from '../../../src/inference/session.ts';
import { restoreFace } from '../../../src/pipeline/faces/restore-face.ts';
import { paint } from '../../support/painted-faces.ts';

/** A network that takes everything out of a face but its light. */
const smoother: Network = {
  conditions: [],
  precision: 'fp32',
  scale: 1,
  run: async (rgb) =>
    rgb.map((_, i) => Math.round([0, 1, 2].reduce((sum, c) => sum + (rgb[c + 3 * Math.floor(i / 3)] as number), 0) / 3 / 64) * 64),
  close: async () => {},
};

describe('restoreFace', () => {
  const picture = (sigma: number) => ({ rgb: paint({ width: 560, height: 540, faces: [], sigma }), width: 560, height: 540 });
  const order = (sigma: number) => {
    const source = picture(sigma);
    const toFace = { a: 1, b: 0, x0: -24, y0: -14 };
    const points = FACE_TEMPLATE.map(([u, v]) => [u + 24, v + 14]) as never;
    return { source, shown: source, toFace, points, network: smoother, detector: undefined, grey: false };
  };

  it('a change that takes visible grain out of a grainy picture is to be blended in only partly', async () => {
    const grainy = await restoreFace(order(12));
    if ('reason' in grainy) throw new Error(grainy.reason);
    expect(grainy.most).toBeLessThan(0.4);
    expect(grainy.change).toHaveLength(FACE_SIDE * FACE_SIDE * 3);
  });

  it('where there is no grain to lose, all of it', async () => {
    const clean = await restoreFace(order(0.3));
    if ('reason' in clean) throw new Error(clean.reason);
    expect(clean.most).toBe(1);
  });
});
