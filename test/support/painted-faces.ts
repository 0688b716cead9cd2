import sharp from 'sharp';
import type { Point } from '../../src/imaging/faces/similarity.ts';
import { FACE_TEMPLATE } from '../../src/imaging/faces/template.ts';
import { seeded } from '../pipeline/pictures.ts';
import { PAINTED } from './face-networks.ts';

/** A disc that `paintedFaceDetector` takes for a face. */
export interface PaintedFace {
  readonly x: number;
  readonly y: number;
  /** Diameter, px: the side of its box. */
  readonly size: number;
  /** Degrees clockwise. */
  readonly angle?: number;
  /** How far below its middle the lower half begins, in radii: such a disc is no face to a careful eye. */
  readonly split?: number;
}

export interface Painting {
  readonly width: number;
  readonly height: number;
  readonly faces: readonly PaintedFace[];
  /** Standard deviation of the noise: faces without any are clear and left alone. */
  readonly sigma?: number;
}

const GREY = [128, 128, 128] as const;
const MAGENTA = [210, 45, 210] as const;
const GREEN = [45, 210, 45] as const;

/** HWC uint8 RGB: discs, upper half magenta and lower half green, on noisy grey. */
export function paint({ width, height, faces, sigma = 8 }: Painting): Uint8Array {
  const random = seeded(7);
  const rgb = new Uint8Array(width * height * 3);
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      const face = faces.find((each) => Math.hypot(x + 0.5 - each.x, y + 0.5 - each.y) <= each.size / 2 + 1);
      const colour = face ? discAt(face, x, y) : GREY;
      // Sum of uniform numbers: near enough to a normal one, and never far out.
      const noise = sigma * (random() + random() + random() + random() - 2) * 1.7;
      for (let c = 0; c < 3; c++) rgb[(y * width + x) * 3 + c] = Math.min(255, Math.max(0, Math.round((colour[c] as number) + noise)));
    }
  }
  return rgb;
}

/** The colour of a pixel, averaged over 4×4 places. */
function discAt({ x: cx, y: cy, size, angle = 0, split = 0 }: PaintedFace, x: number, y: number): number[] {
  const [cos, sin] = [Math.cos((angle * Math.PI) / 180), Math.sin((angle * Math.PI) / 180)];
  const sum = [0, 0, 0];
  for (let i = 0; i < 16; i++) {
    const [dx, dy] = [x + ((i % 4) + 0.5) / 4 - cx, y + (Math.floor(i / 4) + 0.5) / 4 - cy];
    const down = cos * dy - sin * dx;
    const colour = Math.hypot(dx, dy) > size / 2 ? GREY : down < (split * size) / 2 ? MAGENTA : GREEN;
    for (let c = 0; c < 3; c++) sum[c] = (sum[c] as number) + (colour[c] as number) / 16;
  }
  return sum;
}

/** The same as a PNG file. */
export const painted = (painting: Painting): Promise<Buffer> => pngOf(paint(painting), painting.width, painting.height);

export const pngOf = (rgb: Uint8Array, width: number, height: number, channels: 1 | 3 | 4 = 3): Promise<Buffer> =>
  sharp(rgb, { raw: { width, height, channels } })
    .toColourspace(channels === 1 ? 'b-w' : 'srgb')
    .png()
    .toBuffer();

/** Where the five points of a painted face are. */
export function pointsOf({ x, y, size, angle = 0 }: PaintedFace): [number, number][] {
  const [cos, sin] = [Math.cos((angle * Math.PI) / 180), Math.sin((angle * Math.PI) / 180)];
  return FACE_TEMPLATE.map(([u, v]: Point) => {
    const [across, down] = [((u - PAINTED.x) * size) / PAINTED.size, ((v - PAINTED.y) * size) / PAINTED.size];
    return [x + cos * across - sin * down, y + sin * across + cos * down];
  });
}
