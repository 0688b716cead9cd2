/** What the `Authorization` header of a signed gateway request says. */
export interface SignedAuthorization {
  readonly accessKey: string;
  /** Lower-cased, sorted, without repeats. */
  readonly signedHeaders: readonly string[];
  /** 64 lower-case hex digits. */
  readonly signature: string;
}

/** The header, the algorithm's name and the longest list of a real client fit several times. */
const MAX_LENGTH = 4096;
const BEARER = /^bearer +(\S+)$/i;
const CREDENTIAL = /^SDK-HMAC-SHA256 Access=([!-+\--~]{1,256}), SignedHeaders=([a-z0-9!#$%&'*+.^_`|~;-]+), Signature=([0-9a-f]{64})$/;

/**
 * Reads `Bearer base64("SDK-HMAC-SHA256 Access=…, SignedHeaders=…, Signature=…")`.
 *
 * `Bearer` may have any case. Everything else is exact: base64 with its padding, header names in
 * lower case, sorted and unrepeated, hex in lower case. A header with two readings is refused,
 * because the reading that was signed cannot be told.
 * @returns undefined when the header has any other form
 */
export function parseAuthorization(header: string | undefined): SignedAuthorization | undefined {
  if (header === undefined || header.length > MAX_LENGTH) return undefined;
  const encoded = BEARER.exec(header.trim())?.[1];
  const text = encoded === undefined ? undefined : decodeBase64(encoded);
  const match = text === undefined ? null : CREDENTIAL.exec(text);
  const [, accessKey, list, signature] = match ?? [];
  if (accessKey === undefined || list === undefined || signature === undefined) return undefined;
  const signedHeaders = list.split(';');
  if (!isSortedSet(signedHeaders)) return undefined;
  return { accessKey, signedHeaders, signature };
}

/** Whether a request claims to be signed at all; decides between signature and query keys. */
export function claimsSignature(header: string | undefined): boolean {
  return header !== undefined && header.trim() !== '';
}

function decodeBase64(text: string): string | undefined {
  const bytes = Buffer.from(text, 'base64');
  return bytes.toString('base64') === text ? bytes.toString('latin1') : undefined;
}

function isSortedSet(names: readonly string[]): boolean {
  return names.every((name, index) => name !== '' && (index === 0 || (names[index - 1] ?? '') < name));
}
