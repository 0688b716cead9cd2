import sharp from 'sharp';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Pixels } from '../../src/imaging/forms.ts';
import { chequers, dots, enlargedPixels, lettering, screen, stripes, table } from '../imaging/drawings.ts';
import { openBench, psnr, samples } from './pictures.ts';

/** The networks have seen photographs: what they would do to drawings is up to the gate. */
describe.each(['general', 'general-fast'])('drawings through %s', (model) => {
  let bench: ReturnType<typeof openBench>;
  beforeAll(() => {
    bench = openBench();
  });
  afterAll(() => bench.close());

  const sharpOf = ({ rgb, width, height }: Pixels) => sharp(rgb, { raw: { width, height, channels: 3 } });
  const through = async (file: Buffer) => {
    const { file: result, outcome } = await bench.restore(file, { model, format: 'png', face: 'off' });
    return { data: (await samples(result)).data, gate: outcome.report.gate };
  };

  it.each([
    ['chequers', () => chequers(2)],
    ['stripes', () => stripes(3)],
    ["a printer's screen", screen],
    ['enlarged pixels', () => enlargedPixels(8)],
    ['a table', table],
  ])('%s, as they were drawn, come back as they were', async (_, draw) => {
    const drawing = draw();
    const { data, gate } = await through(await sharpOf(drawing).png().toBuffer());
    expect(gate).toMatchObject({ action: 'copy', reason: expect.stringMatching(/^nothing to repair: .*(colours|pattern|lines)/) });
    expect(Buffer.compare(data, Buffer.from(drawing.rgb))).toBe(0);
  });

  it.each([50, 75])('chequers and a screen in a JPEG of quality %i are left alone', async (quality) => {
    for (const drawing of [chequers(2), screen()]) {
      const file = await sharpOf(drawing).jpeg({ quality }).toBuffer();
      const { data, gate } = await through(file);
      expect(gate).toMatchObject({ action: 'copy', reason: expect.stringMatching(/regular/) });
      expect(Buffer.compare(data, (await samples(file)).data)).toBe(0);
    }
  });

  it.each([30, 50])('a table and a page in a JPEG of quality %i keep their lines', async (quality) => {
    for (const drawing of [table(), lettering()]) {
      const file = await sharpOf(drawing).jpeg({ quality }).toBuffer();
      const { data, gate } = await through(file);
      expect(gate.action).toBe('restore');
      const before = psnr((await samples(file)).data, drawing.rgb);
      // The noise network, which took them for noise, left up to 8 dB less.
      expect(psnr(data, drawing.rgb)).toBeGreaterThan(before - 0.3);
    }
  });

  it.each([50, 75])('small print and a table in a JPEG of quality %i become clearer', async (quality) => {
    for (const drawing of [lettering(), table()]) {
      const file = await sharpOf(drawing).jpeg({ quality }).toBuffer();
      const { data } = await through(file);
      expect(psnr(data, drawing.rgb)).toBeGreaterThan(psnr((await samples(file)).data, drawing.rgb) + 0.2);
    }
  });

  it('random dots in a JPEG are not smoothed away', async () => {
    const file = await sharpOf(dots()).jpeg({ quality: 75 }).toBuffer();
    const { data } = await through(file);
    // The noise network left 8 dB of 32.
    expect(psnr(data, dots().rgb)).toBeGreaterThan(psnr((await samples(file)).data, dots().rgb) - 1);
  });
});
