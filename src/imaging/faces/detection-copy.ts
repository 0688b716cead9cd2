import sharp from 'sharp';

/** HWC uint8 RGB that a detector is shown, and the way back. */
export interface DetectionView {
  readonly rgb: Uint8Array;
  /** Multiples of 32. */
  readonly width: number;
  readonly height: number;
  /** A length in the copy times this is one in the picture. */
  readonly factor: number;
}

/** A view of the whole picture, upright. */
export interface DetectionCopy extends DetectionView {
  /** What of it is the picture; the rest is filled up. */
  readonly inner: { readonly width: number; readonly height: number };
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
 * @param larger a copy of the same picture to reduce instead: reading a large picture once is enough
 */
export async function detectionCopy(
  rgb: Uint8Array,
  width: number,
  height: number,
  rule: CopyRule,
  larger?: DetectionCopy,
): Promise<DetectionCopy> {
  const [short, long] = [Math.min(width, height), Math.max(width, height)];
  const shrink = Math.min(1, rule.shortSide / short, (rule.size ?? rule.longSide) / long);
  const inner = { width: Math.max(1, Math.round(width * shrink)), height: Math.max(1, Math.round(height * shrink)) };
  const [right, bottom] = rule.size
    ? [rule.size - inner.width, rule.size - inner.height]
    : [roundUp(inner.width) - inner.width, roundUp(inner.height) - inner.height];
  const from = larger ?? { rgb, width, height, inner: { width, height } };
  const source = Buffer.from(from.rgb.buffer, from.rgb.byteOffset, from.rgb.length);
  let copy = sharp(source, { raw: { width: from.width, height: from.height, channels: 3 }, limitInputPixels: false });
  if (larger) copy = copy.extract({ left: 0, top: 0, ...from.inner });
  if (inner.width !== from.inner.width || inner.height !== from.inner.height)
    copy = copy.resize(inner.width, inner.height, { fit: 'fill', kernel: 'lanczos3' });
  const data = await copy.extend({ right, bottom, extendWith: 'copy' }).raw().toBuffer();
  return {
    rgb: new Uint8Array(data.buffer, data.byteOffset, data.length),
    width: inner.width + right,
    height: inner.height + bottom,
    factor: 1 / shrink,
    inner,
  };
}

/** A copy turned by an Exif orientation (3: half, 6 and 8: a quarter). */
export interface TurnedView extends DetectionView {
  readonly orientation: 3 | 6 | 8;
}

const ANGLES = { 3: 180, 6: 90, 8: 270 } as const;

/** A copy as it looks upright when it was lying by this orientation. */
export async function turned({ rgb, width, height, factor }: DetectionCopy, orientation: 3 | 6 | 8): Promise<TurnedView> {
  const source = Buffer.from(rgb.buffer, rgb.byteOffset, rgb.length);
  const { data, info } = await sharp(source, { raw: { width, height, channels: 3 } })
    .rotate(ANGLES[orientation])
    .raw()
    .toBuffer({ resolveWithObject: true });
  const view = new Uint8Array(data.buffer, data.byteOffset, data.length);
  return { rgb: view, width: info.width, height: info.height, factor, orientation };
}

/** Where a place of the turned copy lies in the copy as it was. */
export function turnedBack(
  { width, height }: DetectionCopy,
  orientation: 3 | 6 | 8,
): (point: readonly [number, number]) => [number, number] {
  if (orientation === 3) return ([x, y]) => [width - x, height - y];
  return orientation === 6 ? ([x, y]) => [y, height - x] : ([x, y]) => [width - y, x];
}
