import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { readTile, writeTile } from '../../src/imaging/tile-pixels.ts';
import { planTiles, planTilesOnGrid, type Tile, type TileRule } from '../../src/imaging/tiles.ts';

const rules = fc.record({
  multiple: fc.constantFrom(8, 16),
  halo: fc.constantFrom(0, 8, 32, 48),
  max: fc.constantFrom(128, 160, 256),
}) as fc.Arbitrary<TileRule>;
const side = fc.integer({ min: 17, max: 900 });
const lanes = fc.integer({ min: 1, max: 6 });

describe('planTiles', () => {
  it('kept parts cover every pixel exactly once; origins and sizes keep the phase; context is never short', () => {
    fc.assert(
      fc.property(side, side, rules, lanes, (width, height, rule, lanes) => {
        const covered = new Uint8Array(width * height);
        for (const tile of planTiles(width, height, rule, lanes)) {
          expect([tile.x % rule.multiple, tile.y % rule.multiple, tile.width % rule.multiple, tile.height % rule.multiple]).toEqual([
            0, 0, 0, 0,
          ]);
          expect(tile.width * tile.height).toBeLessThanOrEqual(rule.max ** 2);
          expect(Math.min(tile.x, tile.y, tile.keepX - tile.x, tile.keepY - tile.y)).toBeGreaterThanOrEqual(0);
          expect(Math.min(tile.keepWidth, tile.keepHeight)).toBeGreaterThan(0);
          // Context: the halo, or the picture's own edge.
          expect(tile.x === 0 || tile.keepX - tile.x >= rule.halo).toBe(true);
          expect(tile.y === 0 || tile.keepY - tile.y >= rule.halo).toBe(true);
          expect(tile.keepX + tile.keepWidth === width || tile.x + tile.width - tile.keepX - tile.keepWidth >= rule.halo).toBe(true);
          expect(tile.keepY + tile.keepHeight === height || tile.y + tile.height - tile.keepY - tile.keepHeight >= rule.halo).toBe(true);
          for (let y = tile.keepY; y < tile.keepY + tile.keepHeight; y++) {
            for (let x = tile.keepX; x < tile.keepX + tile.keepWidth; x++) covered[y * width + x] = (covered[y * width + x] as number) + 1;
          }
        }
        expect(covered.every((count) => count === 1)).toBe(true);
      }),
      { numRuns: 150 },
    );
  });

  it('fed on another grid, they cover it as well; blocks begin where tiles do; context is never short', () => {
    const lead = fc.integer({ min: 0, max: 7 });
    fc.assert(
      fc.property(side, side, rules, lead, lead, (width, height, rule, x, y) => {
        const covered = new Uint8Array(width * height);
        for (const tile of planTilesOnGrid(width, height, rule, { x, y })) {
          expect([(tile.x + x) % rule.multiple, (tile.y + y) % rule.multiple]).toEqual([0, 0]);
          expect(Math.min(tile.keepWidth, tile.keepHeight)).toBeGreaterThan(0);
          expect(tile.x <= 0 || tile.keepX - tile.x >= rule.halo).toBe(true);
          expect(tile.y <= 0 || tile.keepY - tile.y >= rule.halo).toBe(true);
          expect(tile.keepX + tile.keepWidth === width || tile.x + tile.width - tile.keepX - tile.keepWidth >= rule.halo).toBe(true);
          expect(tile.keepY + tile.keepHeight === height || tile.y + tile.height - tile.keepY - tile.keepHeight >= rule.halo).toBe(true);
          for (let row = tile.keepY; row < tile.keepY + tile.keepHeight; row++) {
            for (let at = row * width + tile.keepX; at < row * width + tile.keepX + tile.keepWidth; at++)
              covered[at] = (covered[at] as number) + 1;
          }
        }
        expect(covered.every((count) => count === 1)).toBe(true);
      }),
      { numRuns: 100 },
    );
  });

  it('tiles of one picture have one size per side, so the engine keeps its memory plan', () => {
    fc.assert(
      fc.property(side, side, rules, lanes, (width, height, rule, lanes) => {
        const tiles = planTiles(width, height, rule, lanes);
        expect(new Set(tiles.map((tile) => `${tile.width}×${tile.height}`)).size).toBe(1);
      }),
    );
  });

  it('a picture worth it gives every lane a tile; the slowest lane never computes more than one lane would', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1000, max: 4096 }), fc.integer({ min: 1000, max: 4096 }), lanes, (width, height, lanes) => {
        const rule = { multiple: 8, halo: 64, max: 1216 };
        const work = (tiles: readonly Tile[]) => Math.ceil(tiles.length / lanes) * (tiles[0] as Tile).width * (tiles[0] as Tile).height;
        const tiles = planTiles(width, height, rule, lanes);
        expect(tiles.length).toBeGreaterThanOrEqual(lanes);
        // Above two lanes tiles are kept smaller, for the sake of memory.
        if (lanes <= 2) expect(work(tiles)).toBeLessThanOrEqual(work(planTiles(width, height, rule)));
        // Context and uneven ends cost less than dividing gains.
        expect((work(tiles) * lanes) / (width * height)).toBeLessThan(1.25 + 0.15 * (lanes - 1));
      }),
    );
  });

  it('a tiny picture stays whole: a second tile would be all context', () => {
    expect(planTiles(48, 48, { multiple: 8, halo: 64, max: 1216 }, 4)).toHaveLength(1);
    expect(planTiles(120, 90, { multiple: 8, halo: 64, max: 1216 }, 2)).toHaveLength(1);
  });

  it('the largest legal pictures are planned in no time', () => {
    const began = performance.now();
    const tiles = planTiles(65_535, 15_258, { multiple: 8, halo: 64, max: 1216 }, 4);
    expect(tiles.reduce((sum, tile) => sum + tile.keepWidth * tile.keepHeight, 0)).toBe(65_535 * 15_258);
    expect(performance.now() - began).toBeLessThan(5000);
  });

  it('a network with one side only gets tiles of that side, and every pixel is kept once', () => {
    fc.assert(
      fc.property(side, side, fc.constantFrom(64, 96, 130), fc.constantFrom(0, 10, 16), (width, height, size, halo) => {
        const covered = new Uint8Array(width * height);
        for (const tile of planTiles(width, height, { multiple: 2, halo, max: 16, size }, 3)) {
          expect([tile.width, tile.height]).toEqual([size, size]);
          expect(Math.min(tile.x, tile.y)).toBeGreaterThanOrEqual(0);
          expect(tile.x === 0 || tile.keepX - tile.x >= halo).toBe(true);
          expect(tile.keepY + tile.keepHeight === height || tile.y + tile.height - tile.keepY - tile.keepHeight >= halo).toBe(true);
          for (let y = tile.keepY; y < tile.keepY + tile.keepHeight; y++) {
            for (let x = tile.keepX; x < tile.keepX + tile.keepWidth; x++) covered[y * width + x] = (covered[y * width + x] as number) + 1;
          }
        }
        expect(covered.every((count) => count === 1)).toBe(true);
      }),
      { numRuns: 60 },
    );
  });

  it('an enlarged tile lands where its pixels belong', () => {
    fc.assert(
      fc.property(fc.integer({ min: 17, max: 120 }), fc.integer({ min: 17, max: 120 }), fc.constantFrom(2, 4), (width, height, scale) => {
        const rgb = Uint8Array.from({ length: width * height * 3 }, (_, i) => (Math.imul(i, 2654435761) >>> 24) & 255);
        const out = new Uint8Array(rgb.length * scale ** 2);
        const repeat = (data: Uint8Array, wide: number) =>
          Uint8Array.from({ length: data.length * scale ** 2 }, (_, i) => {
            const [x, y] = [Math.floor(i / 3) % (wide * scale), Math.floor(i / 3 / (wide * scale))];
            return data[(Math.floor(y / scale) * wide + Math.floor(x / scale)) * 3 + (i % 3)] as number;
          });
        for (const tile of planTiles(width, height, { multiple: 4, halo: 8, max: 48 }))
          writeTile(out, width, repeat(readTile(rgb, width, height, tile), tile.width), tile, scale);
        expect(Buffer.compare(out, repeat(rgb, width))).toBe(0);
      }),
      { numRuns: 30 },
    );
  });

  it('what is read and written back without a network is the picture itself', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 17, max: 300 }),
        fc.integer({ min: 17, max: 300 }),
        rules,
        fc.integer(),
        fc.record({ x: fc.integer({ min: 0, max: 7 }), y: fc.integer({ min: 0, max: 7 }) }),
        (width, height, rule, seed, lead) => {
          const rgb = Uint8Array.from({ length: width * height * 3 }, (_, i) => (Math.imul(i + seed, 2654435761) >>> 24) & 255);
          const out = new Uint8Array(rgb.length);
          for (const tile of planTilesOnGrid(width, height, rule, lead)) writeTile(out, width, readTile(rgb, width, height, tile), tile);
          expect(Buffer.compare(Buffer.from(out), Buffer.from(rgb))).toBe(0);
        },
      ),
      { numRuns: 60 },
    );
  });

  it('beyond its edges a tile has the mirror image, without the edge twice', () => {
    const rgb = Uint8Array.from({ length: 4 * 3 * 3 }, (_, i) => Math.floor(i / 3));
    const tile = { x: -2, y: -1, width: 8, height: 6, keepX: 0, keepY: 0, keepWidth: 4, keepHeight: 3 };
    const seen = readTile(rgb, 4, 3, tile).filter((_, i) => i % 3 === 0);
    const row = (from: number) => [2, 1, 0, 1, 2, 3, 2, 1].map((x) => x + from);
    expect([...seen]).toEqual([4, 0, 4, 8, 4, 0].flatMap(row));
  });
});
