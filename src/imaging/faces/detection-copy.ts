import sharp from 'sharp';
import { orientSamples } from '../orient.ts';

/** HWC uint8 RGB made for a detector, and the way back. */
export interface DetectionCopy {
  readonly rgb: Uint8Array;
  /** Multiples of 32. */
  readonly width: number;
  readonly height: number;
  /** A length in the copy times this is one in the picture. */
  readonly factor: number;
}

export interface CopyRule {
  /** The copy's short side at most, px. A smaller picture is not enlarged. */
  readonly shortSide: number;
  /** The copy's long side at most, px. */
  readonly longSide: number;
  /** The only side the detector takes. */
  readonly size?: number;
}

const MULTIPLE = 32;
const roundUp = (value: number) => Math.ceil(value / MULTIPLE) * MULTIPLE;

/**
 * A reduced copy of HWC uint8 RGB by whose means the detector sees every face of the documented
 * smallest size, right and below filled up with the last column and row.
 */
export async function detectionCopy(rgb: Uint8Array, width: number, height: number, rule: CopyRule): Promise<DetectionCopy> {
  const [short, long] = [Math.min(width, height), Math.max(width, height)];
  const shrink = Math.min(1, rule.shortSide / short, (rule.size ?? rule.longSide) / long);
  const [inner, high] = [Math.max(1, Math.round(width * shrink)), Math.max(1, Math.round(height * shrink))];
  const [right, bottom] = rule.size ? [rule.size - inner, rule.size - high] : [roundUp(inner) - inner, roundUp(high) - high];
  const source = Buffer.from(rgb.buffer, rgb.byteOffset, rgb.length);
  let copy = sharp(source, { raw: { width, height, channels: 3 }, limitInputPixels: false });
  if (shrink < 1) copy = copy.resize(inner, high, { fit: 'fill', kernel: 'lanczos3' });
  const data = await copy.extend({ right, bottom, extendWith: 'copy' }).raw().toBuffer();
  return {
    rgb: new Uint8Array(data.buffer, data.byteOffset, data.length),
    width: inner + right,
    height: high + bottom,
    factor: 1 / shrink,
  };
}

/** Turns a copy by an Exif orientation (3: half, 6 and 8: a quarter). */
export function turned(copy: DetectionCopy, orientation: 3 | 6 | 8): DetectionCopy {
  const swap = orientation !== 3;
  return {
    rgb: orientSamples(copy.rgb, copy.width, copy.height, 3, orientation),
    width: swap ? copy.height : copy.width,
    height: swap ? copy.width : copy.height,
    factor: copy.factor,
  };
}

/** Where a place of the turned copy lies in the copy as it was. */
export function turnedBack(
  { width, height }: DetectionCopy,
  orientation: 3 | 6 | 8,
): (point: readonly [number, number]) => [number, number] {
  if (orientation === 3) return ([x, y]) => [width - x, height - y];
  return orientation === 6 ? ([x, y]) => [y, height - x] : ([x, y]) => [width - y, x];
}
