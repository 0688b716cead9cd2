import './no-telemetry.ts';
import { InferenceSession, type Tensor } from 'onnxruntime-node';
import { AppError } from '../errors.ts';
import type { DetectorFamily, DetectorOutput } from '../imaging/faces/decode.ts';
import type { NetworkFile } from '../models/manifest.ts';
import { type ModelEntry, readVerified } from '../models/registry.ts';
import { providerAdvice } from './provider.ts';
import { type FaceRefiner, openRefiner } from './refiner.ts';
import { pictureTensor, type SessionOptions, sessionOptions } from './session.ts';

/** A loaded face detector. `run` blocks its thread: only ever used in a child process. */
export interface FaceDetector {
  readonly name: string;
  readonly family: DetectorFamily;
  /** The only side it takes; without it any multiples of 32. */
  readonly size?: number;
  /**
   * HWC uint8 RGB → the raw outputs, for `decodeDetections`.
   * @throws AppError PROCESS_ERROR when the network fails
   */
  run(rgb: Uint8Array, width: number, height: number): Promise<readonly DetectorOutput[]>;
  /** See `Manifest.hint`. */
  readonly hint?: number;
  /** Looks at its candidates again; not every detector has one. */
  readonly refiner?: FaceRefiner;
  close(): Promise<void>;
}

/** @throws AppError PROCESS_ERROR when the file is damaged or the provider is not there */
export async function openDetector(entry: ModelEntry, options: SessionOptions): Promise<FaceDetector> {
  const { manifest } = entry;
  const { name, detector, tile, refiner: second, hint } = manifest;
  const fails = (what: string, cause?: unknown) => new AppError('PROCESS_ERROR', `The face detector ${name} ${what}.`, { cause });
  if (detector === undefined) throw fails('is of no known family');
  const bytes = readVerified(entry, manifest.networks[0] as NetworkFile);
  const session = await InferenceSession.create(bytes, sessionOptions(options)).catch((cause) => {
    throw fails(`cannot be loaded with the provider ${options.provider}: ${providerAdvice(options.provider)}`, cause);
  });
  const refiner = second && (await openRefiner(entry, second, options));
  const input = manifest.input.name ?? session.inputNames[0] ?? 'picture';
  return {
    name,
    family: detector,
    ...(tile.size === undefined ? {} : { size: tile.size }),
    ...(hint === undefined ? {} : { hint }),
    ...(refiner ? { refiner } : {}),
    async run(rgb, width, height) {
      const results = await session.run({ [input]: pictureTensor(rgb, width, height, manifest) }).catch((cause) => {
        throw fails('failed on this picture', cause);
      });
      return Object.values(results).map(outputOf);
    },
    async close() {
      await session.release();
      await refiner?.close();
    },
  };
}

function outputOf(tensor: Tensor): DetectorOutput {
  // Another type cannot come from a network that was checked when it was added.
  const data = tensor.data instanceof Float32Array ? tensor.data : new Float32Array();
  return { data, channels: Number(tensor.dims.at(-1) ?? 0) };
}
