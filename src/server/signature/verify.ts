import { timingSafeEqual } from 'node:crypto';
import { AppError } from '../../errors.ts';
import { parseAuthorization, type SignedAuthorization } from './authorization.ts';
import {
  canonicalHeaders,
  canonicalQueries,
  canonicalRequest,
  canonicalUri,
  type SignedRequest,
  sha256Hex,
  signatureOf,
  singleHeader,
} from './canonical.ts';

/** A signed request whose date is further away from the server's clock is refused. */
export const REPLAY_WINDOW_SECONDS = 15 * 60;

const DATE_HEADER = 'x-sdk-date';
const PAYLOAD_HEADER = 'x-sdk-content-sha256';
const HEX_DIGEST = /^[0-9a-f]{64}$/i;

export interface VerifyOptions<Key> {
  /** Milliseconds since the epoch. */
  readonly now: number;
  /** The key with its recoverable secret; undefined when there is no such usable key. */
  readonly findKey: (accessKey: string) => Promise<{ readonly key: Key; readonly secret: string } | undefined>;
}

/**
 * Checks an SDK-HMAC-SHA256 signature and returns the key that made it.
 *
 * Only the listed headers are covered; `x-sdk-date` must be among them, `host` need not.
 * @throws AppError GATEWAY_AUTHORIZED_ERROR with one message for a wrong key, secret or request, so
 * that a stranger cannot tell which keys exist
 */
export async function verifySignature<Key>(request: SignedRequest, options: VerifyOptions<Key>): Promise<Key> {
  const authorization = parseAuthorization(singleHeader(request.rawHeaders, 'authorization'));
  if (!authorization)
    throw refused('the Authorization header is not Bearer base64("SDK-HMAC-SHA256 Access=…, SignedHeaders=…, Signature=…")');
  const date = signedDate(request, authorization, options.now);
  const headers = canonicalHeaders(request.rawHeaders, authorization.signedHeaders);
  if (headers === undefined) throw refused('a signed header is absent or sent twice');
  const payloads = payloadHashes(request);

  const found = await options.findKey(authorization.accessKey);
  // An unknown key costs the same work as a wrong signature.
  const secret = found?.secret ?? 'no such key';
  let matches = false;
  for (const query of canonicalQueries(request.url)) {
    for (const payload of payloads) {
      const text = canonicalRequest({
        method: request.method,
        uri: canonicalUri(request.url),
        query,
        headers,
        signedHeaders: authorization.signedHeaders.join(';'),
        payload,
      });
      matches = isSame(signatureOf(secret, date, text), authorization.signature) || matches;
    }
  }
  if (!found || !matches) throw refused('the access key is unknown or the signature does not match the request');
  return found.key;
}

/** The date header, once it is known to be signed, well-formed and inside the replay window. */
function signedDate(request: SignedRequest, authorization: SignedAuthorization, now: number): string {
  if (!authorization.signedHeaders.includes(DATE_HEADER)) throw refused('X-Sdk-Date is not among the signed headers');
  const date = singleHeader(request.rawHeaders, DATE_HEADER);
  const time = date === undefined ? undefined : parseDate(date);
  if (date === undefined || time === undefined) throw refused('X-Sdk-Date is not one UTC time of the form YYYYMMDDThhmmssZ');
  const off = Math.abs(now - time) / 1000;
  if (off > REPLAY_WINDOW_SECONDS) {
    throw refused(`X-Sdk-Date is ${Math.round(off)} s off the server's clock; at most ${REPLAY_WINDOW_SECONDS} s are allowed`);
  }
  return date;
}

/** Milliseconds of `YYYYMMDDThhmmssZ`; undefined for another form or a day that does not exist. */
function parseDate(text: string): number | undefined {
  const parts = /^(\d{4})(\d{2})(\d{2})T(\d{2})(\d{2})(\d{2})Z$/.exec(text);
  if (!parts) return undefined;
  const [, year, month, day, hour, minute, second] = parts;
  const iso = `${year}-${month}-${day}T${hour}:${minute}:${second}.000Z`;
  const time = Date.parse(iso);
  return Number.isNaN(time) || new Date(time).toISOString() !== iso ? undefined : time;
}

/**
 * What may stand as payload hash: the digest of the body and the value of `X-Sdk-Content-Sha256`,
 * which some clients sign with and others add after signing. A digest there must be the body's.
 */
function payloadHashes(request: SignedRequest): readonly string[] {
  const ofBody = sha256Hex(request.body);
  const occurs = request.rawHeaders.some((name, index) => index % 2 === 0 && name.toLowerCase() === PAYLOAD_HEADER);
  if (!occurs) return [ofBody];
  const stated = singleHeader(request.rawHeaders, PAYLOAD_HEADER);
  if (stated === undefined) throw refused('X-Sdk-Content-Sha256 is sent twice');
  if (HEX_DIGEST.test(stated) && stated.toLowerCase() !== ofBody) throw refused('X-Sdk-Content-Sha256 is not the digest of the body');
  return stated === '' ? [ofBody] : [...new Set([ofBody, stated])];
}

function isSame(expected: string, received: string): boolean {
  return expected.length === received.length && timingSafeEqual(Buffer.from(expected), Buffer.from(received));
}

function refused(reason: string): AppError {
  return new AppError('GATEWAY_AUTHORIZED_ERROR', `The request's signature is refused: ${reason}.`);
}
