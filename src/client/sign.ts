import { createHash, createHmac } from 'node:crypto';

export interface Signer {
  readonly accessKey: string;
  readonly secretKey: string;
}

const sha256 = (text: string) => createHash('sha256').update(text).digest('hex');

/**
 * The headers of an SDK-HMAC-SHA256 signed request (docs/reference, "the newer gateway"). The body is
 * covered byte for byte, so send exactly this text.
 */
export function signedHeaders(
  signer: Signer,
  method: string,
  url: URL,
  body: string | undefined,
  now = new Date(),
): Record<string, string> {
  const date = now.toISOString().replace(/[-:]|\.\d+/g, '');
  const signed: [string, string][] = [
    ...(body === undefined ? [] : [['content-type', 'application/json'] as [string, string]]),
    ['host', url.host],
    ['x-sdk-date', date],
  ];
  const list = signed.map(([name]) => name).join(';');
  const request = [
    method,
    url.pathname.endsWith('/') ? url.pathname : `${url.pathname}/`,
    canonicalQuery(url),
    signed.map(([name, value]) => `${name}:${value}`).join('\n'),
    list,
    sha256(body ?? ''),
  ].join('\n');
  const signature = createHmac('sha256', signer.secretKey)
    .update(`SDK-HMAC-SHA256\n${date}\n${sha256(request)}`)
    .digest('hex');
  const credential = `SDK-HMAC-SHA256 Access=${signer.accessKey}, SignedHeaders=${list}, Signature=${signature}`;
  return {
    'X-Sdk-Date': date,
    Authorization: `Bearer ${Buffer.from(credential).toString('base64')}`,
    ...(body === undefined ? {} : { 'Content-Type': 'application/json' }),
  };
}

function canonicalQuery(url: URL): string {
  const pairs = [...url.searchParams].sort(([a, b], [c, d]) => compare(a, c) || compare(b, d));
  return new URLSearchParams(pairs).toString();
}

function compare(a: string, b: string): number {
  return Buffer.compare(Buffer.from(a), Buffer.from(b));
}
