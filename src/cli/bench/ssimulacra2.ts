import { blurTransposed, recursiveGaussian } from './gaussian.ts';
import { product } from './metrics.ts';
import type { Pixels } from './pixels.ts';
import { LIGHT } from './srgb.ts';

const SCALES = 6;
const C2 = 0.0009;
const SIGMA = 1.5;
/** A scale is left out when the one before it was smaller than this. */
const SMALLEST = 8;

/**
 * SSIMULACRA 2.1: 100 for equal pictures, 90 visually lossless, 70 high quality, 50 medium, 30 low; negative
 * where almost nothing is left. Not symmetric: an edge that was added counts differently from one that
 * was lost. Three error maps (structure; artefacts; lost detail) in positive XYB at six scales, each as
 * mean and as 4-norm, weighted.
 *
 * Definition and constants: J. Sneyers (Cloudinary), `tools/ssimulacra2.cc` of libjxl (BSD-3-Clause), 2023.
 */
export function ssimulacra2(picture: Pixels, reference: Pixels): number {
  return ssimulacra2Against(reference)(picture);
}

/** {@link ssimulacra2} of any number of pictures against one reference, whose part is computed once. */
export function ssimulacra2Against(reference: Pixels): (picture: Pixels) => number {
  const { width, height, channels } = reference;
  const size = `${width}×${height}×${channels}`;
  if (channels !== 3) throw new Error(`SSIMULACRA 2 needs three channels, received ${size}`);
  if (Math.min(width, height) < SMALLEST)
    throw new Error(`SSIMULACRA 2 needs ${SMALLEST} pixels on each side, received ${width}×${height}`);
  let original: Level[] | undefined;
  return (picture) => {
    if (picture.width !== width || picture.height !== height || picture.channels !== channels)
      throw new Error(`pictures differ: ${picture.width}×${picture.height}×${picture.channels} and ${size}`);
    original ??= pyramid(reference);
    const distorted = pyramid(picture);
    return score(original.map((level, i) => errorsOf(level, distorted[i] as Level)));
  };
}

/** One picture at one scale: positive XYB, its blur, and the blur of its square. */
interface Level {
  readonly width: number;
  readonly height: number;
  readonly xyb: Planes;
  readonly mean: Planes;
  readonly square: Planes;
}

function pyramid(picture: Pixels): Level[] {
  const levels: Level[] = [];
  let { width, height } = picture;
  let light = linear(picture);
  while (levels.length < SCALES && Math.min(width, height) >= SMALLEST) {
    if (levels.length > 0) {
      light = halved(light, width, height);
      [width, height] = [Math.ceil(width / 2), Math.ceil(height / 2)];
    }
    const xyb = positiveXyb(light);
    const blurred = (planes: Planes) => planes.map((plane) => blur(plane, width, height)) as unknown as Planes;
    levels.push({
      width,
      height,
      xyb,
      mean: blurred(xyb),
      square: blurred(xyb.map((plane) => product(plane, plane)) as unknown as Planes),
    });
  }
  return levels;
}

const FILTER = recursiveGaussian(SIGMA);
const blur = (plane: Float64Array, width: number, height: number) =>
  blurTransposed(blurTransposed(plane, width, height, FILTER), height, width, FILTER);

/** Three planes of one size. */
type Planes = readonly [Float64Array, Float64Array, Float64Array];

const planes = (length: number): Planes => [new Float64Array(length), new Float64Array(length), new Float64Array(length)];

/** sRGB bytes to linear light. */
function linear({ data }: Pixels): Planes {
  const out = planes(data.length / 3);
  for (const [c, plane] of out.entries()) for (let i = 0; i < plane.length; i++) plane[i] = LIGHT[data[3 * i + c] as number] as number;
  return out;
}

/** Means of 2×2; at an odd edge the last row or column counts twice. */
function halved(from: Planes, width: number, height: number): Planes {
  const [half, low] = [Math.ceil(width / 2), Math.ceil(height / 2)];
  const out = planes(half * low);
  for (const [c, plane] of from.entries()) {
    for (let y = 0; y < low; y++) {
      const [top, bottom] = [2 * y * width, Math.min(2 * y + 1, height - 1) * width];
      for (let x = 0; x < half; x++) {
        const [left, right] = [2 * x, Math.min(2 * x + 1, width - 1)];
        const above = (plane[top + left] as number) + (plane[top + right] as number);
        (out[c] as Float64Array)[y * half + x] = (above + (plane[bottom + left] as number) + (plane[bottom + right] as number)) / 4;
      }
    }
  }
  return out;
}

const BIAS = 0.0037930732552754493;
const DARK = Math.cbrt(BIAS);
const ABSORBANCE = [
  [0.3, 0.622, 0.078],
  [0.23, 0.692, 0.078],
  [0.24342268924547819, 0.20476744424496821, 0.5518098665095535],
] as const;

/** Linear light to XYB, moved and scaled to about 0…1, with B − Y instead of B. */
function positiveXyb([red, green, blue]: Planes): Planes {
  const out = planes(red.length);
  const cone = (row: 0 | 1 | 2, i: number) => {
    const [r, g, b] = ABSORBANCE[row];
    return Math.cbrt(Math.max(0, r * (red[i] as number) + g * (green[i] as number) + b * (blue[i] as number) + BIAS)) - DARK;
  };
  for (let i = 0; i < red.length; i++) {
    const [long, middle, short] = [cone(0, i), cone(1, i), cone(2, i)];
    const y = (long + middle) / 2;
    out[0][i] = 7 * (long - middle) + 0.42;
    out[1][i] = y + 0.01;
    out[2][i] = short - y + 0.55;
  }
  return out;
}

/** By channel: mean and 4-norm of structure, artefact and lost detail: [s, a, l, s4, a4, l4]. */
function errorsOf(original: Level, distorted: Level): number[][] {
  return original.xyb.map((a, c) => {
    const b = distorted.xyb[c] as Float64Array;
    const ab = blur(product(a, b), original.width, original.height);
    const [ma, mb, aa, bb] = [original.mean[c], distorted.mean[c], original.square[c], distorted.square[c]] as Four;
    let [structure, artefact, lost, structure4, artefact4, lost4] = [0, 0, 0, 0, 0, 0];
    for (let i = 0; i < a.length; i++) {
      const [ua, ub] = [ma[i] as number, mb[i] as number];
      const alike = 2 * ((ab[i] as number) - ua * ub) + C2;
      // Brackets: equal pictures must give exactly zero.
      const spread = (aa[i] as number) - ua * ua + ((bb[i] as number) - ub * ub) + C2;
      const apart = ua - ub;
      const different = Math.max(0, 1 - ((1 - apart * apart) * alike) / spread);
      // Squared twice: a power is a call, and there are six for every pixel.
      const squared = different * different;
      structure += different;
      structure4 += squared * squared;
      const edge = (1 + Math.abs((b[i] as number) - ub)) / (1 + Math.abs((a[i] as number) - ua)) - 1;
      const edge2 = edge * edge;
      if (edge > 0) {
        artefact += edge;
        artefact4 += edge2 * edge2;
      } else {
        lost -= edge;
        lost4 += edge2 * edge2;
      }
    }
    const sums = [structure, artefact, lost, structure4, artefact4, lost4];
    return sums.map((sum, i) => (i < 3 ? sum / a.length : (sum / a.length) ** 0.25));
  });
}

type Four = [Float64Array, Float64Array, Float64Array, Float64Array];

/** Weights run over channels, scales, norms and maps; with fewer scales the count simply goes on, as in the original. */
function score(scales: readonly (readonly (readonly number[])[])[]): number {
  const errors = [0, 1, 2].flatMap((channel) => scales.flatMap((scale) => scale[channel] ?? []));
  const sum = 0.9562382616834844 * errors.reduce((total, error, i) => total + (WEIGHTS[i] as number) * error, 0);
  const bent = 2.326765642916932 * sum - 0.020884521182843837 * sum ** 2 + 6.248496625763138e-5 * sum ** 3;
  return bent > 0 ? 100 - 10 * bent ** 0.6276336467831387 : 100;
}

// biome-ignore format: one row per scale: structure, artefact, lost detail as mean, then as 4-norm
const WEIGHTS: readonly number[] = [
  // X
  0, 0.0007376606707406586, 0, 0, 0.0007793481682867309, 0,
  0, 0.0004371155730107379, 0, 1.1041726426657346, 0.00066284834129271, 0.00015231632783718752,
  0, 0.0016406437456599754, 0, 1.8422455520539298, 11.441172603757666, 0,
  0.0007989109436015163, 0.000176816438078653, 0, 1.8787594979546387, 10.94906990605142, 0,
  0.0007289346991508072, 0.9677937080626833, 0, 0.00014003424285435884, 0.9981766977854967, 0.00031949755934435053,
  0.0004550992113792063, 0, 0, 0.0013648766163243398, 0, 0,
  // Y
  0, 0, 0, 7.466890328078848, 0, 17.445833984131262,
  0.0006235601634041466, 0, 0, 6.683678146179332, 0.00037724407979611296, 1.027889937768264,
  225.20515300849274, 0, 0, 19.213238186143016, 0.0011401524586618361, 0.001237755635509985,
  176.39317598450694, 0, 0, 24.43300999870476, 0.28520802612117757, 0.0004485436923833408,
  0, 0, 0, 34.77906344483772, 44.835625328877896, 0,
  0, 0, 0, 0, 0, 0,
  // B − Y
  0, 0.0008680556573291698, 0, 0, 0, 0,
  0, 0.0005313191874358747, 0, 0.00016533814161379112, 0, 0,
  0, 0, 0, 0.0004179171803251336, 0.0017290828234722833, 0,
  0.0020827005846636437, 0, 0, 8.826982764996862, 23.19243343998926, 0,
  95.1080498811086, 0.9863978034400682, 0.9834382792465353, 0.0012286405048278493, 171.2667255897307, 0.9807858872435379,
  0, 0, 0, 0.0005130064588990679, 0, 0.00010854057858411537,
];
