import type { Pixels } from '../../src/imaging/forms.ts';

/** Of every brightness and contrast, and the same in Python, which gave the numbers of the tests that use it. */
export const madePicture = (width: number, height: number, stride: number): Pixels => ({
  rgb: Uint8Array.from({ length: width * height * 3 }, (_, i) => {
    const [y, x, c] = [Math.floor(i / (width * 3)), Math.floor(i / 3) % width, i % 3];
    const part = Math.floor((y * y) / 11) * (1 + c);
    return Math.floor((x * x) / 7) + part + Math.floor((x * y) / 13) + ((i * stride) % 29);
  }),
  width,
  height,
});
