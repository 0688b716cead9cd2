import { optionalPackage } from '../optional-package.ts';

export type Sdk = typeof import('@aws-sdk/client-s3');
type Presigner = typeof import('@aws-sdk/s3-request-presigner');

/** The AWS SDK, an optional package. @throws ConfigError that says how to install it */
export function loadSdk(): Promise<Sdk> {
  return optionalPackage('@aws-sdk/client-s3', 'MINGXI_STORAGE=s3', () => import('@aws-sdk/client-s3'));
}

/** Its helper for presigned links, another optional package. @throws ConfigError that says how to install it */
export function loadPresigner(): Promise<Presigner> {
  return optionalPackage('@aws-sdk/s3-request-presigner', 'MINGXI_S3_LINKS=redirect', () => import('@aws-sdk/s3-request-presigner'));
}
