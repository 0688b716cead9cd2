import { MingxiConnectionError, MingxiError } from './failure.ts';
import { GatewayClient } from './gateway.ts';
import { RestoredPicture } from './picture.ts';
import { type Polled, poll, type WaitOptions } from './polling.ts';
import { type Outgoing, send, type TransportOptions } from './transport.ts';
import { mediaInfo, type PictureSource, type RestoredBody, type RestoreParameters } from './wire.ts';

export interface MingxiClientOptions {
  /** Where the service is, e.g. `http://127.0.0.1:8080`. */
  readonly baseUrl: string | URL;
  readonly apiKey: string;
  readonly apiSecret: string;
  /** The interface to call; its asynchronous form is this plus `_async`. Default `/v1/aiquality`. */
  readonly path?: string;
  /** Milliseconds for one request. Default 60 000. */
  readonly timeout?: number;
  /** Further tries after a retryable failure. Default 2. */
  readonly retries?: number;
  /** Longest `Retry-After`, in ms, that is waited for. Default 30 000. */
  readonly maxWait?: number;
  /** Another `fetch`, e.g. one with a proxy. */
  readonly fetch?: typeof globalThis.fetch;
}

export type QueryAnswer = Polled<readonly RestoredPicture[]>;

const NOT_RESULT = 29901;

/**
 * A client for this service and for any other that speaks the same wire.
 *
 * ```ts
 * const client = new MingxiClient({ baseUrl: 'http://127.0.0.1:8080', apiKey, apiSecret });
 * const [picture] = await client.restore(await readFile('old.jpg'), { strength: 0.8 });
 * await writeFile('new.jpg', await picture.bytes());
 * ```
 */
export class MingxiClient {
  /** The newer, signed gateway, with the same keys. */
  readonly gateway: GatewayClient;
  readonly #options: TransportOptions;
  readonly #baseUrl: URL;
  readonly #path: string;
  readonly #keys: { readonly api_key: string; readonly api_secret: string };

  constructor(options: MingxiClientOptions) {
    this.#baseUrl = new URL(options.baseUrl);
    this.#path = options.path ?? '/v1/aiquality';
    this.#keys = { api_key: options.apiKey, api_secret: options.apiSecret };
    this.#options = {
      fetch: options.fetch ?? globalThis.fetch,
      timeout: options.timeout ?? 60_000,
      retries: options.retries ?? 2,
      maxWait: options.maxWait ?? 30_000,
    };
    this.gateway = new GatewayClient(this.#baseUrl, { accessKey: options.apiKey, secretKey: options.apiSecret }, this.#options, this.#path);
  }

  /**
   * Restores one picture or several (results in the same order) and waits for the answer.
   * @throws MingxiError with the service's code; MingxiConnectionError; MingxiTimeoutError
   */
  async restore(
    sources: PictureSource | readonly PictureSource[],
    parameter: RestoreParameters = {},
    options: { readonly signal?: AbortSignal | undefined } = {},
  ): Promise<RestoredPicture[]> {
    return this.#pictures(await this.#post(this.#path, sources, parameter, {}, options.signal));
  }

  /**
   * Hands pictures over for restoration and returns the id to ask with. A submit whose answer was
   * lost is not repeated, since that could restore the pictures twice.
   * @throws as {@link restore}
   */
  async submit(
    sources: PictureSource | readonly PictureSource[],
    parameter: RestoreParameters = {},
    options: { readonly signal?: AbortSignal | undefined; readonly callbackUrl?: string | undefined } = {},
  ): Promise<string> {
    const extra = options.callbackUrl === undefined ? {} : { callback_url: options.callbackUrl };
    const body = await this.#post(`${this.#path}_async`, sources, parameter, extra, options.signal);
    const id = (body as { msg_id?: unknown }).msg_id;
    if (typeof id !== 'string') throw new MingxiConnectionError('the answer to a submit has no msg_id');
    return id;
  }

  /**
   * Asks once for an asynchronous result.
   * @throws MingxiError with the failure's code when the job failed or is unknown
   */
  async query(id: string, options: { readonly signal?: AbortSignal | undefined } = {}): Promise<QueryAnswer> {
    try {
      const url = this.#url('/v1/query', { msg_id: id });
      const body = await this.#send({ method: 'POST', url, repeatable: true, signal: options.signal });
      return { done: true, value: this.#pictures(body) };
    } catch (error) {
      if (error instanceof MingxiError && error.code === NOT_RESULT) return { done: false, progress: error.progress ?? 0 };
      throw error;
    }
  }

  /**
   * Asks until the result is there.
   * @throws as {@link query}; the signal's reason when aborted; MingxiTimeoutError after `patience`
   */
  async wait(id: string, options: WaitOptions = {}): Promise<readonly RestoredPicture[]> {
    return poll(`job ${id}`, options, () => this.query(id, { signal: options.signal }));
  }

  /**
   * Submits and waits: for pictures that take longer than a connection should stay open.
   * @throws as {@link submit} and {@link wait}
   */
  async restoreAsync(
    sources: PictureSource | readonly PictureSource[],
    parameter: RestoreParameters = {},
    options: WaitOptions = {},
  ): Promise<readonly RestoredPicture[]> {
    return this.wait(await this.submit(sources, parameter, { signal: options.signal }), options);
  }

  #post(
    path: string,
    sources: PictureSource | readonly PictureSource[],
    parameter: RestoreParameters,
    extra: Readonly<Record<string, unknown>>,
    signal: AbortSignal | undefined,
  ): Promise<unknown> {
    const body = JSON.stringify({ media_info_list: listOf(sources).map(mediaInfo), parameter, extra });
    const headers = () => ({ 'Content-Type': 'application/json' });
    return this.#send({ method: 'POST', url: this.#url(path), body, headers, signal });
  }

  #send(outgoing: Outgoing): Promise<unknown> {
    return send(outgoing, this.#options);
  }

  #url(path: string, query: Readonly<Record<string, string>> = {}): URL {
    const url = new URL(path.replace(/^\/+/, ''), this.#baseUrl.href.replace(/\/*$/, '/'));
    url.search = new URLSearchParams({ ...this.#keys, ...query }).toString();
    return url;
  }

  #pictures(body: unknown): RestoredPicture[] {
    const list = (body as Partial<RestoredBody>).media_info_list;
    if (!Array.isArray(list)) throw new MingxiConnectionError('the answer has no media_info_list');
    return list.map((info) => new RestoredPicture(info, this.#options.fetch));
  }
}

function listOf(sources: PictureSource | readonly PictureSource[]): readonly PictureSource[] {
  return Array.isArray(sources) ? sources : [sources as PictureSource];
}
