import { createHmac, timingSafeEqual } from 'node:crypto';

/** Headers as Node's `request.headers`, or a `Headers` object. */
export type CallbackHeaders = Headers | Readonly<Record<string, string | readonly string[] | undefined>>;

export interface VerifyCallbackOptions {
  /** Oldest and newest acceptable time of sending, in seconds from now. Default 300. */
  readonly tolerance?: number;
  /** Milliseconds since 1970. Default: now. */
  readonly now?: number;
}

/**
 * Checks that a callback was sent by the service, under this key's secret, a short while ago.
 * @param body the exact bytes or text received, before any parsing
 * @returns the delivery's id, the same for every try of one callback, or undefined when it is not genuine
 */
export function verifyCallback(
  headers: CallbackHeaders,
  body: string | Uint8Array,
  apiSecret: string,
  options: VerifyCallbackOptions = {},
): string | undefined {
  const id = headerOf(headers, 'x-mingxi-delivery');
  const timestamp = headerOf(headers, 'x-mingxi-timestamp');
  const signature = headerOf(headers, 'x-mingxi-signature');
  if (id === undefined || signature === undefined || timestamp === undefined || !/^\d{1,12}$/.test(timestamp)) return undefined;
  const age = Math.abs((options.now ?? Date.now()) / 1000 - Number(timestamp));
  if (age > (options.tolerance ?? 300)) return undefined;
  const expected = Buffer.from(`v1=${createHmac('sha256', apiSecret).update(`${timestamp}.${id}.`).update(body).digest('hex')}`);
  const received = Buffer.from(signature);
  return expected.length === received.length && timingSafeEqual(expected, received) ? id : undefined;
}

function headerOf(headers: CallbackHeaders, name: string): string | undefined {
  const value = headers instanceof Headers ? (headers.get(name) ?? undefined) : headers[name];
  return typeof value === 'string' ? value : undefined;
}
