import { createHash, createHmac } from 'node:crypto';

/** The parts of a request that a signature covers, as they arrived. */
export interface SignedRequest {
  readonly method: string;
  /** Path and query exactly as sent, before any normalisation. */
  readonly url: string;
  /** Names and values in turn, as Node's `rawHeaders`: repeats must stay visible. */
  readonly rawHeaders: readonly string[];
  /** The exact bytes of the body; empty without one. */
  readonly body: Uint8Array;
}

/** Lower-case hex SHA-256. */
export function sha256Hex(data: string | Uint8Array): string {
  return createHash('sha256').update(data).digest('hex');
}

/** The path as sent, plus `/` if it does not end in one. */
export function canonicalUri(url: string): string {
  const path = splitUrl(url).path;
  return path.endsWith('/') ? path : `${path}/`;
}

/**
 * The canonical forms of a query that clients sign, the specified one first: sorted by name and then
 * value and form-encoded. Languages differ in two characters of form-encoding (`~` and `*`), and one
 * known client signs the query as it is sent.
 */
export function canonicalQueries(url: string): readonly string[] {
  const raw = splitUrl(url).query;
  if (raw === '') return [''];
  // The leading & keeps a second ? as part of the first name; URLSearchParams would drop it.
  const pairs = [...new URLSearchParams(`&${raw}`)].sort(([a, b], [c, d]) => bytewise(a, c) || bytewise(b, d));
  const encode = (encoded: (text: string) => string) => pairs.map(([name, value]) => `${encoded(name)}=${encoded(value)}`).join('&');
  return [...new Set([encode(formEncode), encode(formEncodeBrowser), raw])];
}

/**
 * `name:value` per signed header, in the list's order, joined by line feeds with none at the end.
 * @returns undefined when a listed header is absent, or occurs more than once and is thus ambiguous
 */
export function canonicalHeaders(rawHeaders: readonly string[], names: readonly string[]): string | undefined {
  const values = names.map((name) => singleHeader(rawHeaders, name));
  if (values.includes(undefined)) return undefined;
  return names.map((name, index) => `${name}:${values[index]}`).join('\n');
}

/** The trimmed value of a header that occurs exactly once; undefined otherwise. */
export function singleHeader(rawHeaders: readonly string[], name: string): string | undefined {
  let value: string | undefined;
  for (let i = 0; i + 1 < rawHeaders.length; i += 2) {
    if (rawHeaders[i]?.toLowerCase() !== name) continue;
    if (value !== undefined) return undefined;
    value = rawHeaders[i + 1]?.trim();
  }
  return value;
}

/** METHOD, URI, query, headers, list of signed headers and payload hash, joined by line feeds. */
export function canonicalRequest(
  parts: Readonly<Record<'method' | 'uri' | 'query' | 'headers' | 'signedHeaders' | 'payload', string>>,
): string {
  return [parts.method.toUpperCase(), parts.uri, parts.query, parts.headers, parts.signedHeaders, parts.payload].join('\n');
}

/** Lower-case hex HMAC-SHA256 of the string to sign, keyed with the secret itself. */
export function signatureOf(secret: string, date: string, request: string): string {
  return createHmac('sha256', secret)
    .update(`SDK-HMAC-SHA256\n${date}\n${sha256Hex(request)}`)
    .digest('hex');
}

function splitUrl(url: string): { path: string; query: string } {
  const mark = url.indexOf('?');
  return mark < 0 ? { path: url, query: '' } : { path: url.slice(0, mark), query: url.slice(mark + 1) };
}

function bytewise(a: string, b: string): number {
  return Buffer.compare(Buffer.from(a), Buffer.from(b));
}

/** Python's and Go's form-encoding: unreserved characters of RFC 3986 stay, a space becomes `+`. */
function formEncode(text: string): string {
  return encodeURIComponent(text)
    .replace(/[!'()*]/g, (c) => `%${c.charCodeAt(0).toString(16).toUpperCase()}`)
    .replaceAll('%20', '+');
}

/** The WHATWG and Java form-encoding: as above, but `*` stays and `~` is encoded. */
function formEncodeBrowser(text: string): string {
  return formEncode(text).replaceAll('%2A', '*').replaceAll('~', '%7E');
}
