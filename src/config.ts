import { readFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { DEFAULT_RESULT_PIXELS } from './limits.ts';

/**
 * Every variable in one table: `docs/reference/configuration.md`, `.env.example` and
 * `mingxi config` are made from it, and a start with wrong values lists all of them at once.
 */
interface VariableBase<T> {
  readonly doc: string;
  readonly default: T;
  /** Shown as *** and also accepted from a file named by NAME_FILE. */
  readonly secret?: boolean;
  /** The default in words, where it depends on the machine. */
  readonly defaultText?: string;
}
interface NumberVariable extends VariableBase<number> {
  readonly type: 'integer' | 'number';
  readonly min: number;
  readonly max: number;
  readonly unit?: string;
}
interface TextVariable extends VariableBase<string> {
  readonly type: 'text';
  readonly oneOf?: readonly string[];
}
interface FlagVariable extends VariableBase<boolean> {
  readonly type: 'flag';
}
interface ListVariable extends VariableBase<readonly string[]> {
  readonly type: 'list';
}
export type Variable = NumberVariable | TextVariable | FlagVariable | ListVariable;

const integer = (fallback: number, min: number, max: number, doc: string, unit?: string): NumberVariable => ({
  type: 'integer',
  default: fallback,
  min,
  max,
  doc,
  ...(unit ? { unit } : {}),
});
const number = (fallback: number, min: number, max: number, doc: string, unit?: string): NumberVariable => ({
  type: 'number',
  default: fallback,
  min,
  max,
  doc,
  ...(unit ? { unit } : {}),
});
const text = (fallback: string, doc: string, oneOf?: readonly string[]): TextVariable => ({
  type: 'text',
  default: fallback,
  doc,
  ...(oneOf ? { oneOf } : {}),
});
const secret = (doc: string): TextVariable => ({ type: 'text', default: '', doc, secret: true });
const flag = (fallback: boolean, doc: string): FlagVariable => ({ type: 'flag', default: fallback, doc });
const list = (fallback: readonly string[], doc: string): ListVariable => ({ type: 'list', default: fallback, doc });

const MB = 1024 * 1024;
const cores = availableParallelism();

export const VARIABLES = {
  host: text('127.0.0.1', 'Address the server listens on.'),
  port: integer(8080, 0, 65535, 'Port; 0 picks a free one.'),
  data: text('./data', 'Folder of the embedded database, stored pictures and the server key.'),
  role: text('all', 'What this process does.', ['all', 'api', 'worker']),
  publicUrl: text('', "Base of result links, e.g. https://img.example.com; empty: the request's own Host."),
  trustProxy: flag(false, 'Believe X-Forwarded-* from the peer.'),
  corsOrigins: list(['*'], 'Origins allowed to call the API from browsers.'),
  logLevel: text('info', 'Least severe log level written.', ['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent']),
  metrics: flag(true, 'Serve /metrics.'),
  bodyLimit: integer(64 * MB, MB, 1024 * MB, 'Largest request body.', 'bytes'),
  maxEntries: integer(16, 1, 256, 'Most entries in media_info_list.'),
  syncTimeout: number(25, 1, 600, 'A synchronous call answers within this time.', 's'),
  drainTimeout: number(30, 0, 600, 'Running work may take this long after SIGTERM.', 's'),
  maxFileBytes: integer(2 * MB, 1024, 1024 * MB, 'Largest picture file of the documented interface.', 'bytes'),
  minSide: integer(48, 1, 4096, 'Smallest side of a picture.', 'px'),
  maxSide: integer(4096, 48, 65535, 'Largest side of a picture of the documented interface.', 'px'),
  v2MaxFileBytes: integer(50 * MB, 1024, 1024 * MB, 'Largest picture file of /v2.', 'bytes'),
  v2MaxPixels: integer(64_000_000, 2304, 1_000_000_000, 'Most pixels of a picture of /v2.', 'px'),
  maxResultPixels: integer(DEFAULT_RESULT_PIXELS, 2304, 1_000_000_000, 'Most pixels of an enlarged result.', 'px'),
  studio: text(
    'auto',
    'Studio page at /: auto = without a key on loopback while only the development key exists; keys = always with a key; off.',
    ['auto', 'keys', 'off'],
  ),
  workers: {
    ...integer(Math.max(1, Math.min(4, Math.floor(cores / 2))), 1, 64, 'Child processes that restore pictures.'),
    defaultText: 'half the processor cores, 1 to 4',
  },
  threads: integer(0, 0, 64, 'Inference threads per child; 0: processor cores divided by workers.'),
  queueLimit: integer(64, 0, 100_000, 'Pictures that may wait for a child.'),
  workerTasks: integer(500, 1, 1_000_000, 'A child is replaced after this many pictures.'),
  workerMemory: integer(
    1500 * MB,
    200 * MB,
    64_000 * MB,
    'A child is replaced when its resident memory is above this after a picture.',
    'bytes',
  ),
  workerMemoryLimit: integer(
    4096 * MB,
    512 * MB,
    256_000 * MB,
    'A child that needs more memory than this fails its picture (kept by the kernel; provider cpu only).',
    'bytes',
  ),
  model: text('general', 'Network used for model auto; its fast tier stands in for it where the time left is too short.'),
  autoBest: flag(
    false,
    'With model auto the best tier of that network is used where damage can be seen and time is ample: eight times the work, so for machines with cores to spare.',
  ),
  faceModel: text('auto', 'Network that restores faces: the name of an imported one, auto for the shipped one, none for no face stage.'),
  faceDetector: text(
    'auto',
    'Network that finds faces: the name of an imported one, auto for the shipped one, none to use only points that are sent.',
  ),
  modelsDir: text('', 'Folder of imported networks; empty: DATA/models.'),
  modelMaxBytes: integer(1024 * MB, 1024, 2047 * MB, 'Largest network file `models add` takes.', 'bytes'),
  modelCheckTime: number(120, 1, 3600, 'The check of a network that is added may take this long.', 's'),
  modelCheckMemory: integer(8192 * MB, 256 * MB, 256_000 * MB, 'The check of a network that is added may take this much memory.', 'bytes'),
  provider: text('cpu', 'ONNX Runtime execution provider.', ['cpu', 'cuda', 'webgpu', 'coreml', 'dml']),
  precision: text(
    'auto',
    'Numbers the networks compute in: auto = 8-bit integers where a short measurement finds them faster (cpu only); fp32; int8 = wherever a network has them.',
    ['auto', 'fp32', 'int8'],
  ),
  fetchTimeout: number(10, 0.1, 120, 'A source link must be read within this time.', 's'),
  fetchRedirects: integer(3, 0, 10, 'Redirects followed for a source link.'),
  fetchAllow: list([], 'Hosts or CIDR ranges source links may reach though they are private, e.g. 10.0.0.0/8, files.lan.'),
  fetchPorts: list(['80', '443'], 'Ports source links may use (hosts in fetchAllow: any).'),
  databaseUrl: secret(
    'PostgreSQL for keys, usage and jobs, postgres://USER:PASSWORD@HOST:PORT/DATABASE; empty: a file in DATA, for one machine.',
  ),
  databaseConnections: integer(10, 2, 500, 'Most connections of one process to PostgreSQL.'),
  databaseTimeout: number(5, 0.1, 120, 'A statement, or PostgreSQL being away, may take this long; then calls are answered with 503.', 's'),
  redisUrl: secret(
    'Redis or Valkey that counts calls per second of a key over all servers, redis://:PASSWORD@HOST:PORT/0; empty: each server counts its own.',
  ),
  redisOutage: text(
    'open',
    'Calls of a key with a rate while that Redis does not answer: open = each server counts its own; closed = they are answered with 503.',
    ['open', 'closed'],
  ),
  storage: text('disk', 'Where pictures are kept: under DATA, or in an S3 bucket.', ['disk', 's3']),
  s3Endpoint: text('', "S3 service, e.g. https://s3.example.com; empty: Amazon's own."),
  s3Region: text('us-east-1', 'Region of the bucket.'),
  s3Bucket: text('', 'Bucket, which must exist; needed with storage s3.'),
  s3Prefix: text('mingxi/', 'Beginning of the names of all objects in the bucket.'),
  s3PathStyle: flag(false, 'Bucket in the path rather than in the host name; most services but Amazon need it.'),
  s3AccessKey: secret("Access key id; empty: the AWS SDK's own chain (environment, profile, instance or pod role)."),
  s3SecretKey: secret('Secret access key that belongs to it.'),
  s3Checksums: text('WHEN_SUPPORTED', 'Checksum headers on uploads; WHEN_REQUIRED for older services that refuse them.', [
    'WHEN_SUPPORTED',
    'WHEN_REQUIRED',
  ]),
  s3Links: text(
    'proxy',
    'Result links: proxy = this server passes the bytes on; redirect = it redirects to a presigned link of the bucket.',
    ['proxy', 'redirect'],
  ),
  s3PublicEndpoint: text('', 'S3 service as clients reach it, for presigned links; empty: the same as s3Endpoint.'),
  s3Timeout: number(10, 0.1, 300, 'One try of an S3 call, or a pause within a body, may take this long.', 's'),
  s3Attempts: integer(3, 1, 10, 'An S3 call that fails for a passing reason is tried this often.'),
  resultHours: number(24, 0.01, 8760, 'Results, jobs and their sources are kept this long.', 'h'),
  sweepSeconds: number(60, 0.1, 86_400, 'Time between two sweeps of expired pictures.', 's'),
  serverKey: secret(
    'Key that encrypts recoverable API secrets, 64 hex digits, the same on all machines of one database; empty: made once in DATA/server.key (0600).',
  ),
  queueUrl: secret(
    'Server by which processes on several machines learn of jobs, redis://, rediss:// or postgres://USER:PASSWORD@HOST:PORT/DATABASE; empty: the database alone, for one machine.',
  ),
  queueName: text('mingxi', 'Services with different names share that server without meeting.'),
  jobLease: number(15, 1, 600, 'A process that says nothing for this long is taken for dead, and its jobs are taken up by others.', 's'),
  jobConcurrency: integer(0, 0, 1024, 'Jobs of the queue run at once; 0: as many as workers.'),
  jobAttempts: integer(3, 1, 20, 'A job whose worker died is tried this often.'),
  jobTakeovers: integer(20, 0, 1000, 'A job is taken up again this often after the server that ran it ended without warning.'),
  jobLimit: integer(100_000, 1, 10_000_000, 'Asynchronous jobs that may be queued or running; more are refused.'),
  jobTimeout: number(600, 1, 86_400, 'One picture of an asynchronous job may take this long.', 's'),
  callbackAttempts: integer(6, 1, 20, 'A callback is tried this often, with back-off.'),
  callbackBackoff: number(5, 0.01, 3600, 'Wait before the second try of a callback; each further wait is five times as long.', 's'),
  gatewayTimeout: number(30, 1, 600, 'sync/push of the gateway waits at most this long.', 's'),
  interfaces: list(
    ['/v1/image_restoration', '/v2/image_restoration', '/v1/AIDenoise', '/v2/denoise', '/v1/night_denoise'],
    'Further paths served like /v1/aiquality, each with its _async form.',
  ),
  taskAliases: list([], 'Further gateway task names for restoration; a task that ends in one of them is meant too.'),
} as const satisfies Record<string, Variable>;

export type VariableName = keyof typeof VARIABLES;
type ValueOf<V> = V extends { type: 'integer' | 'number' }
  ? number
  : V extends { type: 'flag' }
    ? boolean
    : V extends { type: 'list' }
      ? readonly string[]
      : string;
export type Config = { readonly [K in VariableName]: ValueOf<(typeof VARIABLES)[K]> };

/** `syncTimeout` → `MINGXI_SYNC_TIMEOUT`. */
export function environmentName(name: string): string {
  return `MINGXI_${name.replace(/([a-z0-9])([A-Z])/g, '$1_$2').toUpperCase()}`;
}

/** All problems of a configuration, one per line; thrown before anything starts. */
export class ConfigError extends Error {
  override readonly name = 'ConfigError';
  readonly problems: readonly string[];

  constructor(problems: readonly string[]) {
    super(`configuration:\n${problems.map((p) => `  ${p}`).join('\n')}`);
    this.problems = problems;
  }
}

/**
 * Reads and checks the whole table. `overrides` (command-line flags) win over the environment.
 * @throws ConfigError listing every problem, unknown MINGXI_ variables included
 */
export function loadConfig(environment: NodeJS.ProcessEnv = process.env, overrides: Partial<Record<VariableName, unknown>> = {}): Config {
  const problems: string[] = [];
  const values: Record<string, unknown> = {};
  const known = new Set<string>();
  for (const [name, variable] of Object.entries(VARIABLES) as [VariableName, Variable][]) {
    const variableName = environmentName(name);
    known.add(variableName);
    if (variable.secret) known.add(`${variableName}_FILE`);
    const override = overrides[name];
    const raw = override === undefined ? fromEnvironment(environment, variableName, variable, problems) : String(override);
    values[name] = raw === undefined || raw === '' ? variable.default : parse(variableName, variable, raw, problems);
  }
  for (const name of Object.keys(environment)) {
    if (name.startsWith('MINGXI_') && !known.has(name) && !name.startsWith('MINGXI_TEST_'))
      problems.push(`${name}: no such variable; see docs/reference/configuration.md`);
  }
  if (problems.length > 0) throw new ConfigError(problems);
  return values as unknown as Config;
}

function fromEnvironment(environment: NodeJS.ProcessEnv, name: string, variable: Variable, problems: string[]): string | undefined {
  const file = variable.secret ? environment[`${name}_FILE`] : undefined;
  if (!file) return environment[name]?.trim();
  try {
    return readFileSync(file, 'utf8').trim();
  } catch {
    problems.push(`${name}_FILE: the file cannot be read`);
    return undefined;
  }
}

function parse(name: string, variable: Variable, raw: string, problems: string[]): unknown {
  const wrong = (expected: string) => {
    problems.push(`${name}: expected ${expected}, received ${variable.secret ? '***' : JSON.stringify(raw)}`);
    return variable.default;
  };
  switch (variable.type) {
    case 'integer':
    case 'number': {
      const value = Number(raw);
      const whole = variable.type === 'number' || Number.isInteger(value);
      const kind = variable.type === 'integer' ? 'a whole number' : 'a number';
      return Number.isFinite(value) && whole && value >= variable.min && value <= variable.max
        ? value
        : wrong(`${kind} from ${variable.min} to ${variable.max}`);
    }
    case 'flag':
      if (/^(1|true|yes|on)$/i.test(raw)) return true;
      return /^(0|false|no|off)$/i.test(raw) ? false : wrong('true or false');
    case 'list':
      return raw
        .split(',')
        .map((item) => item.trim())
        .filter((item) => item !== '');
    case 'text':
      return !variable.oneOf || variable.oneOf.includes(raw) ? raw : wrong(`one of ${variable.oneOf.join(', ')}`);
  }
}

/** Inference threads per child: given, or the cores shared out among the children. */
export function threadsPerWorker(config: Pick<Config, 'threads' | 'workers'>): number {
  return config.threads > 0 ? config.threads : Math.max(1, Math.floor(cores / config.workers));
}
