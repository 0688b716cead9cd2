import { encodeJpeg } from './pixels.ts';
import { seededRandom } from './random.ts';

/** Width and height of a picture of so many megapixels: 4:3, or the largest legal square for 16.8. */
export function sizeOf(megapixels: number): { readonly width: number; readonly height: number } {
  if (Math.abs(megapixels - 16.8) < 0.05) return { width: 4096, height: 4096 };
  const width = Math.round(Math.sqrt((megapixels * 1e6 * 4) / 3));
  return { width, height: Math.round((megapixels * 1e6) / width) };
}

/** A JPEG of quality 75 with the busyness of a photograph: waves of several lengths and grain, from a fixed seed. */
export function speedPicture(megapixels: number): Promise<Buffer> {
  const { width, height } = sizeOf(megapixels);
  const random = seededRandom(7);
  const grain = Float32Array.from({ length: 1 << 16 }, () => (random() - 0.5) * 14);
  const waves = [3, 11, 40, 170].map((length) => ({ x: Math.cos(length) / length, y: Math.sin(length) / length, phase: random() * 6 }));
  const data = Buffer.alloc(width * height * 3);
  for (let y = 0, at = 0; y < height; y++) {
    for (let x = 0; x < width; x++, at += 3) {
      let value = 128;
      for (const wave of waves) value += 18 * Math.sin(x * wave.x + y * wave.y + wave.phase);
      value += grain[(x * 31 + y * 5171) & 0xffff] ?? 0;
      data[at] = clamp(value + 20);
      data[at + 1] = clamp(value);
      data[at + 2] = clamp(value - 25);
    }
  }
  return encodeJpeg({ width, height, channels: 3, data }, 75);
}

const clamp = (value: number) => Math.max(0, Math.min(255, Math.round(value)));
