import { existsSync } from 'node:fs';
import { readdir } from 'node:fs/promises';
import { basename, extname, join } from 'node:path';
import { addCameraNoise } from './camera-noise.ts';
import { addNoise, blurred, type Degraded, doubleJpeg, mixedDegradation, smallerAndBack } from './degrade.ts';
import { cropTopLeft, decodeRgb, encodeJpeg, encodePng, type Pixels } from './pixels.ts';
import { seedOf } from './random.ts';

/** One picture under one condition: what goes in, and what should come out. */
export interface Case extends Degraded {
  readonly set: string;
  readonly condition: string;
  readonly picture: string;
}

/** A test set: its pictures and conditions, and how its figures are taken. */
export interface TestSet {
  readonly name: string;
  /** What the figures of a row mean, in words, for the heading. */
  readonly about: string;
  /** Sub-folders of the data folder with the references. */
  readonly folders: readonly string[];
  readonly metric: 'rgb' | 'luma';
  /** Clean pictures are compared with themselves: nothing can be won, only kept. */
  readonly clean?: true;
  /** Conditions of one reference. */
  degrade(reference: Pixels, name: string): AsyncGenerator<Degraded & { readonly condition: string }>;
}

const QUALITIES = [10, 20, 30, 40, 50, 60, 70, 80, 90, 95];
const SIGMAS = [15, 25, 50];

async function* compressed(reference: Pixels) {
  for (const quality of QUALITIES) yield { condition: `q${quality}`, source: await encodeJpeg(reference, quality), reference };
}

async function* noisy(reference: Pixels, name: string) {
  for (const sigma of SIGMAS) {
    const source = await encodePng(addNoise(reference, sigma, seedOf(`${name} ${sigma}`)));
    yield { condition: `σ${sigma}`, source, reference };
  }
}

/** Every set there is, in the order they are printed. */
export const TEST_SETS: readonly TestSet[] = [
  { name: 'live1-jpeg', about: 'LIVE1 colour, JPEG 4:2:0, RGB PSNR', folders: ['LIVE1'], metric: 'rgb', degrade: compressed },
  {
    name: 'live1-double',
    about: 'LIVE1 grey, JPEG q 10 then 50 on a grid shifted by 4, Y PSNR',
    folders: ['LIVE1'],
    metric: 'luma',
    async *degrade(reference) {
      yield { condition: 'q10,50', ...(await doubleJpeg(reference, 10, 50)) };
    },
  },
  {
    name: 'live1-again',
    about: 'LIVE1 colour, JPEG 4:2:0, then cropped by 3 px and saved as PNG, or saved again at a higher quality; RGB PSNR',
    folders: ['LIVE1'],
    metric: 'rgb',
    async *degrade(reference) {
      for (const quality of [10, 30, 60, 85]) {
        const once = await decodeRgb(await encodeJpeg(reference, quality));
        yield { condition: `q${quality} PNG`, source: await encodePng(cropTopLeft(once, 3)), reference: cropTopLeft(reference, 3) };
      }
      for (const [first, second] of [
        [30, 75],
        [50, 95],
        [75, 95],
      ] as const)
        yield {
          condition: `q${first},${second}`,
          source: await encodeJpeg(await decodeRgb(await encodeJpeg(reference, first)), second),
          reference,
        };
    },
  },
  { name: 'classic5-jpeg', about: 'Classic5 grey, JPEG, Y PSNR', folders: ['Classic5'], metric: 'luma', degrade: compressed },
  { name: 'cbsd68-noise', about: 'CBSD68, Gaussian noise clipped to 8 bit, RGB PSNR', folders: ['CBSD68'], metric: 'rgb', degrade: noisy },
  {
    name: 'mcmaster-noise',
    about: 'McMaster, Gaussian noise clipped to 8 bit, RGB PSNR',
    folders: ['McMaster'],
    metric: 'rgb',
    degrade: noisy,
  },
  {
    name: 'camera-noise',
    about: 'McMaster, noise of a sensor behind a Bayer mosaic, as PNG and as a phone saves it; RGB PSNR',
    folders: ['McMaster'],
    metric: 'rgb',
    async *degrade(reference, name) {
      const taken = (sigma: number) => addCameraNoise(reference, sigma, seedOf(`camera ${name} ${sigma}`));
      for (const sigma of [6, 12, 25]) yield { condition: `σ${sigma}`, source: await encodePng(taken(sigma)), reference };
      yield { condition: 'σ12, q92', source: await encodeJpeg(taken(12), 92), reference };
    },
  },
  {
    name: 'soft',
    about: 'LIVE1 and McMaster, a Gaussian blur, as PNG and in a light JPEG, or a copy of half the size enlarged again; RGB PSNR',
    folders: ['LIVE1', 'McMaster'],
    metric: 'rgb',
    async *degrade(reference) {
      for (const sigma of [0.8, 1.2, 1.6])
        yield { condition: `blur ${sigma}`, source: await encodePng(await blurred(reference, sigma)), reference };
      yield { condition: 'blur 1.2, q92', source: await encodeJpeg(await blurred(reference, 1.2), 92), reference };
      yield { condition: 'half size', source: await encodePng(await smallerAndBack(reference, 0.5)), reference };
    },
  },
  {
    name: 'soft-harmed',
    about: 'LIVE1 and McMaster, a Gaussian blur, then JPEG 4:2:0 or Gaussian noise; RGB PSNR',
    folders: ['LIVE1', 'McMaster'],
    metric: 'rgb',
    async *degrade(reference, name) {
      const soft = await blurred(reference, 1.2);
      yield { condition: 'blur 0.8, q75', source: await encodeJpeg(await blurred(reference, 0.8), 75), reference };
      for (const quality of [85, 60, 30]) yield { condition: `blur 1.2, q${quality}`, source: await encodeJpeg(soft, quality), reference };
      const grainy = addNoise(soft, 10, seedOf(`soft ${name}`));
      yield { condition: 'blur 1.2, σ10', source: await encodePng(grainy), reference };
      yield { condition: 'blur 1.2, σ10, q85', source: await encodeJpeg(grainy, 85), reference };
    },
  },
  {
    name: 'enlarged',
    about: 'LIVE1 and McMaster, small JPEGs that somebody enlarged, as PNG or compressed again; RGB PSNR',
    folders: ['LIVE1', 'McMaster'],
    metric: 'rgb',
    async *degrade(reference) {
      for (const [factor, quality] of [
        [0.5, 75],
        [0.5, 40],
        [0.7, 60],
      ] as const) {
        const large = await smallerAndBack(reference, factor, quality);
        const condition = `${factor} × at q${quality}`;
        yield { condition, source: await encodePng(large), reference };
        yield { condition: `${condition}, q85`, source: await encodeJpeg(large, 85), reference };
      }
    },
  },
  {
    name: 'mixed',
    about: 'LIVE1, McMaster, Set5: blur, resampling, noise, JPEG by fixed seeds; RGB PSNR',
    folders: ['LIVE1', 'McMaster', 'Set5'],
    metric: 'rgb',
    async *degrade(reference, name) {
      for (const draw of [1, 2])
        yield { condition: `draw ${draw}`, ...(await mixedDegradation(reference, seedOf(`mixed ${name} ${draw}`))) };
    },
  },
  {
    name: 'clean',
    about: 'LIVE1 and McMaster unharmed, as PNG: PSNR of the result to the source',
    folders: ['LIVE1', 'McMaster'],
    metric: 'rgb',
    clean: true,
    async *degrade(reference) {
      yield { condition: 'clean', source: await encodePng(reference), reference };
    },
  },
];

/** The cases of a set, one at a time; `limit` pictures of each folder at most. Folders that are not there are left out. */
export async function* casesOf(set: TestSet, data: string, limit: number): AsyncGenerator<Case> {
  for (const folder of set.folders) {
    for (const file of (await references(join(data, folder))).slice(0, limit)) {
      const picture = `${folder}/${basename(file, extname(file))}`;
      for await (const degraded of set.degrade(await decodeRgb(file), picture)) yield { set: set.name, picture, ...degraded };
    }
  }
}

/** Folders of a set that the data folder does not have. */
export function missingFolders(set: TestSet, data: string): readonly string[] {
  return set.folders.filter((folder) => !existsSync(join(data, folder)));
}

async function references(folder: string): Promise<string[]> {
  const names = existsSync(folder) ? await readdir(folder) : [];
  return names
    .filter((name) => /\.(png|webp|jpe?g)$/i.test(name))
    .sort()
    .map((name) => join(folder, name));
}
