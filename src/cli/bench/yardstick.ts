import '../../inference/no-telemetry.ts';
import { InferenceSession, Tensor } from 'onnxruntime-node';
import { float, integer, message } from './protobuf.ts';

const CHANNELS = 64;
const LAYERS = 32;
/** Side of the square tile the yardstick runs on. */
const TILE = 256;

/** Multiply-accumulates per megapixel, in G. */
export const YARDSTICK_GMAC = ((LAYERS * CHANNELS * CHANNELS + 2 * 3 * CHANNELS) * 9) / 1000;

/**
 * The reference network's ONNX file: 3→64, then 32 times 64→64, then 64→3; 3×3 convolutions with
 * ReLU at full resolution, the cost of Real-ESRGAN's general-x4v3. Only its speed matters, so its
 * weights are constants that keep the signal's size, filled in when it is loaded.
 */
export function yardstickModel(): Buffer {
  const widths = [3, ...Array.from({ length: LAYERS + 1 }, () => CHANNELS), 3];
  const nodes = widths.slice(1).flatMap((_, i) => convolution(i, widths[i] ?? 3, i === widths.length - 2));
  const shapes = widths.slice(1).map((width, i) => int64Tensor(`shape${i}`, [width, widths[i] ?? 3, 3, 3]));
  const graph = [
    ...nodes.map((node) => message(1, node)),
    message(2, 'yardstick'),
    ...shapes.map((shape) => message(5, shape)),
    message(11, picture('x0')),
    message(12, picture(`x${widths.length - 1}`)),
  ];
  return Buffer.concat([integer(1, 8), message(7, graph), message(8, [message(1, ''), integer(2, 17)])]);
}

/** Seconds per megapixel of the yardstick on this machine now: the best of a few tiles. */
export async function runYardstick(threads: number, repeat = 3): Promise<number> {
  const session = await InferenceSession.create(yardstickModel(), {
    intraOpNumThreads: threads,
    interOpNumThreads: 1,
    logSeverityLevel: 3,
  });
  const feeds = { x0: new Tensor('float32', new Float32Array(3 * TILE * TILE).fill(0.5), [1, 3, TILE, TILE]) };
  await session.run(feeds);
  const times: number[] = [];
  for (let i = 0; i < repeat; i++) {
    const began = performance.now();
    await session.run(feeds);
    times.push((performance.now() - began) / 1000);
  }
  await session.release();
  return Math.min(...times) / (TILE ** 2 / 1e6);
}

/** NodeProto: input 1, output 2, op_type 4, attribute 5. */
function node(
  operator: string,
  inputs: readonly string[],
  output: string,
  attributes: readonly (readonly Uint8Array[])[] = [],
): Uint8Array[] {
  return [
    ...inputs.map((input) => message(1, input)),
    message(2, output),
    message(4, operator),
    ...attributes.map((attribute) => message(5, attribute)),
  ];
}

function convolution(index: number, from: number, last: boolean): Uint8Array[][] {
  const weights = `w${index}`;
  const convolved = last ? `x${index + 1}` : `c${index}`;
  // AttributeProto: name 1, t 5, ints 8, type 20 (TENSOR 4, INTS 7). TensorProto: dims 1, data_type 2 (FLOAT 1), float_data 4.
  const value = [message(1, 'value'), message(5, [integer(1, 1), integer(2, 1), float(4, 1 / (from * 9))]), integer(20, 4)];
  const pads = [message(1, 'pads'), ...[1, 1, 1, 1].map((pad) => integer(8, pad)), integer(20, 7)];
  const layer = [node('ConstantOfShape', [`shape${index}`], weights, [value]), node('Conv', [`x${index}`, weights], convolved, [pads])];
  return last ? layer : [...layer, node('Relu', [convolved], `x${index + 1}`)];
}

/** TensorProto: dims 1, data_type 2 (INT64 7), int64_data 7, name 8. */
function int64Tensor(name: string, values: readonly number[]): Uint8Array[] {
  return [integer(1, values.length), integer(2, 7), ...values.map((value) => integer(7, value)), message(8, name)];
}

/** ValueInfoProto of a [1, 3, TILE, TILE] float tensor. */
function picture(name: string): Uint8Array[] {
  const dimensions = [1, 3, TILE, TILE].map((size) => message(1, [integer(1, size)]));
  return [message(1, name), message(2, [message(1, [integer(1, 1), message(2, dimensions)])])];
}
