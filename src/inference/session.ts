import { InferenceSession, Tensor } from 'onnxruntime-node';
import { AppError } from '../errors.ts';
import type { NetworkFile } from '../models/manifest.ts';
import { type ModelEntry, readVerified } from '../models/registry.ts';

export interface SessionOptions {
  readonly threads: number;
  /** Execution provider; `cpu` is always there. */
  readonly provider: string;
}

/** A loaded same-size restoration network. `run` blocks its thread: only ever used in a child process. */
export interface Network {
  /** Names of the conditions `run` expects, in order. */
  readonly conditions: readonly string[];
  /** HWC uint8 RGB of a size the tile rule allows → HWC uint8 RGB of the same size. */
  run(rgb: Uint8Array, width: number, height: number, conditions: Float32Array): Promise<Uint8Array>;
  close(): Promise<void>;
}

/**
 * @throws AppError PROCESS_ERROR when the file is damaged or the provider is not there
 */
export async function openNetwork(entry: ModelEntry, file: NetworkFile, options: SessionOptions): Promise<Network> {
  const session = await create(entry, file, options);
  const [picture = 'picture', conditionsName = 'conditions'] = session.inputNames;
  const [restored = 'restored'] = session.outputNames;
  return {
    conditions: file.conditions,
    async run(rgb, width, height, conditions) {
      const feeds: Record<string, Tensor> = { [picture]: new Tensor('uint8', rgb, [1, height, width, 3]) };
      if (file.conditions.length > 0) feeds[conditionsName] = new Tensor('float32', conditions, [1, conditions.length]);
      const output = (await session.run(feeds))[restored];
      if (!output) throw new AppError('PROCESS_ERROR', `The model ${entry.manifest.name} gave no picture.`);
      return output.data as Uint8Array;
    },
    close: () => session.release(),
  };
}

async function create(entry: ModelEntry, file: NetworkFile, options: SessionOptions): Promise<InferenceSession> {
  try {
    return await InferenceSession.create(readVerified(entry, file), {
      executionProviders: options.provider === 'cpu' ? ['cpu'] : [options.provider, 'cpu'],
      intraOpNumThreads: options.threads,
      interOpNumThreads: 1,
      executionMode: 'sequential',
      graphOptimizationLevel: 'all',
      // Spinning threads burn the cores of the neighbours: 9-33 % slower on a shared machine.
      extra: { session: { intra_op: { allow_spinning: '0' } } },
      logSeverityLevel: 3,
    });
  } catch (cause) {
    if (cause instanceof AppError) throw cause;
    throw new AppError('PROCESS_ERROR', `The model ${entry.manifest.name} cannot be loaded with the provider ${options.provider}.`, {
      cause,
    });
  }
}
