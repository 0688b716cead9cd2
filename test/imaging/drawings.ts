import type { Pixels } from '../../src/imaging/forms.ts';
import { seeded } from '../pipeline/pictures.ts';

const [WIDTH, HEIGHT] = [512, 384];

/** HWC uint8 RGB, grey by this function. */
function grey(value: (x: number, y: number) => number): Pixels {
  const rgb = new Uint8Array(WIDTH * HEIGHT * 3);
  for (let i = 0; i < WIDTH * HEIGHT; i++) rgb.fill(Math.round(value(i % WIDTH, Math.floor(i / WIDTH))), i * 3, i * 3 + 3);
  return { rgb, width: WIDTH, height: HEIGHT };
}

export const chequers = (side: number) => grey((x, y) => ((Math.floor(x / side) + Math.floor(y / side)) % 2 ? 210 : 50));
export const stripes = (side: number) => grey((x) => (Math.floor(x / side) % 2 ? 200 : 60));

/** A ramp as a printer's screen at 45° shows it. */
export const screen = () =>
  grey((x, y) => {
    const dot = Math.cos((2 * Math.PI * (x + y)) / 9) * Math.cos((2 * Math.PI * (x - y)) / 9);
    return dot > -0.8 + (1.6 * x) / WIDTH ? 228 : 28;
  });

/** Pixels of 512 colours, each `side` px large. */
export function enlargedPixels(side: number): Pixels {
  const random = seeded(3);
  const across = WIDTH / side;
  const colours = Uint8Array.from({ length: across * (HEIGHT / side) * 3 }, () => Math.floor(random() * 8) * 32);
  const rgb = new Uint8Array(WIDTH * HEIGHT * 3);
  for (let i = 0; i < WIDTH * HEIGHT; i++) {
    const from = (Math.floor(Math.floor(i / WIDTH) / side) * across + Math.floor((i % WIDTH) / side)) * 3;
    rgb.set(colours.subarray(from, from + 3), i * 3);
  }
  return { rgb, width: WIDTH, height: HEIGHT };
}

/** Seven letters of 5×7 px, a row each five bits. */
const LETTERS = [
  [14, 17, 17, 31, 17, 17, 17],
  [30, 17, 30, 17, 17, 17, 30],
  [31, 16, 30, 16, 16, 16, 31],
  [17, 17, 31, 17, 17, 17, 17],
  [4, 12, 4, 4, 4, 4, 14],
  [17, 27, 21, 21, 17, 17, 17],
  [14, 17, 2, 4, 8, 16, 31],
];

/** Whether there is ink `x`, `y` from where a letter begins. */
const inked = (letter: number, x: number, y: number) =>
  x < 5 && y < 7 && (((LETTERS[letter] as number[])[y] as number) >> (4 - x)) % 2 === 1;

/** A page of small print. */
export function lettering(): Pixels {
  const random = seeded(5);
  const [across, pitch] = [Math.floor((WIDTH - 12) / 7), 17];
  const letters = Array.from({ length: across * Math.ceil(HEIGHT / pitch) }, () => Math.floor(random() * 9));
  return grey((x, y) => {
    const [column, row] = [Math.floor((x - 6) / 7), Math.floor(y / pitch)];
    if (x < 6 || column >= across) return 255;
    // Two of nine are spaces.
    const letter = letters[row * across + column] as number;
    return letter < LETTERS.length && inked(letter, (x - 6) % 7, (y % pitch) - 5) ? 25 : 255;
  });
}

/** A table of thin grey lines with an entry in each row. */
export const table = () =>
  grey((x, y) => {
    const column = Math.floor((x - 4) / 7);
    if (x >= 4 && column < 4 && inked((column + Math.floor(y / 16)) % LETTERS.length, (x - 4) % 7, (y % 16) - 5)) return 0;
    return x % 32 === 0 || y % 16 === 0 ? 200 : 255;
  });

/** A ramp in black and white dots that fall at random. */
export function dots(): Pixels {
  const random = seeded(7);
  return grey((x) => ((x / WIDTH) * 256 > random() * 256 ? 255 : 0));
}

/** A dark street with lit windows, a tenth of it: no drawing. */
export const night = () => grey((x, y) => (x % 64 < 20 && y % 64 < 20 ? 235 : 24 + (8 * y) / HEIGHT));
