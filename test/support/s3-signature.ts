import { createHash, createHmac } from 'node:crypto';
import type { IncomingHttpHeaders } from 'node:http';

/** The pair of keys a request must be signed with. */
export interface S3Keys {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
}

/** A request as it came over the wire. */
export interface SignedRequest {
  readonly method: string;
  readonly url: string;
  readonly headers: IncomingHttpHeaders;
}

const sha256 = (text: string) => createHash('sha256').update(text).digest('hex');
const hmac = (key: string | Buffer, text: string) => createHmac('sha256', key).update(text).digest();

/** Whether a request carries a valid AWS Signature Version 4, in its header or (presigned) in its query. */
export function isSigned(request: SignedRequest, keys: S3Keys): boolean {
  const url = new URL(request.url, 'http://host');
  const presigned = url.searchParams.get('X-Amz-Signature');
  const header = /Credential=([^,]+), ?SignedHeaders=([^,]+), ?Signature=([0-9a-f]+)/.exec(request.headers.authorization ?? '');
  const query = (name: string) => url.searchParams.get(`X-Amz-${name}`) ?? '';
  const [credential = '', names = '', signature = ''] = presigned
    ? [query('Credential'), query('SignedHeaders'), presigned]
    : (header?.slice(1) ?? []);
  const date = presigned ? query('Date') : String(request.headers['x-amz-date']);
  const payload = presigned ? 'UNSIGNED-PAYLOAD' : String(request.headers['x-amz-content-sha256']);
  const [accessKeyId, day = '', region = '', service = ''] = credential.split('/');
  if (accessKeyId !== keys.accessKeyId) return false;

  const canonical = [
    request.method,
    request.url.split('?', 1)[0],
    canonicalQuery(request.url),
    ...names.split(';').map((name) => `${name}:${String(request.headers[name]).trim()}`),
    '',
    names,
    payload,
  ].join('\n');
  const scope = `${day}/${region}/${service}/aws4_request`;
  const text = ['AWS4-HMAC-SHA256', date, scope, sha256(canonical)].join('\n');
  const key = [day, region, service, 'aws4_request'].reduce<string | Buffer>(hmac, `AWS4${keys.secretAccessKey}`);
  return hmac(key, text).toString('hex') === signature;
}

/** Pairs sorted, as they are encoded on the wire, without the signature itself. */
function canonicalQuery(url: string): string {
  const pairs = (url.split('?')[1] ?? '').split('&').filter((pair) => pair !== '' && !pair.startsWith('X-Amz-Signature='));
  return pairs
    .map((pair) => (pair.includes('=') ? pair : `${pair}=`))
    .sort()
    .join('&');
}
