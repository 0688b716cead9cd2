import { createWriteStream } from 'node:fs';
import { rm } from 'node:fs/promises';
import { Transform } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { Agent, type Dispatcher } from 'undici';
import { AppError } from '../errors.ts';
import { createAllowList } from './allow-list.ts';
import { guardedConnector, type Lookup } from './guard.ts';
import { invalid, parseLink } from './link.ts';

export interface FetcherOptions {
  /** Milliseconds for the whole download, redirects included. */
  readonly timeout: number;
  readonly redirects: number;
  /** Hosts and CIDR ranges that may be reached though they are private. */
  readonly allow: readonly string[];
  readonly ports: readonly string[];
  readonly userAgent?: string;
  readonly lookup?: Lookup;
}

export interface DownloadOptions {
  readonly maxBytes: number;
  /** Ends the download early; the promise rejects with its reason. */
  readonly signal?: AbortSignal;
  /** Milliseconds; at most the fetcher's own limit. */
  readonly timeout?: number;
}

export interface Fetcher {
  /**
   * Writes what a link answers to a new file; nothing stays there on failure.
   * @throws AppError INVALID_URL_ERROR, IMAGE_DOWNLOAD_FAILED, DOWNLOAD_TIMEOUT_ERROR, PICTURE_OVERRUN_ERROR
   */
  download(link: string, path: string, options: DownloadOptions): Promise<{ readonly bytes: number }>;
  /** The guarded dispatcher itself, for calls other than downloads (webhooks). It follows no redirect. */
  readonly dispatcher: Dispatcher;
  close(): Promise<void>;
}

const REDIRECTS = new Set([301, 302, 303, 307, 308]);

/** Downloads by link behind the address guard. @throws ConfigError for a malformed allow-list */
export function createFetcher(options: FetcherOptions): Fetcher {
  const guard = { allow: createAllowList(options.allow), ports: options.ports, ...(options.lookup ? { lookup: options.lookup } : {}) };
  const agent = new Agent({
    connect: guardedConnector(guard, options.timeout),
    // The overall deadline is a signal; these only keep undici's own five minutes out of the way.
    headersTimeout: options.timeout + 1000,
    bodyTimeout: options.timeout + 1000,
    keepAliveTimeout: 1000,
    maxHeaderSize: 16 * 1024,
  });
  const headers = { accept: 'image/*,*/*;q=0.5', 'accept-encoding': 'identity', 'user-agent': options.userAgent ?? 'mingxi' };

  return {
    dispatcher: agent,
    close: () => agent.destroy(),
    async download(link, path, { maxBytes, signal, timeout = options.timeout }) {
      const milliseconds = Math.max(1, Math.ceil(Math.min(timeout, options.timeout)));
      const deadline = AbortSignal.timeout(milliseconds);
      const either = signal ? AbortSignal.any([signal, deadline]) : deadline;
      try {
        const response = await follow(agent, parseLink(link), options.redirects, headers, either);
        return { bytes: await save(response, path, maxBytes, either) };
      } catch (error) {
        await rm(path, { force: true });
        if (signal?.aborted) throw signal.reason;
        if (deadline.aborted) throw tooSlow(milliseconds, error);
        throw publicError(error);
      }
    },
  };
}

/** The last response of a chain of redirects; each hop is parsed and connected like the first. */
async function follow(
  agent: Agent,
  first: URL,
  redirects: number,
  headers: Record<string, string>,
  signal: AbortSignal,
): Promise<Dispatcher.ResponseData> {
  let url = first;
  for (let hop = 0; hop <= redirects; hop++) {
    const request = { origin: url.origin, path: url.pathname + url.search, method: 'GET', headers, signal } as const;
    const response = await untilAborted(signal, agent.request(request));
    if (!REDIRECTS.has(response.statusCode)) return response;
    const location = response.headers.location;
    response.body.on('error', () => undefined).destroy();
    if (typeof location !== 'string') throw failed(`The link answers ${response.statusCode} without saying where to.`);
    url = nextHop(location, url);
  }
  throw failed(`The link redirects more than ${redirects} times.`);
}

/** undici notices an abort only once the connection stands; the caller must not wait for that. */
function untilAborted<T>(signal: AbortSignal, work: Promise<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    const abort = () => reject(signal.reason);
    if (signal.aborted) abort();
    signal.addEventListener('abort', abort, { once: true });
    work.then(resolve, reject).finally(() => signal.removeEventListener('abort', abort));
  });
}

function nextHop(location: string, base: URL): URL {
  let target: string;
  try {
    // Servers send raw UTF-8 here; undici hands it on as Latin-1.
    target = new URL(Buffer.from(location, 'latin1').toString('utf8'), base).href;
  } catch (error) {
    throw invalid('The link redirects to something that is no address.', error);
  }
  return parseLink(target);
}

async function save(response: Dispatcher.ResponseData, path: string, maxBytes: number, signal: AbortSignal): Promise<number> {
  const announced = Number(response.headers['content-length'] ?? 0);
  if (response.statusCode !== 200 || announced > maxBytes) {
    response.body.on('error', () => undefined).destroy();
    if (response.statusCode !== 200) throw failed(`The link answers ${response.statusCode}; expected is 200.`);
    throw tooLarge(maxBytes, `${announced} bytes are announced`);
  }
  let bytes = 0;
  const counter = new Transform({
    transform(chunk: Buffer, _encoding, done) {
      bytes += chunk.length;
      done(bytes > maxBytes ? tooLarge(maxBytes, 'more was received') : null, chunk);
    },
  });
  await pipeline(response.body, counter, createWriteStream(path, { flags: 'wx', mode: 0o600 }), { signal });
  if (bytes === 0) throw failed('The link answers with an empty body.');
  return bytes;
}

const failed = (message: string, cause?: unknown) => new AppError('IMAGE_DOWNLOAD_FAILED', message, cause === undefined ? {} : { cause });
const tooLarge = (maxBytes: number, received: string) =>
  new AppError('PICTURE_OVERRUN_ERROR', `The file behind the link is too large: ${received}; at most ${maxBytes} bytes are accepted.`);
const tooSlow = (milliseconds: number, cause: unknown) =>
  new AppError('DOWNLOAD_TIMEOUT_ERROR', `The link did not deliver the picture within ${milliseconds / 1000} s.`, { cause });

/** What undici or the network threw, without the address or anything else it may name. */
function publicError(error: unknown): AppError {
  return error instanceof AppError ? error : failed('The link cannot be reached.', error);
}
