import sharp from 'sharp';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { faceMask } from '../../../src/imaging/faces/mask.ts';
import { FACE_TEMPLATE } from '../../../src/imaging/faces/template.ts';
import { patternAt } from '../../support/face-networks.ts';
import { pngOf } from '../../support/painted-faces.ts';
import { change, type FaceBench, farthest, noiseOf, openFaceBench, upright } from './bench.ts';

let bench: FaceBench;
beforeAll(async () => {
  bench = await openFaceBench('painted', 'same', 'pattern', 'tint', 'gfpgan', 'codeformer');
});
afterAll(() => bench.close());
const through: FaceBench['through'] = (...order) => bench.through(...order);

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
    expect(report.faces).toMatchObject([{ action: 'restored', score: 1, size: 'medium', amount }]);
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

  it.each([1, 3])('no face sees what another changed, though its aligned square shows it (%i threads)', async (threads) => {
    const wide = await pngOf(noiseOf(700, 300), 700, 300);
    // Half the template's size; the ovals do not meet.
    const facePoints = [0, 224, 448].map((left) => FACE_TEMPLATE.map(([u, v]): [number, number] => [u / 2 + left, v / 2 + 20]));
    // The general stage, too: what is shown is another picture than the source.
    const restored = (faces: typeof facePoints) => through(wide, 'pattern', { facePoints: faces, face: 'auto' }, 'painted', threads);
    const none = (await through(wide, 'pattern', { face: 'off' }, 'painted', threads)).data;
    const together = await restored(facePoints);
    expect(together.report.faces.map(({ action }) => action)).toEqual(['restored', 'restored', 'restored']);
    const alone: Uint8Array[] = [];
    for (const face of facePoints) alone.push((await restored([face])).data);
    expect(alone.every((data) => Buffer.compare(data, none) !== 0)).toBe(true);
    expect(
      farthest(together.data, (i) => alone.reduce((sum, data) => sum + (data[i] as number) - (none[i] as number), none[i] as number)),
    ).toBe(0);
  });

  it('a face much larger than the template keeps its finest detail', async () => {
    const big = noiseOf(1100, 1000);
    const facePoints = [FACE_TEMPLATE.map(([u, v]): [number, number] => [u * 2.1 + 10, v * 2.1 - 40])];
    const { data, report } = await through(await pngOf(big, 1100, 1000), 'same', { facePoints });
    expect(report.faces).toMatchObject([{ action: 'restored', size: 'large' }]);
    expect(Buffer.from(data).equals(Buffer.from(big))).toBe(true);
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
