/**
 * The eight ways a rectangle can lie: `x` mirrored left to right, `y` top to bottom, `t` then transposed
 * (rows become columns). `as-is` is none of them.
 */
export const FORMS = ['as-is', 'x', 'y', 'xy', 't', 'xt', 'yt', 'xyt'] as const;
export type Form = (typeof FORMS)[number];

/** HWC uint8 RGB and its size. */
export interface Pixels {
  readonly rgb: Uint8Array;
  readonly width: number;
  readonly height: number;
}

/** The picture in this form; itself where that changes nothing. */
export function turned(picture: Pixels, form: Form): Pixels {
  if (form === 'as-is') return picture;
  const { rgb, width, height } = picture;
  const flipped = form.includes('t') ? { width: height, height: width } : { width, height };
  const out = new Uint8Array(rgb.length);
  const copy = (to: number, from: number) => {
    out[to] = rgb[from] as number;
    out[to + 1] = rgb[from + 1] as number;
    out[to + 2] = rgb[from + 2] as number;
  };
  eachPixel(flipped.width, flipped.height, form, copy);
  return { rgb: out, ...flipped };
}

/** Adds to `sums` (HWC, of the untransposed size) the samples of a picture that is in this form. */
export function addBack(sums: Uint16Array, { rgb, width, height }: Pixels, form: Form): void {
  eachPixel(width, height, form, (from, to) => {
    sums[to] = (sums[to] as number) + (rgb[from] as number);
    sums[to + 1] = (sums[to + 1] as number) + (rgb[from + 1] as number);
    sums[to + 2] = (sums[to + 2] as number) + (rgb[from + 2] as number);
  });
}

/**
 * Calls back for every pixel of a picture of `width` × `height` in this form with the offset of its
 * first sample, and of the pixel it was before.
 */
function eachPixel(width: number, height: number, form: Form, visit: (offset: number, original: number) => void): void {
  const transposed = form.includes('t');
  const [originalWidth, originalHeight] = transposed ? [height, width] : [width, height];
  const stepX = form.includes('x') ? -3 : 3;
  const stepY = (form.includes('y') ? -3 : 3) * originalWidth;
  const start = (stepX < 0 ? (originalWidth - 1) * 3 : 0) + (stepY < 0 ? (originalHeight - 1) * originalWidth * 3 : 0);
  const [across, down] = transposed ? [stepY, stepX] : [stepX, stepY];
  for (let y = 0, offset = 0; y < height; y++)
    for (let x = 0, original = start + y * down; x < width; x++, offset += 3, original += across) visit(offset, original);
}
