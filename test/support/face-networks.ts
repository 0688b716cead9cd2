/** Face networks whose results can be predicted: a detector of painted faces, and restorers that add a known pattern. */
import { FACE_TEMPLATE } from '../../src/imaging/faces/template.ts';
import { type Constant, type Node, onnx } from './onnx.ts';

/** The middle and side, in the aligned face, of the square our painted faces fill. */
export const PAINTED = { x: 256, y: 285, size: 300 } as const;

/** Side of the window in which a cell of each stride looks for one disc. */
const WINDOWS = [
  { stride: 8, window: 88 },
  { stride: 16, window: 176 },
  { stride: 32, window: 352 },
] as const;

/**
 * A detector of the family `mingxi` that sees discs whose upper half (in the face's own sense) is
 * magenta and whose lower half is green, turned by less than about 50°. It computes centroids, so its
 * points are exact to a fraction of a pixel.
 */
export function paintedFaceDetector(): Buffer {
  const constants: Constant[] = [];
  const nodes: Node[] = [];
  const number = (value: number) => {
    const name = `n${String(value).replace(/[^0-9a-z]/gi, '_')}`;
    if (!constants.some((constant) => constant.name === name)) constants.push({ name, shape: [1], values: [value] });
    return name;
  };
  let count = 0;
  const op = (operator: string, inputs: readonly string[], attributes?: Node['attributes'], output = `t${count++}`) => {
    nodes.push({ operator, inputs, output, ...(attributes ? { attributes } : {}) });
    return output;
  };
  const channel = (tensor: string, index: number) => {
    const name = `i${index}`;
    if (!constants.some((constant) => constant.name === name)) constants.push({ name, type: 'int64', shape: [1], values: [index] });
    return op('Gather', [tensor, name], { axis: 1 });
  };
  const add = (a: string, b: string) => op('Add', [a, b]);
  const sub = (a: string, b: string) => op('Sub', [a, b]);
  const mul = (a: string, b: string) => op('Mul', [a, b]);
  const div = (a: string, b: string) => op('Div', [a, b]);
  /** 1 where a < b, else 0. */
  const less = (a: string, b: string) => op('Cast', [op('Less', [a, b])], { to: 1 });

  const picture = op('Transpose', [op('Cast', ['picture'], { to: 1 })], { perm: [0, 3, 1, 2] });
  const [red, green, blue] = [0, 1, 2].map((c) => channel(picture, c)) as [string, string, string];
  // Soft at the edges, full inside, nothing on grey noise.
  const strength = (difference: string) => op('Clip', [div(sub(difference, number(60)), number(60)), ...['zero', 'one']]);
  constants.push({ name: 'zero', shape: [], values: [0] }, { name: 'one', shape: [], values: [1] });
  const upper = strength(sub(op('Min', [red, blue]), green));
  const lower = strength(sub(green, op('Max', [red, blue])));
  const marks = op('Concat', [upper, lower], { axis: 1 });

  const outputs = WINDOWS.map(({ stride, window }) => {
    constants.push({ name: `w${stride}`, shape: [8, 2, window, window], values: moments(window) });
    const pad = (window - stride) / 2;
    const sums = op('Conv', [marks, `w${stride}`], {
      strides: [stride, stride],
      pads: [pad, pad, pad, pad],
      kernel_shape: [window, window],
    });
    const [a1, x1, y1, a2, x2, y2, square, ring] = Array.from({ length: 8 }, (_, i) => channel(sums, i)) as [
      ...[string, string, string, string, string, string, string, string],
    ];
    const tiny = number(1e-3);
    const [ux, uy] = [div(x1, add(a1, tiny)), div(y1, add(a1, tiny))];
    const [lx, ly] = [div(x2, add(a2, tiny)), div(y2, add(a2, tiny))];
    const [cx, cy] = [mul(add(ux, lx), number(0.5)), mul(add(uy, ly), number(0.5))];
    const [dx, dy] = [sub(lx, ux), sub(ly, uy)];
    const length = op('Sqrt', [add(add(mul(dx, dx), mul(dy, dy)), tiny)]);
    const area = add(a1, a2);
    // The centroids of two half discs are 8r/3π apart.
    const radius = mul(length, number((3 * Math.PI) / 8));
    const [ex, ey] = [div(dx, length), div(dy, length)];
    // Mean square distance from the middle is r²/2 for a disc, more for anything else of the area πr².
    const spread = sub(div(square, add(area, tiny)), add(mul(cx, cx), mul(cy, cy)));
    const roundness = div(mul(spread, number(2 * Math.PI)), add(area, tiny));
    const half = number(stride / 2 + 1);
    const conditions = [
      less(number(300), area),
      less(ring, number(1)),
      less(roundness, number(1.12)),
      less(op('Abs', [cx]), half),
      less(op('Abs', [cy]), half),
      less(op('Abs', [div(sub(a1, a2), add(area, tiny))]), number(0.15)),
      // Upright within about 50°.
      less(number(0.62), ey),
    ];
    const score = mul(conditions.reduce(mul), number(0.95));
    const strides = number(stride);
    const points = FACE_TEMPLATE.flatMap(([u, v]) => {
      const [across, down] = [number((2 * (u - PAINTED.x)) / PAINTED.size), number((2 * (v - PAINTED.y)) / PAINTED.size)];
      // e = (ex, ey) points down the face, (ey, −ex) to its image-right side.
      const x = add(cx, mul(radius, add(mul(across, ey), mul(down, ex))));
      const y = add(cy, mul(radius, sub(mul(down, ey), mul(across, ex))));
      return [div(x, strides), div(y, strides)];
    });
    const side = op('Log', [div(mul(add(radius, tiny), number(2)), strides)]);
    const all = op('Concat', [score, div(cx, strides), div(cy, strides), side, side, ...points], { axis: 1 });
    op('Transpose', [all], { perm: [0, 2, 3, 1] }, `stride${stride}`);
    return { name: `stride${stride}`, shape: [1, `h${stride}`, `w${stride}`, 15] };
  });
  return onnx({ inputs: [{ name: 'picture', type: 'uint8', shape: [1, 'height', 'width', 3] }], outputs, nodes, constants });
}

/** Kernels for the sums over a window: area and first moments of both halves, second moment of all, the border. */
function moments(window: number): number[] {
  const kernels: ((x: number, y: number, half: 0 | 1) => number)[] = [
    (_x, _y, half) => (half === 0 ? 1 : 0),
    (x, _y, half) => (half === 0 ? x : 0),
    (_x, y, half) => (half === 0 ? y : 0),
    (_x, _y, half) => (half === 1 ? 1 : 0),
    (x, _y, half) => (half === 1 ? x : 0),
    (_x, y, half) => (half === 1 ? y : 0),
    (x, y) => x * x + y * y,
    (x, y) => (Math.max(Math.abs(x), Math.abs(y)) > window / 2 - 1.5 ? 1 : 0),
  ];
  const values: number[] = [];
  for (const kernel of kernels) {
    for (const half of [0, 1] as const) {
      for (let y = 0; y < window; y++) {
        for (let x = 0; x < window; x++) values.push(kernel(x + 0.5 - window / 2, y + 0.5 - window / 2, half));
      }
    }
  }
  return values;
}

/** Side of the pattern that `patternFace` repeats. */
export const PATTERN = 8;
/** What `patternFace` adds: a diagonal wave that sums to nothing over its period, so no colour moves. */
export const patternAt = (u: number, v: number): number => 24 * Math.sin((2 * Math.PI * (Math.floor(u) + Math.floor(v))) / PATTERN);

export interface FaceNetworkOptions {
  /** Added to every sample of a channel. */
  readonly shift?: readonly [number, number, number];
  /** Added pattern, as `patternAt`. */
  readonly pattern?: boolean;
  /** Upside down: who was it? */
  readonly flip?: boolean;
}

/** A face network of the shipped signature (uint8 NHWC, 512×512) that does what the options say. */
export function knownFaceNetwork({ shift = [0, 0, 0], pattern = false, flip = false }: FaceNetworkOptions = {}): Buffer {
  const cells = Array.from({ length: PATTERN * PATTERN * 3 }, (_, i) => {
    const [x, y] = [Math.floor(i / 3) % PATTERN, Math.floor(i / 3 / PATTERN)];
    return (pattern ? patternAt(x, y) : 0) + (shift[i % 3] as number);
  });
  const repeats = 512 / PATTERN;
  return onnx({
    inputs: [{ name: 'face', type: 'uint8', shape: [1, 512, 512, 3] }],
    outputs: [{ name: 'restored', type: 'uint8', shape: [1, 512, 512, 3] }],
    nodes: [
      { operator: 'Cast', inputs: ['face'], output: 'given', attributes: { to: 1 } },
      ...(flip
        ? [{ operator: 'Slice', inputs: ['given', 'last', 'first', 'rows', 'back'], output: 'turned' }]
        : [{ operator: 'Identity', inputs: ['given'], output: 'turned' }]),
      { operator: 'Tile', inputs: ['cells', 'repeats'], output: 'added' },
      { operator: 'Add', inputs: ['turned', 'added'], output: 'sum' },
      { operator: 'Round', inputs: ['sum'], output: 'round' },
      { operator: 'Clip', inputs: ['round', 'black', 'white'], output: 'clipped' },
      { operator: 'Cast', inputs: ['clipped'], output: 'restored', attributes: { to: 2 } },
    ],
    constants: [
      { name: 'cells', shape: [1, PATTERN, PATTERN, 3], values: cells },
      { name: 'repeats', type: 'int64', shape: [4], values: [1, repeats, repeats, 1] },
      { name: 'black', shape: [], values: [0] },
      { name: 'white', shape: [], values: [255] },
      ...(flip
        ? ([
            { name: 'last', type: 'int64', shape: [1], values: [511] },
            { name: 'first', type: 'int64', shape: [1], values: [-513] },
            { name: 'rows', type: 'int64', shape: [1], values: [1] },
            { name: 'back', type: 'int64', shape: [1], values: [-1] },
          ] as const)
        : []),
    ],
  });
}
