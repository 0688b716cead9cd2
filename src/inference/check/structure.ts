import type { Completed, Draft } from '../../models/draft.ts';
import { outputTensor, type PixelTensor, type ScalarInput, type Tile } from '../../models/manifest.ts';
import { type Graph, readGraph, type Value } from '../../models/onnx/graph.ts';
import { WireError } from '../../models/onnx/wire.ts';
import { describeTensor, refusal } from './refusal.ts';

/**
 * Compares the file's structure with what its owner says about it, without running anything.
 * @throws AppError PROCESS_ERROR saying what was expected and what was received
 */
export function checkStructure(file: Uint8Array, draft: Draft): Completed {
  const graph = parse(file);
  if (graph.externalData.length > 0)
    throw refusal(`expected one file with all weights in it, received one that keeps weights in ${quoted(graph.externalData)}`);
  if (graph.customOperators.length > 0)
    throw refusal(
      `expected operators of ONNX and ONNX Runtime only, received the custom operator ${graph.customOperators.slice(0, 5).join(', ')}`,
    );
  const { picture, scalars } = assignInputs(graph.inputs, draft);
  checkPicture('input', picture, draft.input, draft.tile, 1);
  const tile = tileOf(picture, draft);
  const input = { ...draft.input, name: picture.name };
  const parts = { input, scalars, tile, parameters: graph.parameters };
  if (draft.task === 'face-detect') return { ...parts, output: outputTensor(draft) };
  const wanted = outputTensor(draft);
  const result = wanted.name === undefined ? graph.outputs[0] : graph.outputs.find((output) => output.name === wanted.name);
  if (!result)
    throw refusal(
      `expected ${wanted.name === undefined ? 'an output' : `the output ${JSON.stringify(wanted.name)}`}, received ${names(graph.outputs)}`,
    );
  checkPicture('output', result, wanted, tile, draft.scale);
  return { ...parts, output: { ...wanted, name: result.name } };
}

const quoted = (list: readonly string[]) =>
  list
    .slice(0, 5)
    .map((name) => JSON.stringify(name))
    .join(', ');
const names = (values: readonly Value[]) => (values.length === 0 ? 'none' : quoted(values.map((value) => value.name)));

function parse(file: Uint8Array): Graph {
  const other = otherKind(file);
  if (other) throw refusal(`expected an ONNX file, received ${other}`);
  try {
    return readGraph(file);
  } catch (error) {
    if (error instanceof WireError)
      throw refusal(`expected an ONNX file, received ${file.length} bytes that are none or are cut off (${error.message})`);
    throw error;
  }
}

/** The usual mix-ups, by their first bytes. */
function otherKind(file: Uint8Array): string | undefined {
  const start = String.fromCharCode(...file.subarray(0, 24));
  if (file.length === 0) return 'an empty file';
  if (start.startsWith('PK\x03\x04')) return 'a ZIP archive (PyTorch keeps weights in one: export them to ONNX first)';
  if (start.startsWith('version https://git-lfs')) return 'a Git LFS pointer: fetch the file itself';
  if (/^\s*</.test(start)) return 'a web page or XML';
  if (start.startsWith('\x89PNG') || start.startsWith('\xff\xd8\xff')) return 'a picture';
  if (start.slice(4, 8) === 'TFL3') return 'a TensorFlow Lite file';
  return undefined;
}

function assignInputs(inputs: readonly Value[], draft: Draft): { picture: Value; scalars: ScalarInput[] } {
  const wanted = draft.scalars ?? [];
  const byName = new Map(inputs.map((input) => [input.name, input]));
  const free = inputs.filter((input) => !wanted.some((scalar) => scalar.name === input.name));
  const picture =
    draft.input.name === undefined ? (free.find((input) => input.shape?.length === 4) ?? free[0]) : byName.get(draft.input.name);
  const expected = `a picture${draft.input.name === undefined ? '' : ` ${JSON.stringify(draft.input.name)}`}${wanted.length > 0 ? ` and ${wanted.length} number${wanted.length > 1 ? 's' : ''}` : ''}`;
  const mismatch = () => refusal(`inputs: expected ${expected}, received ${names(inputs)}`);
  if (!picture || inputs.length !== 1 + wanted.length) throw mismatch();
  const rest = free.filter((input) => input !== picture);
  const scalars = wanted.map((scalar) => {
    const input = scalar.name === undefined ? rest.shift() : byName.get(scalar.name);
    if (!input) throw mismatch();
    return scalarOf(input, scalar);
  });
  return { picture, scalars };
}

function scalarOf(input: Value, wanted: NonNullable<Draft['scalars']>[number]): ScalarInput {
  const shape = input.shape ?? [];
  const is = describeTensor(input.type, input.shape);
  if (input.type !== 'float32' && input.type !== 'float64')
    throw refusal(`input ${input.name}: expected one number, float32 or float64, received ${is}`);
  if (wanted.type !== undefined && wanted.type !== input.type)
    throw refusal(`input ${input.name}: expected ${wanted.type}, received ${is}`);
  if (shape.length > 4 || shape.some((size) => typeof size === 'number' && size !== 1))
    throw refusal(`input ${input.name}: expected one number, received ${is}`);
  return { name: input.name, type: input.type, shape: shape.map(() => 1 as const), value: wanted.value };
}

/** An export with a fixed input shape decides the tile; one with free sides follows the manifest. */
function tileOf(picture: Value, { input, tile, task }: Draft): Tile {
  if (picture.shape?.length !== 4) return tile;
  const [height, width] = input.layout === 'NCHW' ? picture.shape.slice(2) : picture.shape.slice(1, 3);
  if (typeof height !== 'number' || typeof width !== 'number') return tile;
  const is = describeTensor(picture.type, picture.shape);
  if (height !== width) throw refusal(`input ${picture.name}: expected a square or free sides, received ${is}`);
  if (task === 'face') return tile;
  if (height < 16 || height > 4096) throw refusal(`input ${picture.name}: expected sides from 16 to 4096, received ${is}`);
  if (height % tile.multiple !== 0)
    throw refusal(`input ${picture.name}: expected sides that are multiples of ${tile.multiple} (tile.multiple), received ${is}`);
  // Half of a tile at least is to be kept.
  return { ...tile, max: Math.max(height, 16), size: height, halo: Math.min(tile.halo, Math.floor(height / 4)) };
}

function checkPicture(which: string, value: Value, { type, layout }: PixelTensor, tile: Tile, scale: number): void {
  const side = tile.size === undefined ? undefined : tile.size * scale;
  const [height, width] = [side ?? 'height', side ?? 'width'];
  const expected = describeTensor(type, layout === 'NCHW' ? [1, 3, height, width] : [1, height, width, 3]);
  const wrong = refusal(`${which} ${value.name}: expected ${expected} (${layout}), received ${describeTensor(value.type, value.shape)}`);
  if (value.type !== type) throw wrong;
  if (!value.shape) return;
  if (value.shape.length !== 4) throw wrong;
  const [batch, a, b, c] = value.shape;
  const [channels, high, wide] = layout === 'NCHW' ? [a, b, c] : [c, a, b];
  // A free size where the channels belong, and three where they do not: the other layout.
  if (typeof channels !== 'number' && (layout === 'NCHW' ? c : a) === 3) throw wrong;
  const fits = (size: number | string | undefined, wanted: number | undefined) =>
    typeof size !== 'number' || wanted === undefined || size === wanted;
  if (!fits(batch, 1) || !fits(channels, 3) || !fits(high, side) || !fits(wide, side)) throw wrong;
}
