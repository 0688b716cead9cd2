import { AppError } from '../../errors.ts';

/** Why a network file is not taken: what the manifest promises, and what the file is. */
export function refusal(what: string, cause?: unknown): AppError {
  return new AppError('PROCESS_ERROR', `The network is refused: ${what}.`, cause === undefined ? {} : { cause });
}

/** `float32 [1, 3, height, width]`, as the messages write tensors. */
export function describeTensor(type: string, shape: readonly (number | string)[] | undefined): string {
  return `${type} ${shape ? `[${shape.join(', ')}]` : 'of unknown shape'}`;
}
