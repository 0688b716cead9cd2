/** Small ONNX files with the signatures of well-known networks; what they compute is simple enough to predict. */
import { float, integer, message } from '../../src/cli/bench/protobuf.ts';
import type { PixelTensor } from '../../src/models/manifest.ts';

type Dimension = number | string;

export interface Value {
  readonly name: string;
  readonly type?: keyof typeof TYPES;
  readonly shape: readonly Dimension[];
}

export interface Constant {
  readonly name: string;
  readonly type?: 'float32' | 'int64';
  readonly shape: readonly number[];
  readonly values: readonly number[];
  /** The values are said to be in this file instead. */
  readonly location?: string;
}

export interface Node {
  readonly operator: string;
  readonly inputs: readonly string[];
  readonly output: string;
  readonly attributes?: Readonly<Record<string, number | string | readonly number[]>>;
  readonly domain?: string;
}

export interface Network {
  readonly inputs: readonly Value[];
  readonly outputs: readonly Value[];
  readonly nodes: readonly Node[];
  readonly constants?: readonly Constant[];
}

/** TensorProto.DataType */
const TYPES = { float32: 1, uint8: 2, int64: 7, float16: 10, float64: 11 } as const;

/** The file: ModelProto with opset 17 (and one custom domain, should a node name it). */
export function onnx({ inputs, outputs, nodes, constants = [] }: Network): Buffer {
  const graph = [
    ...nodes.map((each) => message(1, node(each))),
    message(2, 'test'),
    ...constants.map((constant) => message(5, tensor(constant))),
    ...inputs.map((value) => message(11, valueInfo(value))),
    ...outputs.map((value) => message(12, valueInfo(value))),
  ];
  const domains = new Set(nodes.flatMap(({ domain }) => (domain ? [domain] : [])));
  const imports = [...domains].map((domain) => message(8, [message(1, domain), integer(2, 1)]));
  return Buffer.concat([integer(1, 8), message(7, graph), message(8, [message(1, ''), integer(2, 17)]), ...imports]);
}

function node({ operator, inputs, output, attributes = {}, domain }: Node): Uint8Array[] {
  return [
    ...inputs.map((input) => message(1, input)),
    message(2, output),
    message(4, operator),
    ...Object.entries(attributes).map(([name, value]) => message(5, attribute(name, value))),
    ...(domain ? [message(7, domain)] : []),
  ];
}

/** AttributeProto: name 1, f 2, i 3, s 4, ints 8, type 20 (FLOAT 1, INT 2, STRING 3, INTS 7). */
function attribute(name: string, value: number | string | readonly number[]): Uint8Array[] {
  if (typeof value === 'string') return [message(1, name), message(4, value), integer(20, 3)];
  if (typeof value === 'number')
    return Number.isInteger(value)
      ? [message(1, name), integer(3, value), integer(20, 2)]
      : [message(1, name), float(2, value), integer(20, 1)];
  return [message(1, name), ...value.map((each) => integer(8, each)), integer(20, 7)];
}

function tensor({ name, type = 'float32', shape, values, location }: Constant): Uint8Array[] {
  const head = [...shape.map((size) => integer(1, size)), integer(2, TYPES[type]), message(8, name)];
  // StringStringEntryProto; data_location 14 = EXTERNAL.
  if (location) return [...head, message(13, [message(1, 'location'), message(2, location)]), integer(14, 1)];
  const raw = type === 'float32' ? Float32Array.from(values) : BigInt64Array.from(values, BigInt);
  return [...head, message(9, [new Uint8Array(raw.buffer)])];
}

function valueInfo({ name, type = 'float32', shape }: Value): Uint8Array[] {
  const dimensions = shape.map((size) => message(1, [typeof size === 'number' ? integer(1, size) : message(2, size)]));
  return [message(1, name), message(2, [message(1, [integer(1, TYPES[type]), message(2, dimensions)])])];
}

const shapeOf = ({ layout }: Pick<PixelTensor, 'layout'>, height: Dimension, width: Dimension): Dimension[] =>
  layout === 'NCHW' ? [1, 3, height, width] : [1, height, width, 3];

export interface FilterOptions {
  readonly tensor: PixelTensor;
  /** One factor per channel in the tensor's own order. */
  readonly factors?: readonly [number, number, number];
  /** The only side it takes. */
  readonly side?: number;
}

/** Same-size network: multiplies each channel's tensor values. */
export function multiplier({ tensor, factors = [1, 1, 1], side }: FilterOptions): Buffer {
  const [height, width] = [side ?? 'height', side ?? 'width'];
  const factor: Constant = { name: 'factor', shape: tensor.layout === 'NCHW' ? [1, 3, 1, 1] : [1, 1, 1, 3], values: factors };
  const half: Constant = { name: 'half', shape: [1], values: [0.5] };
  const picture = (name: string): Value => ({ name, type: tensor.type, shape: shapeOf(tensor, height, width) });
  const bytes: Node[] = [
    { operator: 'Cast', inputs: ['input'], output: 'f', attributes: { to: TYPES.float32 } },
    { operator: 'Mul', inputs: ['f', 'factor'], output: 'm' },
    { operator: 'Add', inputs: ['m', 'half'], output: 'a' },
    { operator: 'Cast', inputs: ['a'], output: 'output', attributes: { to: TYPES.uint8 } },
  ];
  return onnx({
    inputs: [picture('input')],
    outputs: [picture('output')],
    nodes: tensor.type === 'uint8' ? bytes : [{ operator: 'Mul', inputs: ['input', 'factor'], output: 'output' }],
    constants: tensor.type === 'uint8' ? [factor, half] : [factor],
  });
}

/** ×N network of the Real-ESRGAN signature: repeats each pixel N times a side. */
export function repeater(scale: number, side?: number): Buffer {
  return onnx({
    inputs: [{ name: 'input', shape: [1, 3, side ?? 'height', side ?? 'width'] }],
    outputs: [{ name: 'output', shape: [1, 3, side === undefined ? 'high' : side * scale, side === undefined ? 'wide' : side * scale] }],
    nodes: [
      {
        operator: 'Resize',
        inputs: ['input', '', 'scales'],
        output: 'output',
        attributes: { mode: 'nearest', coordinate_transformation_mode: 'asymmetric', nearest_mode: 'floor' },
      },
    ],
    constants: [{ name: 'scales', shape: [4], values: [1, 1, scale, scale] }],
  });
}

/** Aligned-face network of the GFPGAN signature; with a number of this type also of CodeFormer's (times w). */
export function faceNetwork(number?: 'float32' | 'float64'): Buffer {
  const face = (name: string): Value => ({ name, shape: [1, 3, 512, 512] });
  if (!number)
    return onnx({ inputs: [face('input')], outputs: [face('output')], nodes: [{ operator: 'Tanh', inputs: ['input'], output: 'output' }] });
  return onnx({
    inputs: [face('x'), { name: 'w', type: number, shape: [] }],
    outputs: [face('y')],
    nodes: [
      { operator: 'Cast', inputs: ['w'], output: 'weight', attributes: { to: TYPES.float32 } },
      { operator: 'Mul', inputs: ['x', 'weight'], output: 'y' },
    ],
  });
}

/** Face detector with the outputs of YuNet (1 anchor, 4 tensors a stride) or SCRFD (2 anchors, 3 tensors), all zero. */
export function detector(kind: 'yunet' | 'scrfd', strides: readonly number[] = [8, 16, 32]): Buffer {
  const [anchors, sizes] = kind === 'yunet' ? [1, [1, 1, 4, 10]] : [2, [1, 4, 10]];
  const outputs = sizes.flatMap((size, i) =>
    strides.map((stride) => ({ name: `o${i}_${stride}`, shape: [1, anchors * (640 / stride) ** 2, size] })),
  );
  return onnx({
    inputs: [{ name: 'input', shape: [1, 3, 640, 640] }],
    outputs,
    nodes: outputs.map(({ name }) => ({ operator: 'ConstantOfShape', inputs: [`shape_${name}`], output: name })),
    constants: outputs.map(({ name, shape }) => ({ name: `shape_${name}`, type: 'int64' as const, shape: [shape.length], values: shape })),
  });
}
