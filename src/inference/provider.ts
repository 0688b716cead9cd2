import { listSupportedBackends } from 'onnxruntime-node';
import { AppError } from '../errors.ts';

/**
 * The list of execution providers for a session: the wanted one, then the processor for what it cannot do.
 * @throws AppError PROCESS_ERROR naming what there is, when this build of ONNX Runtime has no such provider
 */
export function executionProviders(provider: string): string[] {
  if (provider === 'cpu') return ['cpu'];
  const known = listSupportedBackends().map((backend) => backend.name);
  if (known.includes(provider)) return [provider, 'cpu'];
  throw new AppError(
    'PROCESS_ERROR',
    `The provider ${provider} does not exist in this build of ONNX Runtime (${process.platform}-${process.arch}); there are: ${known.join(', ')}.`,
  );
}

/** Why a session on this provider may have failed though the file is whole; ends the sentence about the failure. */
export function providerAdvice(provider: string): string {
  if (provider === 'cpu') return 'the file is not one that ONNX Runtime can run';
  const bundled = listSupportedBackends().find((backend) => backend.name === provider)?.bundled === true;
  const missing = bundled ? 'no device or driver for it was found' : 'its libraries are not installed, or no device for it was found';
  return `${missing}. Use the provider cpu (MINGXI_PROVIDER), or install what ${provider} needs`;
}
