import { squareBounds } from './align.ts';
import { faceMask, maskBounds } from './mask.ts';
import { readerFor } from './resample.ts';
import type { Similarity } from './similarity.ts';
import { FACE_SIDE } from './template.ts';

/** What the restoration changes of one aligned face, and where that face is. */
export interface FaceChange {
  /** Restored minus what the picture showed before any face was blended, HWC, 512×512. */
  readonly change: Float32Array;
  readonly toFace: Similarity;
  /** 0…1. */
  readonly amount: number;
}

/**
 * Adds a face's change to HWC uint8 RGB in place, within the oval. Where the ovals of others overlap it
 * the shares of all sum to at most 1, in whatever order the faces come. Details finer than the aligned face can hold stay as they are, since only the change is added.
 */
export function blendFace(
  rgb: Uint8Array,
  width: number,
  height: number,
  { change, toFace, amount }: FaceChange,
  others: readonly Similarity[],
): void {
  const [left, top, right, bottom] = maskBounds(toFace, width, height);
  const near = others.filter((other) => meets(maskBounds(other, width, height), [left, top, right, bottom]));
  const { sampler, map } = readerFor({ data: change, width: FACE_SIDE, height: FACE_SIDE }, toFace, [0, 0, FACE_SIDE, FACE_SIDE]);
  for (let y = top; y < bottom; y++) {
    for (let x = left, to = (y * width + left) * 3; x < right; x++, to += 3) {
      const px = x + 0.5;
      const py = y + 0.5;
      const mask = maskAt(toFace, px, py);
      if (mask === 0) continue;
      let all = mask;
      for (const other of near) all += maskAt(other, px, py);
      const share = (amount * mask) / Math.max(1, all);
      sampler.read(map.a * px - map.b * py + map.x0, map.b * px + map.a * py + map.y0);
      for (let c = 0; c < 3; c++) {
        const value = (rgb[to + c] as number) + share * (sampler.out[c] as number);
        rgb[to + c] = value <= 0 ? 0 : value >= 255 ? 255 : (value + 0.5) | 0;
      }
    }
  }
}

const maskAt = ({ a, b, x0, y0 }: Similarity, x: number, y: number) => faceMask(a * x - b * y + x0, b * x + a * y + y0);

/** Whether what is changed of one face, in its oval, may lie in another's aligned square. */
export function mayBeSeen(changed: Similarity, aligned: Similarity, width: number, height: number): boolean {
  return meets(maskBounds(changed, width, height), squareBounds(aligned));
}

type Bounds = readonly [number, number, number, number];
const meets = (one: Bounds, other: Bounds) => one[0] < other[2] && other[0] < one[2] && one[1] < other[3] && other[1] < one[3];
