/** Face networks whose results can be predicted: a detector of painted faces, and restorers that add a known pattern. */
import { REFINER_NUMBERS, REFINER_SIDE } from '../../src/imaging/faces/refine.ts';
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

/** How far off a careless detector is, in radii of the face. */
export const CARELESS = { x: 0.16, y: -0.12, size: 1.15, points: 0.15 } as const;

/**
 * A detector of the family `mingxi` that sees discs whose upper half (in the face's own sense) is
 * magenta and whose lower half is green, turned by less than about 50°. It computes centroids, so its
 * points are exact to a fraction of a pixel.
 * @param careless it takes discs with uneven halves for faces as well, and its boxes and points are off
 * @param sure its score of every face
 */
export function paintedFaceDetector({
  careless = false,
  sure = 0.95,
}: {
  readonly careless?: boolean;
  readonly sure?: number;
} = {}): Buffer {
  const graph = new Graph();
  const marks = marksOf(graph, 'picture');
  const outputs = WINDOWS.map(({ stride, window }) => {
    const pad = (window - stride) / 2;
    const disc = discIn(graph, marks, window, { strides: [stride, stride], pads: [pad, pad, pad, pad] });
    const { number, add, mul, div, less, op } = graph;
    const half = number(stride / 2 + 1);
    const conditions = [
      less(number(300), disc.area),
      less(disc.ring, number(1)),
      less(disc.roundness, number(1.12)),
      less(op('Abs', [disc.cx]), half),
      less(op('Abs', [disc.cy]), half),
      less(disc.uneven, number(careless ? 0.6 : 0.15)),
      // Upright within about 50°.
      less(number(0.62), disc.ey),
    ];
    const score = mul(conditions.reduce(mul), number(sure));
    const strides = number(stride);
    const off = (value: string, radii: number) => (careless ? add(value, mul(disc.radius, number(radii))) : value);
    const [x, y] = [off(disc.cx, CARELESS.x), off(disc.cy, CARELESS.y)];
    const points = pointsOn(graph, disc).map((value, i) => div(off(value, i % 2 === 0 ? CARELESS.points : -CARELESS.points / 2), strides));
    const side = op('Log', [div(mul(disc.radius, number(careless ? 2 * CARELESS.size : 2)), strides)]);
    const all = op('Concat', [score, div(x, strides), div(y, strides), side, side, ...points], { axis: 1 });
    op('Transpose', [all], { perm: [0, 2, 3, 1] }, `stride${stride}`);
    return { name: `stride${stride}`, shape: [1, `h${stride}`, `w${stride}`, 15] };
  });
  const { nodes, constants } = graph;
  return onnx({ inputs: [{ name: 'picture', type: 'uint8', shape: [1, 'height', 'width', 3] }], outputs, nodes, constants });
}

/** A refiner that sees the same discs, in its own square, and refuses those with uneven halves. */
export function paintedFaceRefiner(): Buffer {
  const graph = new Graph();
  const disc = discIn(graph, marksOf(graph, 'faces'), REFINER_SIDE, {});
  const { number, add, mul, less, op, constants, nodes } = graph;
  const score = mul(mul(less(number(300), disc.area), less(disc.uneven, number(0.15))), number(0.98));
  const middle = (value: string) => add(value, number(REFINER_SIDE / 2));
  const side = mul(disc.radius, number(2));
  const all = op('Concat', [score, middle(disc.cx), middle(disc.cy), side, side, ...pointsOn(graph, disc).map(middle)], { axis: 1 });
  constants.push({ name: 'flat', type: 'int64', shape: [2], values: [-1, REFINER_NUMBERS] });
  op('Reshape', [all, 'flat'], undefined, 'seen');
  return onnx({
    inputs: [{ name: 'faces', type: 'uint8', shape: ['n', REFINER_SIDE, REFINER_SIDE, 3] }],
    outputs: [{ name: 'seen', shape: ['n', REFINER_NUMBERS] }],
    nodes,
    constants,
  });
}

/** A graph that grows by one operator at a time; every name is that of a tensor. */
class Graph {
  readonly nodes: Node[] = [];
  readonly constants: Constant[] = [];

  readonly op = (operator: string, inputs: readonly string[], attributes?: Node['attributes'], output = `t${this.nodes.length}`) => {
    this.nodes.push({ operator, inputs, output, ...(attributes ? { attributes } : {}) });
    return output;
  };
  readonly constant = (constant: Constant) => {
    if (!this.constants.some(({ name }) => name === constant.name)) this.constants.push(constant);
    return constant.name;
  };
  readonly number = (value: number) =>
    this.constant({ name: `n${String(value).replace(/[^0-9a-z]/gi, '_')}`, shape: [1], values: [value] });
  readonly channel = (tensor: string, index: number) =>
    this.op('Gather', [tensor, this.constant({ name: `i${index}`, type: 'int64', shape: [1], values: [index] })], { axis: 1 });
  readonly add = (a: string, b: string) => this.op('Add', [a, b]);
  readonly sub = (a: string, b: string) => this.op('Sub', [a, b]);
  readonly mul = (a: string, b: string) => this.op('Mul', [a, b]);
  readonly div = (a: string, b: string) => this.op('Div', [a, b]);
  /** 1 where a < b, else 0. */
  readonly less = (a: string, b: string) => this.op('Cast', [this.op('Less', [a, b])], { to: 1 });
}

/** How magenta and how green every pixel is, 0…1, in two channels. */
function marksOf(graph: Graph, picture: string): string {
  const { op, channel, sub, div, number, constant } = graph;
  const samples = op('Transpose', [op('Cast', [picture], { to: 1 })], { perm: [0, 3, 1, 2] });
  const [red, green, blue] = [0, 1, 2].map((c) => channel(samples, c)) as [string, string, string];
  // Soft at the edges, full inside, nothing on grey noise.
  const limits = [constant({ name: 'zero', shape: [], values: [0] }), constant({ name: 'one', shape: [], values: [1] })];
  const strength = (difference: string) => op('Clip', [div(sub(difference, number(60)), number(60)), ...limits]);
  const upper = strength(sub(op('Min', [red, blue]), green));
  const lower = strength(sub(green, op('Max', [red, blue])));
  return op('Concat', [upper, lower], { axis: 1 });
}

/** The disc in every window, relative to the window's middle. */
interface Disc {
  readonly area: string;
  /** What lies on the border of the window. */
  readonly ring: string;
  readonly cx: string;
  readonly cy: string;
  readonly radius: string;
  /** Down the face. */
  readonly ex: string;
  readonly ey: string;
  /** 1 for a disc, more for anything else. */
  readonly roundness: string;
  /** Difference of the halves in the whole. */
  readonly uneven: string;
}

function discIn(graph: Graph, marks: string, window: number, where: NonNullable<Node['attributes']>): Disc {
  const { op, number, channel, add, sub, mul, div, constant } = graph;
  const kernels = constant({ name: `w${window}`, shape: [8, 2, window, window], values: moments(window) });
  const sums = op('Conv', [marks, kernels], { ...where, kernel_shape: [window, window] });
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
  // Mean square distance from the middle is r²/2 for a disc, more for anything else of the area πr².
  const spread = sub(div(square, add(area, tiny)), add(mul(cx, cx), mul(cy, cy)));
  return {
    ...{ area, ring, cx, cy },
    // The centroids of two half discs are 8r/3π apart.
    radius: add(mul(length, number((3 * Math.PI) / 8)), tiny),
    ...{ ex: div(dx, length), ey: div(dy, length) },
    roundness: div(mul(spread, number(2 * Math.PI)), add(area, tiny)),
    uneven: op('Abs', [div(sub(a1, a2), add(area, tiny))]),
  };
}

/** x and y of the five points of a disc, as a face of the template has them. */
function pointsOn({ number, add, sub, mul }: Graph, { cx, cy, radius, ex, ey }: Disc): string[] {
  return FACE_TEMPLATE.flatMap(([u, v]) => {
    const [across, down] = [number((2 * (u - PAINTED.x)) / PAINTED.size), number((2 * (v - PAINTED.y)) / PAINTED.size)];
    // e = (ex, ey) points down the face, (ey, −ex) to its image-right side.
    const x = add(cx, mul(radius, add(mul(across, ey), mul(down, ex))));
    const y = add(cy, mul(radius, sub(mul(down, ey), mul(across, ex))));
    return [x, y];
  });
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
