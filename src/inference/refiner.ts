import './no-telemetry.ts';
import { InferenceSession, Tensor } from 'onnxruntime-node';
import { AppError } from '../errors.ts';
import { REFINER_NUMBERS, REFINER_SIDE } from '../imaging/faces/refine.ts';
import type { ModelFile } from '../models/manifest.ts';
import { type ModelEntry, readVerified } from '../models/registry.ts';
import { type SessionOptions, sessionOptions } from './session.ts';

/** A loaded second look at faces. `look` blocks its thread: only ever used in a child process. */
export interface FaceRefiner {
  /**
   * Squares of `REFINER_SIDE` px one after the other, HWC uint8 RGB → `REFINER_NUMBERS` numbers each.
   * @throws AppError PROCESS_ERROR when the network fails
   */
  look(squares: Uint8Array, count: number): Promise<Float32Array>;
  close(): Promise<void>;
}

const INPUT = { name: 'faces', type: 'uint8', sides: [REFINER_SIDE, REFINER_SIDE, 3] } as const;
const OUTPUT = { name: 'seen', type: 'float32', sides: [REFINER_NUMBERS] } as const;

/** @throws AppError PROCESS_ERROR when the file is damaged, is no refiner, or the provider is not there */
export async function openRefiner(entry: ModelEntry, file: ModelFile, options: SessionOptions): Promise<FaceRefiner> {
  const bad = (what: string, cause?: unknown) =>
    new AppError('PROCESS_ERROR', `The refiner ${file.file} of the face detector ${entry.manifest.name} ${what}.`, { cause });
  const session = await InferenceSession.create(readVerified(entry, file), sessionOptions(options)).catch((cause) => {
    throw bad(`cannot be loaded with the provider ${options.provider}`, cause);
  });
  const problem = signatureProblem('input', INPUT, session.inputMetadata) ?? signatureProblem('output', OUTPUT, session.outputMetadata);
  if (problem !== undefined) {
    await session.release();
    throw bad(`has another signature: ${problem}`);
  }
  return {
    async look(squares, count) {
      const faces = new Tensor('uint8', squares, [count, ...INPUT.sides]);
      const { seen } = await session.run({ [INPUT.name]: faces }, [OUTPUT.name]).catch((cause) => {
        throw bad('failed on this picture', cause);
      });
      if (!(seen?.data instanceof Float32Array) || seen.data.length !== count * REFINER_NUMBERS)
        throw bad(`gave ${seen?.type} [${seen?.dims.join(', ')}] where float32 [${count}, ${REFINER_NUMBERS}] was expected`);
      return seen.data;
    },
    close: () => session.release(),
  };
}

interface Signature {
  readonly name: string;
  readonly type: string;
  /** After the number of candidates, which must be free. */
  readonly sides: readonly number[];
}

/** What was expected and what the file has; undefined where they agree. */
function signatureProblem(
  which: 'input' | 'output',
  { name, type, sides }: Signature,
  found: readonly InferenceSession.ValueMetadata[],
): string | undefined {
  const tensor = found[0];
  const only = found.length === 1 && tensor?.isTensor ? tensor : undefined;
  const free = only !== undefined && typeof only.shape[0] === 'string';
  if (free && only.name === name && only.type === type && only.shape.slice(1).join() === sides.join()) return undefined;
  const received = found.map((each) => `${each.name}${each.isTensor ? ` ${each.type} [${each.shape.join(', ')}]` : ''}`).join(', ');
  return `expected the ${which} ${name} ${type} [n, ${sides.join(', ')}], received ${received || 'none'}`;
}
