import fc from 'fast-check';
import sharp from 'sharp';
import { afterAll, describe, expect, it } from 'vitest';
import { conditionVector } from '../../src/imaging/conditions.ts';
import { FORMS, type Form } from '../../src/imaging/forms.ts';
import { coarseNoise, rawNoiseSigma } from '../../src/imaging/noise.ts';
import { planTilesOnGrid, type TileRule } from '../../src/imaging/tiles.ts';
import { openNetwork } from '../../src/inference/session.ts';
import { doTiles, tileWork } from '../../src/inference/tile-work.ts';
import { SUFFERINGS } from '../../src/models/manifest.ts';
import { createRegistry, networkFor, shippedModelsDir, tileRuleFor } from '../../src/models/registry.ts';
import { CITY, noisy, samples, seeded } from './pictures.ts';

const registry = createRegistry({ shippedDir: shippedModelsDir() });
const files = ['general', 'general-fast'].flatMap((name) =>
  (['fp32', 'int8'] as const).flatMap((precision) =>
    SUFFERINGS.flatMap((suffering) => {
      const entry = registry.get(name);
      const file = networkFor(entry, suffering, precision);
      return (file.precision ?? 'fp32') === precision ? [{ entry, file }] : [];
    }),
  ),
);
const networks = await Promise.all(files.map(({ entry, file }) => openNetwork(entry, file, { threads: 1, provider: 'cpu' })));
afterAll(() => Promise.all(networks.map((network) => network.close())));

const AS_IS = ['as-is'] as const satisfies readonly Form[];

const LEAD = { x: 5, y: 2 };

async function run(
  rgb: Uint8Array,
  width: number,
  height: number,
  rule: TileRule,
  which: number,
  forms: readonly Form[],
  lead = { x: 0, y: 0 },
) {
  const network = networks[which] as (typeof networks)[number];
  const conditions = conditionVector(network.conditions, {
    jpeg: undefined,
    rawSigma: rawNoiseSigma(rgb, width, height),
    coarseSigma: coarseNoise(rgb, width, height).sigma,
  });
  const tiles = planTilesOnGrid(width, height, rule, lead);
  const work = tileWork({ rgb, width, height }, tiles, { conditions, forms }, 1, 1);
  await doTiles(network, work);
  return { out: work.result, tiles: tiles.length };
}

/** The shipped rule with small tiles, so that small pictures have seams; the halo is the network's own. */
const small = (max: number, which: number): TileRule => {
  const { entry, file } = files[which] as (typeof files)[number];
  const rule = tileRuleFor(entry, file);
  return { ...rule, max: Math.max(max, 2 * rule.halo + 2 * rule.multiple) };
};

async function largestDifference(
  rgb: Uint8Array,
  width: number,
  height: number,
  max: number,
  which: number,
  forms: readonly Form[] = AS_IS,
  lead = { x: 0, y: 0 },
): Promise<number> {
  const whole = await run(rgb, width, height, small(4096, which), which, forms, lead);
  const tiled = await run(rgb, width, height, small(max, which), which, forms, lead);
  expect(whole.tiles).toBe(1);
  expect(tiled.tiles).toBeGreaterThan(1);
  return whole.out.reduce((most, value, i) => Math.max(most, Math.abs(value - (tiled.out[i] as number))), 0);
}

describe('tiled equals untiled within 1/255', () => {
  it('on random pictures of odd sizes', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.integer({ min: 300, max: 350 }),
        fc.integer({ min: 160, max: 330 }),
        fc.constantFrom(176, 192),
        fc.nat({ max: files.length - 1 }),
        fc.integer(),
        async (width, height, max, which, seed) => {
          const random = seeded(seed);
          const rgb = Uint8Array.from({ length: width * height * 3 }, () => random() * 256);
          expect(await largestDifference(rgb, width, height, max, which)).toBeLessThanOrEqual(1);
        },
      ),
      { numRuns: 12, seed: 1 },
    );
  });

  it('on a real picture whose blocks begin elsewhere', async () => {
    const { data, width, height } = await samples(await sharp(CITY).jpeg({ quality: 20 }).toBuffer());
    for (const [which, { file }] of files.entries()) {
      if (file.when !== 'compression') continue;
      expect(await largestDifference(data, width, height, 176, which, AS_IS, LEAD)).toBeLessThanOrEqual(1);
    }
  });

  it('on random pictures, as the mean of several forms', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.integer({ min: 290, max: 310 }),
        fc.integer({ min: 180, max: 210 }),
        fc.nat({ max: files.length - 1 }),
        fc.subarray([...FORMS], { minLength: 2, maxLength: 8 }),
        fc.integer(),
        async (width, height, which, forms, seed) => {
          const random = seeded(seed);
          const rgb = Uint8Array.from({ length: width * height * 3 }, () => random() * 256);
          expect(await largestDifference(rgb, width, height, 176, which, forms)).toBeLessThanOrEqual(1);
        },
      ),
      { numRuns: 4, seed: 2 },
    );
  });

  it.each(files.map(({ entry, file }, which) => [`${entry.manifest.name}/${file.file}`, which] as const))(
    'on a real picture, %s',
    async (_, which) => {
      const { file } = files[which] as (typeof files)[number];
      const odd = sharp(CITY).extract({ left: 0, top: 0, width: 317, height: 239 });
      const lq = { compression: odd.jpeg({ quality: 10 }), noise: sharp(CITY), blur: odd.blur(1.2).png(), any: sharp(CITY) }[file.when];
      const { data, width, height } = await samples(await lq.toBuffer());
      const rgb = file.when === 'noise' ? noisy(data, 50, 3) : data;
      expect(await largestDifference(rgb, width, height, 160, which)).toBeLessThanOrEqual(1);
    },
  );

  it('every network of both tiers is looked at', () => {
    const shipped = ['general', 'general-fast'].flatMap((name) => registry.get(name).manifest.networks);
    expect(files.map(({ file }) => file.sha256).sort()).toEqual(shipped.map(({ sha256 }) => sha256).sort());
  });
});
