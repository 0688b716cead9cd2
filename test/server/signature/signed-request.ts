import { createHash, createHmac } from 'node:crypto';

/** A request as a client builds it, with every part open to falsification. */
export interface Draft {
  method: string;
  url: string;
  headers: [string, string][];
  body: string;
}

export interface SigningChoices {
  accessKey?: string;
  secret?: string;
  signedHeaders?: string[];
  /** Canonical query; default: sorted and form-encoded by hand below. */
  query?: string;
  payload?: string;
  date?: string;
}

const sha = (text: string) => createHash('sha256').update(text).digest('hex');

/**
 * An independent signer, written from the description step by step and sharing no code with the
 * verifier: it is the other side of every test.
 */
export function sign(draft: Draft, choices: SigningChoices = {}): { credential: string; signature: string } {
  const value = (name: string) => draft.headers.find(([n]) => n.toLowerCase() === name)?.[1]?.trim() ?? '';
  const names = choices.signedHeaders ?? ['content-type', 'host', 'x-sdk-date'].filter((n) => value(n) !== '');
  const [path = '', rawQuery = ''] = draft.url.split('?');
  const query =
    choices.query ??
    rawQuery
      .split('&')
      .filter((pair) => pair !== '')
      .map((pair) => pair.replaceAll('%20', '+'))
      .sort()
      .join('&');
  const payload = choices.payload ?? (value('x-sdk-content-sha256') || sha(draft.body));
  const request = [
    draft.method,
    path.endsWith('/') ? path : `${path}/`,
    query,
    names.map((name) => `${name}:${value(name)}`).join('\n'),
    names.join(';'),
    payload,
  ].join('\n');
  const toSign = ['SDK-HMAC-SHA256', choices.date ?? value('x-sdk-date'), sha(request)].join('\n');
  const signature = createHmac('sha256', choices.secret ?? 'example-secret')
    .update(toSign)
    .digest('hex');
  return { credential: credentialOf(choices.accessKey ?? 'example-access', names.join(';'), signature), signature };
}

export function credentialOf(accessKey: string, list: string, signature: string): string {
  return `SDK-HMAC-SHA256 Access=${accessKey}, SignedHeaders=${list}, Signature=${signature}`;
}

export function bearer(credential: string): string {
  return `Bearer ${Buffer.from(credential).toString('base64')}`;
}

export function rawHeaders(draft: Draft, authorization?: string): string[] {
  return [...draft.headers, ...(authorization === undefined ? [] : [['Authorization', authorization]])].flat();
}
