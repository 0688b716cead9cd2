/** What goes over the wire, as both this service and the original spell it. */

/** One entry of `media_info_list`, in requests and answers. */
export interface MediaInfo {
  readonly media_data: string;
  readonly media_profiles?: { readonly media_data_type?: string };
  readonly media_extra?: { readonly report?: unknown } & Readonly<Record<string, unknown>>;
}

/** The success body of the direct interfaces and of `/v1/query`. */
export interface RestoredBody {
  readonly media_info_list: readonly MediaInfo[];
  readonly parameter?: Readonly<Record<string, unknown>> | null;
  readonly msg_id?: string;
}

/** The answer envelope of the signed gateway. */
export interface Envelope {
  readonly request_id?: string;
  readonly trace_id?: string;
  readonly code: number;
  readonly error_code?: number;
  readonly message?: string;
  readonly data?: GatewayTask | null;
}

/** `data` of the envelope. */
export interface GatewayTask {
  /** −1 not found, 0 created, 1 running, 2 failed, 9 the wait ran out, 10 success. */
  readonly status: number;
  readonly task_id: string;
  /** 0…1. */
  readonly progress: number;
  /** Milliseconds. */
  readonly predict_elapsed?: number;
  /** Milliseconds since the epoch. */
  readonly create_time?: number;
  readonly result?: GatewayResult | null;
}

/** `result` of a gateway task: `{id}` alone while it is pending. */
export interface GatewayResult {
  readonly id: string;
  readonly urls?: readonly string[];
  readonly media_info_list?: readonly MediaInfo[];
  readonly parameter?: Readonly<Record<string, unknown>> | null;
  readonly code?: number;
  readonly error_code?: number;
  readonly error_msg?: string;
  readonly msg?: string;
  readonly msg_id?: string;
}

/** A picture to restore: its file's bytes, a link (`http://`, `https://`), or base64. */
export type PictureSource = Uint8Array | URL | string;

/**
 * `parameter` of a request. The named ones are Mingxi's; others are sent as they are, so that every
 * interface of the family can be called.
 */
export interface RestoreParameters {
  /** Blend between source (0) and full restoration (1). */
  readonly strength?: number;
  readonly face?: 'auto' | 'off' | 'only';
  readonly face_strength?: number;
  /** JPEG quality of the answer, 1…100. */
  readonly quality?: number;
  readonly model?: string;
  readonly scale?: 1 | 2 | 4;
  readonly report?: boolean;
  /** What the answer carries: `jpg` (base64 of a JPEG), `png`, or `url` (a link). */
  readonly rsp_media_type?: 'jpg' | 'base64' | 'png' | 'url';
  readonly [name: string]: unknown;
}

/** The request's entry for a source: links by their label, everything else as base64. */
export function mediaInfo(source: PictureSource): MediaInfo {
  const link = source instanceof URL ? source.href : typeof source === 'string' && /^https?:\/\//i.test(source) ? source : undefined;
  if (link !== undefined) return { media_data: link, media_profiles: { media_data_type: 'url' } };
  const data = typeof source === 'string' ? source : Buffer.from(source as Uint8Array).toString('base64');
  return { media_data: data, media_profiles: { media_data_type: 'jpg' } };
}
