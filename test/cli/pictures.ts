import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import sharp from 'sharp';

/** A smooth, busy enough scene of any size, the same for the same seed; RGB samples. */
export function scene(width: number, height: number, seed = 1): Buffer {
  const data = Buffer.alloc(width * height * 3);
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      const at = (y * width + x) * 3;
      const wave = Math.sin((x * (seed % 7) + 11) / 9) + Math.cos((y + seed * 5) / 7) + (((x >> 4) + (y >> 4)) % 2);
      for (let c = 0; c < 3; c++) data[at + c] = Math.max(0, Math.min(255, 120 + 40 * wave + 15 * (c - 1)));
    }
  }
  return data;
}

/** The scene as a coarse JPEG: something to repair. */
export function jpeg(width = 96, height = 72, quality = 20, seed = 1): Promise<Buffer> {
  return sharp(scene(width, height, seed), { raw: { width, height, channels: 3 } })
    .jpeg({ quality })
    .toBuffer();
}

/** The scene as PNG. */
export function png(width = 96, height = 72, seed = 1): Promise<Buffer> {
  return sharp(scene(width, height, seed), { raw: { width, height, channels: 3 } })
    .png()
    .toBuffer();
}

/** Writes a file with its folders. */
export function put(path: string, bytes: Buffer | string): string {
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, bytes);
  return path;
}
