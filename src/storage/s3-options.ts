import { type Config, ConfigError } from '../config.ts';

/** Where and how objects are kept in a bucket. */
export interface S3Options {
  /** URL of the service; undefined: Amazon's for the region. */
  readonly endpoint: string | undefined;
  readonly region: string;
  readonly bucket: string;
  readonly prefix: string;
  readonly pathStyle: boolean;
  /** Undefined: the SDK's own chain (environment, profile, instance or pod role). */
  readonly credentials: { readonly accessKeyId: string; readonly secretAccessKey: string } | undefined;
  readonly checksums: 'WHEN_SUPPORTED' | 'WHEN_REQUIRED';
  /** Whether results are linked by presigned links, and for which endpoint; undefined: the server streams. */
  readonly links: { readonly endpoint: string | undefined } | undefined;
  /** Milliseconds one try, or a pause within a body, may take. */
  readonly timeout: number;
  readonly attempts: number;
}

/** For tests and logs. */
export interface S3Surroundings {
  readonly now?: () => number;
  /** Told of every failed try of a call. */
  readonly onFailure?: (error: unknown) => void;
}

/** Rules common to all S3 services; Amazon's are narrower. */
const BUCKET = /^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$/;
const PREFIX = /^[A-Za-z0-9!_.*'()/-]{0,200}$/;

/** The S3 rows of the configuration. @throws ConfigError with every problem of their combination */
export function s3OptionsOf(config: Config): S3Options {
  const problems = [
    BUCKET.test(config.s3Bucket)
      ? ''
      : 'MINGXI_S3_BUCKET: MINGXI_STORAGE=s3 needs the name of a bucket (3 to 63 lower-case letters, digits, dots, hyphens)',
    PREFIX.test(config.s3Prefix) && !config.s3Prefix.startsWith('/') ? '' : 'MINGXI_S3_PREFIX: expected letters, digits, / and -_.',
    endpointProblem('MINGXI_S3_ENDPOINT', config.s3Endpoint),
    endpointProblem('MINGXI_S3_PUBLIC_ENDPOINT', config.s3PublicEndpoint),
    (config.s3AccessKey === '') === (config.s3SecretKey === '')
      ? ''
      : 'MINGXI_S3_ACCESS_KEY and MINGXI_S3_SECRET_KEY: give both or neither',
  ].filter((problem) => problem !== '');
  if (problems.length > 0) throw new ConfigError(problems);
  const endpoint = config.s3Endpoint || undefined;
  return {
    endpoint,
    region: config.s3Region,
    bucket: config.s3Bucket,
    prefix: config.s3Prefix,
    pathStyle: config.s3PathStyle,
    credentials: config.s3AccessKey === '' ? undefined : { accessKeyId: config.s3AccessKey, secretAccessKey: config.s3SecretKey },
    checksums: config.s3Checksums === 'WHEN_REQUIRED' ? 'WHEN_REQUIRED' : 'WHEN_SUPPORTED',
    links: config.s3Links === 'redirect' ? { endpoint: config.s3PublicEndpoint || endpoint } : undefined,
    timeout: config.s3Timeout * 1000,
    attempts: config.s3Attempts,
  };
}

function endpointProblem(name: string, text: string): string {
  if (text === '') return '';
  const url = URL.canParse(text) ? new URL(text) : undefined;
  const isPlain = url && /^https?:$/.test(url.protocol) && url.username === '' && url.search === '' && url.hash === '';
  // Not repeated in the message: a link with credentials in it is what is refused here.
  return isPlain ? '' : `${name}: expected http(s)://HOST[:PORT] without credentials`;
}
