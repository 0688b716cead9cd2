import type { Tile } from './tiles.ts';

/** Index of a coordinate reflected at the first and last line (… 2 1 0 1 2 …: the edge itself is not doubled). */
function reflected(at: number, length: number): number {
  const inside = Math.abs(at);
  if (inside < length) return inside;
  return Math.max(0, 2 * (length - 1) - inside);
}

/** The tile's pixels from HWC uint8 RGB; beyond its edges the picture is mirrored. */
export function readTile(rgb: Uint8Array, width: number, height: number, tile: Tile): Uint8Array {
  const out = new Uint8Array(tile.width * tile.height * 3);
  const before = Math.max(0, -tile.x);
  const inside = Math.min(tile.width, width - tile.x);
  for (let y = 0; y < tile.height; y++) {
    const row = reflected(tile.y + y, height) * width;
    const to = y * tile.width * 3;
    out.set(rgb.subarray((row + tile.x + before) * 3, (row + tile.x + inside) * 3), to + before * 3);
    const mirror = (x: number) => {
      const from = (row + reflected(tile.x + x, width)) * 3;
      for (let c = 0; c < 3; c++) out[to + x * 3 + c] = rgb[from + c] as number;
    };
    for (let x = 0; x < before; x++) mirror(x);
    for (let x = inside; x < tile.width; x++) mirror(x);
  }
  return out;
}

/**
 * Writes the kept part of a tile's result into HWC uint8 RGB of `width` × `scale`; tile and `width`
 * are in source pixels, the result is the tile enlarged by `scale`.
 */
export function writeTile(target: Uint8Array, width: number, result: Uint8Array, tile: Tile, scale = 1): void {
  const left = (tile.keepX - tile.x) * scale;
  const length = tile.keepWidth * scale * 3;
  for (let y = tile.keepY * scale; y < (tile.keepY + tile.keepHeight) * scale; y++) {
    const from = ((y - tile.y * scale) * tile.width * scale + left) * 3;
    target.set(result.subarray(from, from + length), (y * width + tile.keepX) * scale * 3);
  }
}
