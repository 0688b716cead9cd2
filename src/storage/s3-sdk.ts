import { ConfigError } from '../config.ts';

export type Sdk = typeof import('@aws-sdk/client-s3');
type Presigner = typeof import('@aws-sdk/s3-request-presigner');

/** The AWS SDK, an optional package. @throws ConfigError that says how to install it */
export function loadSdk(): Promise<Sdk> {
  return needed('@aws-sdk/client-s3', 'MINGXI_STORAGE=s3', () => import('@aws-sdk/client-s3'));
}

/** Its helper for presigned links, another optional package. @throws ConfigError that says how to install it */
export function loadPresigner(): Promise<Presigner> {
  return needed('@aws-sdk/s3-request-presigner', 'MINGXI_S3_LINKS=redirect', () => import('@aws-sdk/s3-request-presigner'));
}

async function needed<T>(name: string, by: string, load: () => Promise<T>): Promise<T> {
  try {
    return await load();
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ERR_MODULE_NOT_FOUND') throw error;
    throw new ConfigError([`${by} needs the package ${name}, which is not installed: npm install ${name}`]);
  }
}
