import { MingxiConnectionError } from './failure.ts';
import type { MediaInfo } from './wire.ts';

/** One restored picture: bytes at hand, or a link that {@link RestoredPicture.bytes} follows. */
export class RestoredPicture {
  /** The file's bytes; undefined when the answer carried a link. */
  readonly data: Uint8Array | undefined;
  /** Link to the result, good for as long as the service keeps it. */
  readonly url: string | undefined;
  /** `jpg`, `png` or `url`, as the service labelled it. */
  readonly type: string;
  /** What was found and done, when `report` was asked for. */
  readonly report: unknown;
  readonly #fetch: typeof globalThis.fetch;

  constructor(info: MediaInfo, fetch: typeof globalThis.fetch) {
    this.type = info.media_profiles?.media_data_type ?? 'jpg';
    const isLink = /^https?:\/\//i.test(info.media_data);
    this.url = isLink ? info.media_data : undefined;
    this.data = isLink ? undefined : Buffer.from(info.media_data, 'base64');
    this.report = info.media_extra?.report;
    this.#fetch = fetch;
  }

  /**
   * The file's bytes, downloaded if need be.
   * @throws MingxiConnectionError when the link does not answer with 200
   */
  async bytes(signal?: AbortSignal): Promise<Uint8Array> {
    if (this.data) return this.data;
    let response: Response;
    try {
      response = await this.#fetch(this.url ?? '', signal ? { signal } : {});
    } catch (error) {
      signal?.throwIfAborted();
      throw new MingxiConnectionError('the result link cannot be reached', { cause: error });
    }
    if (!response.ok) throw new MingxiConnectionError(`the result link answered with status ${response.status}`);
    return new Uint8Array(await response.arrayBuffer());
  }
}
