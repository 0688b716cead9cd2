import { MingxiConnectionError, MingxiError } from './failure.ts';
import { RestoredPicture } from './picture.ts';
import { poll, type WaitOptions } from './polling.ts';
import { type Signer, signedHeaders } from './sign.ts';
import { send, type TransportOptions } from './transport.ts';
import { type Envelope, type GatewayTask, mediaInfo, type PictureSource, type RestoreParameters } from './wire.ts';

export interface PushOptions {
  readonly signal?: AbortSignal | undefined;
  /** Task name; default: the client's path. */
  readonly task?: string | undefined;
  readonly taskType?: 'mtlab' | 'formula' | undefined;
  /** Seconds `pushSync` waits on the service's side; −1: as long as the service allows. */
  readonly syncTimeout?: number | undefined;
  /** What the result carries. Default `url`. */
  readonly rspMediaType?: 'url' | 'jpg' | undefined;
  readonly context?: string | undefined;
}

const SUCCESS = 10;
const FAILED = 2;
const NOT_FOUND = -1;

/** The newer gateway: one signed envelope for every task. Made by {@link MingxiClient}. */
export class GatewayClient {
  readonly #baseUrl: URL;
  readonly #signer: Signer;
  readonly #options: TransportOptions;
  readonly #task: string;

  constructor(baseUrl: URL, signer: Signer, options: TransportOptions, task: string) {
    this.#baseUrl = baseUrl;
    this.#signer = signer;
    this.#options = options;
    this.#task = task;
  }

  /** Submits; the task's status is usually 0 or 1 on return. @throws MingxiError */
  push(
    sources: PictureSource | readonly PictureSource[],
    parameter: RestoreParameters = {},
    options: PushOptions = {},
  ): Promise<GatewayTask> {
    return this.#push('api/v1/sdk/push', sources, parameter, options);
  }

  /** Submits and waits on the service's side; status 9 means the wait ran out. @throws MingxiError */
  pushSync(
    sources: PictureSource | readonly PictureSource[],
    parameter: RestoreParameters = {},
    options: PushOptions = {},
  ): Promise<GatewayTask> {
    return this.#push('api/v1/sdk/sync/push', sources, parameter, options);
  }

  /** Asks once for a task. @throws MingxiError when it failed or is unknown */
  async status(taskId: string, options: { readonly signal?: AbortSignal | undefined; readonly context?: string | undefined } = {}) {
    const query = { task_id: taskId, ...(options.context === undefined ? {} : { context: options.context }) };
    const url = this.#url('api/v1/sdk/status', query);
    const headers = () => signedHeaders(this.#signer, 'GET', url, undefined);
    return taskOf(await send({ method: 'GET', url, headers, repeatable: true, signal: options.signal }, this.#options));
  }

  /** Whether the service accepts this client's signature. @throws MingxiError 90002 when it does not */
  async authorize(options: { readonly signal?: AbortSignal | undefined } = {}): Promise<void> {
    const url = this.#url('demo/authorization');
    const headers = () => signedHeaders(this.#signer, 'POST', url, '{}');
    await send({ method: 'POST', url, body: '{}', headers, repeatable: true, signal: options.signal }, this.#options);
  }

  /** Pushes, then asks until the result is there. @throws as {@link MingxiClient.wait} */
  async restore(
    sources: PictureSource | readonly PictureSource[],
    parameter: RestoreParameters = {},
    options: PushOptions & WaitOptions = {},
  ): Promise<RestoredPicture[]> {
    let task = await this.pushSync(sources, parameter, options);
    const id = task.task_id;
    const done = () => task.status === SUCCESS;
    if (!done()) {
      task = await poll(`task ${id}`, options, async () => {
        task = await this.status(id, { signal: options.signal, context: options.context });
        return done() ? { done: true, value: task } : { done: false, progress: task.progress };
      });
    }
    return (task.result?.media_info_list ?? []).map((info) => new RestoredPicture(info, this.#options.fetch));
  }

  async #push(
    path: string,
    sources: PictureSource | readonly PictureSource[],
    parameter: RestoreParameters,
    options: PushOptions,
  ): Promise<GatewayTask> {
    const list = Array.isArray(sources) ? sources : [sources as PictureSource];
    const body = JSON.stringify({
      task: options.task ?? this.#task,
      task_type: options.taskType ?? 'mtlab',
      init_images: list.map((source) => {
        const info = mediaInfo(source);
        return { url: info.media_data, profile: { media_profiles: info.media_profiles, version: 'v1' } };
      }),
      params: JSON.stringify({ parameter }),
      rsp_media_type: options.rspMediaType ?? 'url',
      ...(options.syncTimeout === undefined ? {} : { sync_timeout: options.syncTimeout }),
      ...(options.context === undefined ? {} : { context: options.context }),
    });
    const url = this.#url(path);
    const headers = () => signedHeaders(this.#signer, 'POST', url, body);
    return taskOf(await send({ method: 'POST', url, body, headers, signal: options.signal }, this.#options));
  }

  #url(path: string, query: Readonly<Record<string, string>> = {}): URL {
    const url = new URL(path, this.#baseUrl.href.replace(/\/*$/, '/'));
    url.search = new URLSearchParams(query).toString();
    return url;
  }
}

/** The task of an envelope; a failure that only its status tells becomes an error all the same. */
function taskOf(body: unknown): GatewayTask {
  const { data, request_id } = body as Envelope;
  if (!data || typeof data.status !== 'number') throw new MingxiConnectionError('the answer of the gateway has no data.status');
  if (data.status === FAILED || data.status === NOT_FOUND) {
    const result = data.result ?? undefined;
    throw new MingxiError({
      code: result?.error_code ?? result?.code ?? (data.status === NOT_FOUND ? 10004 : 20001),
      status: 0,
      message: result?.error_msg ?? result?.msg ?? 'the task failed',
      requestId: request_id,
    });
  }
  return data;
}
