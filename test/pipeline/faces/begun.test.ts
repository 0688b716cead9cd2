import sharp from 'sharp';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type PaintedFace, painted, pointsOf } from '../../support/painted-faces.ts';
import { samples } from '../pictures.ts';
import { type FaceBench, openFaceBench } from './bench.ts';

/** With two threads the result is encoded while faces are looked for; no file may show it. */
describe('a result that was begun before its faces were known', () => {
  let bench: FaceBench;
  beforeAll(async () => {
    bench = await openFaceBench('painted', 'pattern', 'same');
  });
  afterAll(() => bench.close());

  const face: PaintedFace = { x: 150, y: 120, size: 90 };
  const jpeg = async (faces: readonly PaintedFace[]) =>
    sharp(await painted({ width: 300, height: 240, faces }))
      .jpeg({ quality: 95 })
      .toBuffer();
  const twice = async (file: Buffer, network: string, options: Parameters<FaceBench['through']>[2] = {}) =>
    Promise.all([1, 2].map((threads) => bench.through(file, network, options, 'painted', threads)));

  it.each(['png', 'jpg', 'webp'] as const)('shows the faces that were restored (%s)', async (format) => {
    const file = await jpeg([face]);
    const [alone, beside] = await twice(file, 'pattern', { format });
    expect(beside?.report.faces).toMatchObject([{ action: 'restored' }]);
    expect(beside?.file.equals(alone?.file as Buffer)).toBe(true);
    const untouched = await bench.through(file, 'pattern', { format, faceStrength: 0 });
    expect(beside?.file.equals(untouched.file)).toBe(false);
  });

  it('is the picture itself where there is no face, or none that changes', async () => {
    const empty = await jpeg([]);
    const [, without] = await twice(empty, 'pattern');
    expect(without?.report.faces).toEqual([]);
    expect(Buffer.compare(Buffer.from(without?.data as Uint8Array), (await samples(empty)).data)).toBe(0);
    const seen = await jpeg([face]);
    const [, same] = await twice(seen, 'same');
    expect(Buffer.compare(Buffer.from(same?.data as Uint8Array), (await samples(seen)).data)).toBe(0);
  });

  it('shows a face that was pointed out, and keeps transparency and 16 bit', async () => {
    const points = pointsOf(face).map(([x, y]) => [x, y]) as [number, number][];
    const [alone, beside] = await twice(await jpeg([face]), 'pattern', { facePoints: [points] });
    expect(beside?.report.faces).toMatchObject([{ action: 'restored' }]);
    expect(beside?.file.equals(alone?.file as Buffer)).toBe(true);
    const plain = sharp(await painted({ width: 300, height: 240, faces: [face] }));
    const clear = await plain.clone().ensureAlpha(0.5).png().toBuffer();
    const deep = await plain.clone().toColourspace('rgb16').png().toBuffer();
    for (const file of [clear, deep]) {
      const [one, two] = await twice(file, 'pattern', { format: 'webp' });
      expect(two?.report.faces).toMatchObject([{ action: 'restored' }]);
      expect(two?.file.equals(one?.file as Buffer)).toBe(true);
    }
  });
});
