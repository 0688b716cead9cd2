type Samples = Uint8Array | Uint16Array;

const LOBES = 3;
const TAPS = 2 * LOBES;

const sinc = (x: number) => (x === 0 ? 1 : Math.sin(Math.PI * x) / (Math.PI * x));
const lanczos = (x: number) => (Math.abs(x) < LOBES ? sinc(x) * sinc(x / LOBES) : 0);

/** The weights of one phase, summing to one, and the first tap's distance from the source sample `at / factor`. */
interface Phase {
  readonly first: number;
  readonly weights: Float64Array;
}

/** Pixel centres agree: output sample `o` lies at source position (o + ½) / factor − ½. */
function phases(factor: number): Phase[] {
  return Array.from({ length: factor }, (_, phase) => {
    const position = (phase + 0.5) / factor - 0.5;
    const first = Math.floor(position) - LOBES + 1;
    const weights = Float64Array.from({ length: TAPS }, (_, tap) => lanczos(position - (first + tap)));
    const sum = weights.reduce((total, weight) => total + weight, 0);
    return { first, weights: weights.map((weight) => weight / sum) };
  });
}

/**
 * Enlarges HWC samples by a whole factor with the Lanczos-3 kernel; edges repeat the last sample.
 * (libvips enlarges with a bicubic kernel whichever is asked for.) Beside source and result it needs
 * six enlarged rows.
 */
export function enlarge<T extends Samples>(samples: T, width: number, height: number, channels: number, factor: number): T {
  const make = samples.constructor as new (length: number) => T;
  const out = new make(samples.length * factor * factor);
  const full = samples instanceof Uint16Array ? 65535 : 255;
  const row = width * factor * channels;
  const table = phases(factor);
  const rows = Array.from({ length: TAPS }, () => new Float32Array(row));
  const held = new Int32Array(TAPS).fill(-1);
  const enlarged = (y: number) => {
    const source = Math.min(height - 1, Math.max(0, y));
    const slot = source % TAPS;
    const target = rows[slot] as Float32Array;
    if (held[slot] !== source) {
      enlargeRow(samples.subarray(source * width * channels, (source + 1) * width * channels), target, width, channels, table);
      held[slot] = source;
    }
    return target;
  };
  for (let y = 0; y < height * factor; y++) {
    const { first, weights } = table[y % factor] as Phase;
    const [a, b, c, d, e, f] = Array.from(weights, (_, tap) => enlarged(Math.floor(y / factor) + first + tap)) as Rows;
    const [wa, wb, wc, wd, we, wf] = weights as unknown as Weights;
    const to = y * row;
    for (let i = 0; i < row; i++) {
      const value =
        wa * (a[i] as number) +
        wb * (b[i] as number) +
        wc * (c[i] as number) +
        wd * (d[i] as number) +
        we * (e[i] as number) +
        wf * (f[i] as number);
      out[to + i] = value <= 0 ? 0 : value >= full ? full : Math.round(value);
    }
  }
  return out;
}

type Rows = [Float32Array, Float32Array, Float32Array, Float32Array, Float32Array, Float32Array];
type Weights = [number, number, number, number, number, number];

function enlargeRow(source: Samples, target: Float32Array, width: number, channels: number, table: readonly Phase[]): void {
  const factor = table.length;
  for (let x = 0; x < width; x++) {
    const inside = x >= LOBES && x < width - LOBES;
    for (let phase = 0; phase < factor; phase++) {
      const { first, weights } = table[phase] as Phase;
      for (let c = 0; c < channels; c++) {
        let sum = 0;
        for (let tap = 0; tap < TAPS; tap++) {
          const at = x + first + tap;
          const clamped = inside ? at : Math.min(width - 1, Math.max(0, at));
          sum += (weights[tap] as number) * (source[clamped * channels + c] as number);
        }
        target[(x * factor + phase) * channels + c] = sum;
      }
    }
  }
}
