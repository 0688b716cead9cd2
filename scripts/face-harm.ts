/** What is done to clean faces to see what becomes of them: for `face-gain.ts` and `face-sheet.ts`. */
import type sharp from 'sharp';
import { decodeRgb, encodeJpeg, encodePng, type Pixels, raw } from '../src/cli/bench/pixels.ts';
import { gaussian, seededRandom } from '../src/cli/bench/random.ts';
import { FACE_SIDE } from '../src/imaging/faces/template.ts';

/** Blur of a whole face, share of its size, noise, quality (undefined: no compression), chroma subsampling. */
export interface Plan {
  readonly kind: 'light' | 'portrait';
  readonly blur: number;
  readonly side: number;
  readonly sigma: number;
  readonly quality: number | undefined;
  readonly subsampling: '4:2:0' | '4:4:4';
}

/** The mixtures of `training/face_data.py`, as a picture would hold them: at the face's own size. */
export function planOf(kind: Plan['kind'], random: () => number): Plan {
  const between = (low: number, high: number) => low + random() * (high - low);
  const log = (low: number, high: number) => Math.exp(between(Math.log(low), Math.log(high)));
  const [what, again] = [random(), random()];
  const subsampling = random() < 0.7 ? '4:2:0' : '4:4:4';
  if (kind === 'light') {
    const quality = Math.round(between(15, 96));
    const blur = what >= 0.35 && what < 0.6 ? between(0.4, 1.6) : 0;
    const sigma = what < 0.35 ? between(1, 35) : 0;
    return { kind, blur, sigma, side: FACE_SIDE, subsampling, quality: what > 0.5 || again < 0.4 ? quality : undefined };
  }
  return {
    kind,
    blur: what < 0.55 ? log(0.5, 8) : 0,
    side: again < 0.85 ? Math.round(FACE_SIDE / log(1, 8)) : FACE_SIDE,
    sigma: random() < 0.6 ? between(0.5, 20) : 0,
    quality: random() < 0.7 ? Math.round(between(25, 96)) : undefined,
    subsampling,
  };
}

/** The degraded file and what it should have been, at the same size. */
export async function degraded(
  face: Buffer,
  { blur, side, sigma, quality, subsampling }: Plan,
  seed: number,
): Promise<{ file: Buffer; truth: Pixels }> {
  const sized = async (image: ReturnType<typeof sharp>): Promise<Pixels> => {
    const { data } = await image.resize(side, side, { kernel: 'lanczos3' }).raw().toBuffer({ resolveWithObject: true });
    return { width: side, height: side, channels: 3, data };
  };
  const whole = await decodeRgb(face);
  const truth = await sized(raw(whole));
  const soft = blur > 0 ? await sized(raw({ ...whole, data: await raw(whole).blur(blur).raw().toBuffer() })) : truth;
  const next = gaussian(seededRandom(seed));
  const harmed =
    sigma > 0 ? { ...soft, data: soft.data.map((value) => Math.max(0, Math.min(255, Math.round(value + sigma * next())))) } : soft;
  return { file: quality === undefined ? await encodePng(harmed) : await encodeJpeg(harmed, quality, subsampling), truth };
}
