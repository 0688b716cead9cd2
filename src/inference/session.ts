import './no-telemetry.ts';
import { InferenceSession, Tensor } from 'onnxruntime-node';
import { AppError } from '../errors.ts';
import { type Manifest, type NetworkFile, outputTensor, type Precision, type ScalarInput, type Scale } from '../models/manifest.ts';
import { type ModelEntry, readVerified } from '../models/registry.ts';
import { fromTensor, tensorShape, toTensor } from './pixel-tensor.ts';
import { executionProviders, providerAdvice } from './provider.ts';

export interface SessionOptions {
  readonly threads: number;
  /** Execution provider; `cpu` is always there. */
  readonly provider: string;
}

/** A loaded network from picture to picture. `run` blocks its thread: only ever used in a child process. */
export interface Network {
  /** Names of the conditions `run` expects, in order. */
  readonly conditions: readonly string[];
  readonly precision: Precision;
  /** The result's sides are this many times the source's. */
  readonly scale: Scale;
  /**
   * HWC uint8 RGB of a size the tile rule allows → HWC uint8 RGB of `scale` times that size.
   * @param beside the second picture of the same size, for a model whose manifest names one
   * @throws AppError PROCESS_ERROR when the network fails or gives something that is no such picture
   */
  run(rgb: Uint8Array, width: number, height: number, conditions: Float32Array, beside?: Uint8Array): Promise<Uint8Array>;
  close(): Promise<void>;
}

/**
 * @throws AppError PROCESS_ERROR when the file is damaged or the provider is not there
 */
export async function openNetwork(entry: ModelEntry, file: NetworkFile, options: SessionOptions): Promise<Network> {
  const { manifest } = entry;
  const session = await open(entry, file, options);
  const { picture, others } = inputsOf(session, manifest);
  const output = outputTensor(manifest);
  const restored = output.name ?? session.outputNames[0] ?? 'restored';
  const scalars = Object.fromEntries((manifest.scalars ?? []).map((scalar) => [scalar.name, scalarTensor(scalar)]));
  const bad = (what: string) => new AppError('PROCESS_ERROR', `The model ${manifest.name} ${what}.`);
  return {
    ...factsOf(manifest, file),
    async run(rgb, width, height, conditions, beside = rgb) {
      const feeds: Record<string, Tensor> = { ...scalars, [picture]: pictureTensor(rgb, width, height, manifest) };
      if (manifest.beside !== undefined) feeds[manifest.beside] = pictureTensor(beside, width, height, manifest);
      if (file.conditions.length > 0) feeds[others[0] ?? 'conditions'] = new Tensor('float32', conditions, [1, conditions.length]);
      const result = (await session.run(feeds, [restored]))[restored];
      if (!result) throw bad('gave no picture');
      const expected = tensorShape(output, width * manifest.scale, height * manifest.scale);
      if (result.type !== output.type || result.dims.join() !== expected.join())
        throw bad(`gave ${result.type} [${result.dims.join(', ')}] where its manifest promises ${output.type} [${expected.join(', ')}]`);
      const pixels = fromTensor(result.data as Uint8Array | Float32Array, output);
      if (!pixels) throw bad('gave values that are no finite numbers for this picture');
      return pixels;
    },
    close: () => session.release(),
  };
}

/** What is known of a network before it is loaded. */
export function factsOf({ scale }: Manifest, { conditions, precision }: NetworkFile): Pick<Network, 'conditions' | 'precision' | 'scale'> {
  return { conditions, precision: precision ?? 'fp32', scale };
}

/** HWC uint8 RGB as the network's picture input. */
export function pictureTensor(rgb: Uint8Array, width: number, height: number, { input }: Pick<Manifest, 'input'>): Tensor {
  const data = toTensor(rgb, input);
  const shape = tensorShape(input, width, height);
  return data instanceof Uint8Array ? new Tensor('uint8', data, shape) : new Tensor('float32', data, shape);
}

/** The tensor of a one-number input. */
export function scalarTensor({ type, shape, value }: ScalarInput): Tensor {
  return type === 'float32' ? new Tensor(type, Float32Array.of(value), shape) : new Tensor(type, Float64Array.of(value), shape);
}

/** Which input takes the picture, and those that the manifest says nothing of. */
function inputsOf(session: InferenceSession, { input, beside, scalars = [] }: Manifest): { picture: string; others: string[] } {
  const free = session.inputNames.filter((name) => name !== beside && !scalars.some((scalar) => scalar.name === name));
  const picture = input.name ?? free[0] ?? 'picture';
  return { picture, others: free.filter((name) => name !== picture) };
}

/** How every session is opened: sequential, all optimisations, no spinning. */
export function sessionOptions({ threads, provider }: SessionOptions): InferenceSession.SessionOptions {
  return {
    executionProviders: executionProviders(provider),
    intraOpNumThreads: threads,
    interOpNumThreads: 1,
    executionMode: 'sequential',
    graphOptimizationLevel: 'all',
    // Spinning threads burn the cores of the neighbours: 9-33 % slower on a shared machine.
    extra: { session: { intra_op: { allow_spinning: '0' } } },
    logSeverityLevel: 3,
  };
}

async function open(entry: ModelEntry, file: NetworkFile, options: SessionOptions): Promise<InferenceSession> {
  const settings = sessionOptions(options);
  const bytes = readVerified(entry, file);
  try {
    return await InferenceSession.create(bytes, settings);
  } catch (cause) {
    throw new AppError(
      'PROCESS_ERROR',
      `The model ${entry.manifest.name} cannot be loaded with the provider ${options.provider}: ${providerAdvice(options.provider)}.`,
      { cause },
    );
  }
}
