import '../no-telemetry.ts';
import { InferenceSession, type Tensor } from 'onnxruntime-node';
import type { Completed, Draft } from '../../models/draft.ts';
import type { Detector } from '../../models/manifest.ts';
import { fromTensor, tensorShape } from '../pixel-tensor.ts';
import { pictureTensor, scalarTensor, sessionOptions } from '../session.ts';
import { describeTensor, refusal } from './refusal.ts';

/** Networks overshoot black and white a little; beyond half the range something else is wrong. */
const OVERSHOOT = 0.5;
/** A restored picture keeps its mean colour within this (of 255); GAN-trained enlargers stay within 5. */
const MEAN_TOLERANCE = 26;
/** Sides of the test pictures where the network takes any: neither square nor of one size. */
const SIDES = [64, 96] as const;

/**
 * Loads the network on the processor and runs it on small pictures. Only ever in a process of its own.
 * @throws AppError PROCESS_ERROR saying what was expected and what came out
 */
export async function dryRun(file: Uint8Array, draft: Draft, completed: Completed): Promise<void> {
  const session = await InferenceSession.create(file, sessionOptions({ threads: 1, provider: 'cpu' })).catch((cause) => {
    throw refusal(`ONNX Runtime cannot load it: ${firstLine(cause)}`, cause);
  });
  const { size, multiple } = completed.tile;
  const [short, long] = SIDES.map((side) => size ?? Math.ceil(side / multiple) * multiple) as [number, number];
  await runOnce(session, draft, completed, short, size === undefined && long === short ? short + multiple : long);
  // Turned: an export whose inner shapes were fixed by its tracing fails here.
  if (size === undefined) await runOnce(session, draft, completed, long === short ? short + multiple : long, short);
  await session.release();
}

async function runOnce(session: InferenceSession, draft: Draft, completed: Completed, width: number, height: number): Promise<void> {
  const picture = testPicture(width, height);
  const feeds: Record<string, Tensor> = { [completed.input.name ?? '']: pictureTensor(picture, width, height, completed) };
  for (const scalar of completed.scalars) feeds[scalar.name] = scalarTensor(scalar);
  const results = await session.run(feeds).catch((cause) => {
    throw refusal(`it cannot be run on a picture of ${width}×${height} px: ${firstLine(cause)}`, cause);
  });
  if (draft.detector && draft.task === 'face-detect') checkDetector(Object.values(results), draft.detector, width * height);
  else checkResult(results[completed.output.name ?? ''], draft, completed, picture, width, height);
}

function checkResult(
  result: Tensor | undefined,
  draft: Draft,
  { output }: Completed,
  picture: Uint8Array,
  width: number,
  height: number,
): void {
  const shape = tensorShape(output, width * draft.scale, height * draft.scale);
  const expected = `${describeTensor(output.type, shape)} for a picture of ${width}×${height} px and scale ${draft.scale}`;
  if (!result || result.type !== output.type || result.dims.join() !== shape.join())
    throw refusal(`output ${output.name}: expected ${expected}, received ${result ? describeTensor(result.type, result.dims) : 'nothing'}`);
  const data = result.data as Uint8Array | Float32Array;
  const [black, white] = output.range ?? [0, 255];
  const [least, most] = extremes(data);
  const margin = OVERSHOOT * (white - black);
  const pixels = fromTensor(data, output);
  if (!pixels) throw refusal(`output ${output.name}: expected finite numbers, received some that are none`);
  if (least < black - margin || most > white + margin)
    throw refusal(`output ${output.name}: expected values from ${black} to ${white} (range), received ${short(least)} to ${short(most)}`);
  // A face network makes a face of anything; every other one keeps what it is shown.
  if (draft.task === 'restore') checkColours(pixels, picture);
}

/** Told wrongly about range or channel order, a network gives another mean colour than it was shown. */
function checkColours(pixels: Uint8Array, picture: Uint8Array): void {
  const [shown, given] = [meanColour(picture), meanColour(pixels)];
  if (shown.every((value, channel) => Math.abs(value - (given[channel] as number)) <= MEAN_TOLERANCE)) return;
  throw refusal(
    `expected a result with the colours of the picture it was shown (mean red, green, blue ${shown.join(', ')}), received ${given.join(', ')}: the manifest's range, channels or layout are not this network's`,
  );
}

/** Outputs by their number of values: per stride score(s), box and ten landmark coordinates. */
const DETECTOR_VALUES: Readonly<
  Record<Detector, { readonly anchors: number; readonly values: readonly number[]; readonly named: string }>
> = {
  mingxi: { anchors: 1, values: [15], named: 'score, box and landmarks' },
  yunet: { anchors: 1, values: [1, 1, 4, 10], named: 'class, object, box and landmarks' },
  scrfd: { anchors: 2, values: [1, 4, 10], named: 'score, box and landmarks' },
};

function checkDetector(outputs: readonly Tensor[], detector: Detector, pixels: number): void {
  const { anchors, values, named } = DETECTOR_VALUES[detector];
  const expected = [8, 16, 32].flatMap((stride) => values.map((each) => (each * anchors * pixels) / stride ** 2));
  const received = outputs.map((output) => output.data.length);
  const sorted = (list: readonly number[]) => [...list].sort((a, b) => a - b).join(', ');
  if (sorted(expected) !== sorted(received))
    throw refusal(
      `outputs: expected ${expected.length} tensors of ${detector} (${named} at strides 8, 16, 32: ${sorted(expected)} values), received ${received.length} (${sorted(received.slice(0, 32))} values)`,
    );
  for (const { type, data } of outputs) {
    if (type !== 'float32') throw refusal(`outputs: expected float32, received ${type}`);
    if (!(data as Float32Array).every(Number.isFinite)) throw refusal('outputs: expected finite numbers, received some that are none');
  }
}

/** Soft slopes with a fine pattern; each channel has a mean of its own. */
function testPicture(width: number, height: number): Uint8Array {
  const means = [158, 122, 87];
  return Uint8Array.from({ length: width * height * 3 }, (_, i) => {
    const [x, y] = [Math.floor(i / 3) % width, Math.floor(i / 3 / width)];
    const slope = 40 * (x / width - 0.5) + 30 * (y / height - 0.5);
    return (means[i % 3] as number) + slope + 8 * Math.sin(x / 2) * Math.cos(y / 3);
  });
}

function meanColour(rgb: Uint8Array): [number, number, number] {
  const sums: [number, number, number] = [0, 0, 0];
  for (let i = 0; i < rgb.length; i++) sums[(i % 3) as 0 | 1 | 2] += rgb[i] as number;
  return sums.map((sum) => Math.round((3 * sum) / rgb.length)) as [number, number, number];
}

function extremes(data: Uint8Array | Float32Array): [number, number] {
  let [least, most] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
  for (const value of data) {
    if (value < least) least = value;
    if (value > most) most = value;
  }
  return [least, most];
}

const short = (value: number) => String(Number(value.toPrecision(4)));

/** ONNX Runtime's own words; they may hold names out of the file, so only what a terminal can print. */
function firstLine(error: unknown): string {
  const message = error instanceof Error ? error.message : String(error);
  return (message.split('\n')[0] ?? '')
    .replace(/\/onnxruntime_src\S*( [^(]*\([^)]*\))?/g, '')
    .replace(/[^\x20-\x7e]/g, '?')
    .replace(/\.$/, '')
    .slice(0, 300);
}
