import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { AppError } from '../../../src/errors.ts';
import { verifySignature } from '../../../src/server/signature/verify.ts';
import { bearer, type Draft, rawHeaders, type SigningChoices, sign } from './signed-request.ts';

const DATE = '20240102T030405Z';
const NOW = Date.UTC(2024, 0, 2, 3, 4, 5);

function post(changes: Partial<Draft> = {}): Draft {
  return {
    method: 'POST',
    url: '/api/v1/sdk/sync/push',
    headers: [
      ['Content-Type', 'application/json'],
      ['Host', '127.0.0.1:8080'],
      ['X-Sdk-Date', DATE],
    ],
    body: '{"a":1}',
    ...changes,
  };
}

function get(url: string, changes: Partial<Draft> = {}): Draft {
  return post({
    method: 'GET',
    url,
    headers: [
      ['Host', '127.0.0.1:8080'],
      ['X-Sdk-Date', DATE],
    ],
    body: '',
    ...changes,
  });
}

async function verify(draft: Draft, authorization: string | undefined, now = NOW): Promise<string> {
  return verifySignature(
    { method: draft.method, url: draft.url, rawHeaders: rawHeaders(draft, authorization), body: Buffer.from(draft.body) },
    { now, findKey: async (accessKey) => (accessKey === 'example-access' ? { key: 'the key', secret: 'example-secret' } : undefined) },
  );
}

const accept = (draft: Draft, choices?: SigningChoices, now?: number) =>
  expect(verify(draft, bearer(sign(draft, choices).credential), now)).resolves.toBe('the key');

describe('published vectors', () => {
  const withPayload = post({ headers: [...post().headers, ['X-Sdk-Content-Sha256', 'UNSIGNED-PAYLOAD']] });
  const vectors: [string, Draft, string[], string][] = [
    ['POST', post(), ['content-type', 'host', 'x-sdk-date'], '0bfa026bb4f6be0885c0ff4cc31c8b386246271308f93017cfb9be619fa3d6be'],
    [
      'GET with a query',
      get('/api/v1/sdk/status?task_id=t_1&context=a%20b'),
      ['host', 'x-sdk-date'],
      'ebc28a2c03fc19df61cf0f28a1d51faac21b5260cbc8542daeb5a852ccd12408',
    ],
    [
      'POST with an unsigned payload',
      withPayload,
      ['content-type', 'host', 'x-sdk-content-sha256', 'x-sdk-date'],
      '870437fb5eaf81b56f9aff86ef5deb31976ec8a334e06b58d572e5641422b00d',
    ],
  ];
  it.each(vectors)('%s', async (_, draft, list, signature) => {
    expect(sign(draft, { signedHeaders: list }).signature).toBe(signature);
    const credential = `SDK-HMAC-SHA256 Access=example-access, SignedHeaders=${list.join(';')}, Signature=${signature}`;
    await expect(verify(draft, bearer(credential))).resolves.toBe('the key');
  });
});

describe('what real clients do', () => {
  it.each(['bearer', 'BEARER', 'BeArEr'])('%s in any case', async (word) => {
    const draft = post();
    await expect(verify(draft, bearer(sign(draft).credential).replace('Bearer', word))).resolves.toBe('the key');
  });
  it('a query signed as it is sent, unsorted', () =>
    accept(get('/api/v1/sdk/status?task_id=t_1&context=x'), { query: 'task_id=t_1&context=x' }));
  it('a query signed as it is sent, with %20', () => accept(get('/api/v1/sdk/status?z=a%20b&a=1'), { query: 'z=a%20b&a=1' }));
  it('a sorted query with encoded tilde', () => accept(get('/s?b=~&a=*'), { query: 'a=*&b=%7E' }));
  it('a sorted query with plain tilde', () => accept(get('/s?b=~&a=*'), { query: 'a=%2A&b=~' }));
  it('repeated names sorted by value', () => accept(get('/s?a=2&a=1'), { query: 'a=1&a=2' }));
  it('host left out of the list', () => accept(post(), { signedHeaders: ['content-type', 'x-sdk-date'] }));
  it('nothing but the date listed', () => accept(post(), { signedHeaders: ['x-sdk-date'] }));
  it('payload header added after signing, unsigned', async () => {
    const draft = post();
    const { credential } = sign(draft);
    draft.headers.push(['X-Sdk-Content-Sha256', 'UNSIGNED-PAYLOAD']);
    await expect(verify(draft, bearer(credential))).resolves.toBe('the key');
  });
  it('payload header signed with but not listed', async () => {
    const draft = post({ headers: [...post().headers, ['X-Sdk-Content-Sha256', 'UNSIGNED-PAYLOAD']] });
    await accept(draft, { signedHeaders: ['content-type', 'host', 'x-sdk-date'] });
  });
  it('payload header with the true digest, in capitals too', async () => {
    const digest = '015abd7f5cc57a2dd94b7590f04ad8084273905ee33ec5cebeae62276a97f862';
    await accept(post({ headers: [...post().headers, ['X-Sdk-Content-Sha256', digest]] }));
    await accept(post({ headers: [...post().headers, ['X-Sdk-Content-Sha256', digest.toUpperCase()]] }));
  });
  it('a path that ends in a slash', () => accept(post({ url: '/api/v1/sdk/sync/push/' })));
  it('a body with a line feed and non-ASCII text, byte for byte', () => accept(post({ body: '{"a":"明晰"}\n' })));
  it('header names in any case and values with blanks around', () =>
    accept(
      post({
        headers: [
          ['CONTENT-TYPE', ' application/json '],
          ['hOST', '127.0.0.1:8080'],
          ['x-sdk-DATE', DATE],
        ],
      }),
    ));
  it.each([-900, 900, 0, 1])('a clock %i s off', (off) => accept(post(), {}, NOW + off * 1000));
  it('any path, query and body that the client signs by the rules', () =>
    fc.assert(
      fc.asyncProperty(
        fc.webPath(),
        fc.array(fc.tuple(fc.string({ minLength: 1 }), fc.string({ unit: 'grapheme' })), { maxLength: 4 }),
        fc.string({ unit: 'grapheme' }),
        async (path, pairs, body) => {
          const query = new URLSearchParams(pairs);
          const sorted = [...query].sort(
            ([a, b], [c, d]) => Buffer.compare(Buffer.from(a), Buffer.from(c)) || Buffer.compare(Buffer.from(b), Buffer.from(d)),
          );
          const draft = post({ url: `/${path.replace(/^\/+/, '')}?${query}`, body: body });
          await accept(draft, { query: new URLSearchParams(sorted).toString() });
        },
      ),
      { numRuns: 300, seed: 5 },
    ));
});

interface Forgery {
  name: string;
  /** The request that is signed, and how. */
  signed?: Draft;
  choices?: SigningChoices;
  /** What arrives in its place. */
  sent?: Draft;
  credential?: (credential: string) => string;
  header?: (header: string) => string | undefined;
  now?: number;
}

const header = (draft: Draft, name: string, value: string | undefined): Draft => ({
  ...draft,
  headers: draft.headers.filter(([n]) => n !== name).concat(value === undefined ? [] : [[name, value]]),
});
const dated = (date: string, choices: SigningChoices = {}): Pick<Forgery, 'signed' | 'sent' | 'choices'> => {
  const draft = header(post(), 'X-Sdk-Date', date);
  return { signed: draft, sent: draft, choices };
};
const status = '/api/v1/sdk/status?task_id=t_1&context=x';

const FORGERIES: Forgery[] = [
  // the request
  { name: 'body altered', sent: post({ body: '{"a":2}' }) },
  { name: 'body with one blank more', sent: post({ body: '{"a": 1}' }) },
  { name: 'body with a line feed more', sent: post({ body: '{"a":1}\n' }) },
  { name: 'body cut', sent: post({ body: '{"a":1' }) },
  { name: 'body dropped', sent: post({ body: '' }) },
  { name: 'body added to a GET', signed: get(status), sent: get(status, { body: '{}' }) },
  { name: 'method changed to PUT', sent: post({ method: 'PUT' }) },
  { name: 'method changed to GET', sent: post({ method: 'GET' }) },
  { name: 'path of another route', sent: post({ url: '/api/v1/sdk/push' }) },
  { name: 'path with a letter in capitals', sent: post({ url: '/api/v1/sdk/sync/Push' }) },
  { name: 'path with a doubled slash', sent: post({ url: '/api/v1/sdk//sync/push' }) },
  { name: 'path with one letter percent-encoded', sent: post({ url: '/api/v1/sdk/sync/%70ush' }) },
  { name: 'path with a dot segment', sent: post({ url: '/api/v1/sdk/./sync/push' }) },
  { name: 'query added', sent: post({ url: '/api/v1/sdk/sync/push?a=1' }) },
  { name: 'query dropped', signed: get(status), sent: get('/api/v1/sdk/status') },
  { name: 'query value altered', signed: get(status), sent: get('/api/v1/sdk/status?task_id=t_2&context=x') },
  { name: 'query name altered', signed: get(status), sent: get('/api/v1/sdk/status?task_ID=t_1&context=x') },
  { name: 'query pair repeated', signed: get(status), sent: get(`${status}&context=x`) },
  { name: 'query pair removed', signed: get(status), sent: get('/api/v1/sdk/status?task_id=t_1') },
  { name: 'query with a second question mark', signed: get(status), sent: get(status.replace('?', '??')) },
  {
    name: 'query order changed after signing it unsorted',
    signed: get(status),
    choices: { query: 'task_id=t_1&context=x' },
    sent: get('/api/v1/sdk/status?context=x&task_id=t_1'),
  },
  { name: 'query signed in descending order that is not the one sent', signed: get('/s?b=2&a=1&c=3'), choices: { query: 'c=3&b=2&a=1' } },
  { name: 'query signed without its values', signed: get(status), choices: { query: 'context&task_id' } },
  { name: 'query values swapped', signed: get('/s?a=1&b=2'), sent: get('/s?a=2&b=1') },
  { name: 'query plus sign turned literal', signed: get('/s?a=1+2'), choices: { query: 'a=1+2' }, sent: get('/s?a=1%2B2') },
  // signed headers
  { name: 'host changed', sent: header(post(), 'Host', '127.0.0.1:8081') },
  { name: 'host without its port', sent: header(post(), 'Host', '127.0.0.1') },
  { name: 'host sent twice', sent: { ...post(), headers: [...post().headers, ['host', '127.0.0.1:8080']] } },
  { name: 'listed header dropped', sent: header(post(), 'Content-Type', undefined) },
  { name: 'content type changed', sent: header(post(), 'Content-Type', 'text/plain') },
  { name: 'content type with a charset added', sent: header(post(), 'Content-Type', 'application/json; charset=utf-8') },
  { name: 'listed header that was never sent', choices: { signedHeaders: ['host', 'x-api-extra', 'x-sdk-date'] } },
  { name: 'signed header emptied', sent: header(post(), 'Content-Type', '') },
  // the date
  { name: 'date not listed', choices: { signedHeaders: ['content-type', 'host'] } },
  {
    name: 'date not listed, and not sent',
    signed: header(post(), 'X-Sdk-Date', undefined),
    choices: { signedHeaders: ['host'], date: DATE },
  },
  { name: 'date changed after signing', sent: header(post(), 'X-Sdk-Date', '20240102T030406Z') },
  { name: 'date sent twice', sent: { ...post(), headers: [...post().headers, ['x-sdk-date', DATE]] } },
  { name: 'date 901 s old', now: NOW + 901_000 },
  { name: 'date 901 s ahead', now: NOW - 901_000 },
  { name: 'date a day old', now: NOW + 86_400_000 },
  { name: 'date a year ahead', now: NOW - 366 * 86_400_000 },
  { name: 'date in ISO form with separators', ...dated('2024-01-02T03:04:05Z') },
  { name: 'date without its Z', ...dated('20240102T030405') },
  { name: 'date with an offset', ...dated('20240102T030405+0000') },
  { name: 'date in lower case', ...dated('20240102t030405z') },
  { name: 'date as seconds since 1970', ...dated('1704164645') },
  { name: 'date of HTTP', ...dated('Tue, 02 Jan 2024 03:04:05 GMT') },
  { name: 'date empty', ...dated('', { signedHeaders: ['content-type', 'host', 'x-sdk-date'] }) },
  { name: 'date of a thirteenth month', ...dated('20241302T030405Z') },
  { name: 'date of 30 February', ...dated('20240230T030405Z'), now: Date.UTC(2024, 2, 1, 3, 4, 5) },
  { name: 'date of hour 24', ...dated('20240101T240000Z'), now: Date.UTC(2024, 0, 2) },
  { name: 'date of second 60', ...dated('20240102T030360Z'), now: NOW },
  // payload digest
  { name: 'stated digest of another body', ...payload('015abd7f5cc57a2dd94b7590f04ad8084273905ee33ec5cebeae62276a97f863') },
  { name: 'stated digest of the empty body', ...payload('e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855') },
  { name: 'stated digest in capitals of another body', ...payload('E3B0C44298FC1C149AFBF4C8996FB92427AE41E4649B934CA495991B7852B855') },
  {
    name: 'unsigned payload claimed for a signed one, listed',
    sent: header(post({ body: '{}' }), 'X-Sdk-Content-Sha256', 'UNSIGNED-PAYLOAD'),
  },
  {
    name: 'payload header sent twice',
    sent: { ...post(), headers: [...post().headers, ['X-Sdk-Content-Sha256', 'UNSIGNED-PAYLOAD'], ['X-Sdk-Content-Sha256', 'x']] },
  },
  { name: 'payload signed as empty text', choices: { payload: '' } },
  // key and signature
  { name: 'wrong secret', choices: { secret: 'example-secreT' } },
  { name: 'empty secret', choices: { secret: '' } },
  { name: 'unknown access key', choices: { accessKey: 'example-accesS' } },
  { name: 'unknown access key signed with the dummy secret', choices: { accessKey: 'nobody', secret: 'no such key' } },
  { name: 'access key with a blank behind', choices: { accessKey: 'example-access ' } },
  { name: 'secret in place of the access key', choices: { accessKey: 'example-secret' } },
  { name: 'signature in capitals', credential: (c) => c.replace(/[0-9a-f]{64}$/, (hex) => hex.toUpperCase()) },
  { name: 'signature with one digit changed', credential: (c) => c.replace(/.$/, (d) => (d === '0' ? '1' : '0')) },
  { name: 'signature one digit short', credential: (c) => c.slice(0, -1) },
  { name: 'signature one digit long', credential: (c) => `${c}0` },
  { name: 'signature empty', credential: (c) => c.replace(/[0-9a-f]{64}$/, '') },
  { name: 'signature in base64', credential: (c) => c.replace(/[0-9a-f]{64}$/, (hex) => Buffer.from(hex, 'hex').toString('base64')) },
  { name: 'signature of another algorithm', credential: (c) => c.replace('SDK-HMAC-SHA256', 'SDK-HMAC-SHA512') },
  { name: 'algorithm in lower case', credential: (c) => c.replace('SDK-HMAC-SHA256', 'sdk-hmac-sha256') },
  { name: 'algorithm missing', credential: (c) => c.replace('SDK-HMAC-SHA256 ', '') },
  // the header
  { name: 'no Authorization at all', header: () => undefined },
  { name: 'Authorization empty', header: () => '' },
  { name: 'Bearer alone', header: () => 'Bearer' },
  { name: 'Basic in place of Bearer', header: (h) => h.replace('Bearer', 'Basic') },
  { name: 'no word before the base64', header: (h) => h.replace('Bearer ', '') },
  { name: 'two words before the base64', header: (h) => h.replace('Bearer', 'Bearer Bearer') },
  { name: 'plain text in place of base64', header: (h) => Buffer.from(h.slice(7), 'base64').toString() },
  { name: 'base64 truncated by one character', header: (h) => h.slice(0, -1) },
  { name: 'base64 truncated by four characters', header: (h) => h.slice(0, -4) },
  { name: 'base64 truncated to a half', header: (h) => h.slice(0, h.length >> 1) },
  { name: 'base64 with a foreign character', header: (h) => `${h.slice(0, 20)}*${h.slice(20)}` },
  { name: 'base64 with a blank inside', header: (h) => `${h.slice(0, 20)} ${h.slice(20)}` },
  { name: 'base64 twice over', header: (h) => `Bearer ${Buffer.from(h.slice(7)).toString('base64')}` },
  { name: 'base64 of nothing', header: () => 'Bearer ====' },
  { name: 'header of a megabyte', header: (h) => h + 'A'.repeat(1 << 20) },
  { name: 'signed list emptied', credential: (c) => c.replace(/SignedHeaders=[^,]*/, 'SignedHeaders=') },
  { name: 'signed list in capitals', credential: (c) => c.replace('content-type;host', 'Content-Type;Host') },
  { name: 'signed list in another order', choices: { signedHeaders: ['x-sdk-date', 'host', 'content-type'] } },
  { name: 'signed list with a repeat', choices: { signedHeaders: ['content-type', 'host', 'host', 'x-sdk-date'] } },
  { name: 'signed list with an empty name', choices: { signedHeaders: ['', 'host', 'x-sdk-date'] } },
  { name: 'signed list shortened after signing', credential: (c) => c.replace('content-type;', '') },
  { name: 'signed list joined by commas', credential: (c) => c.replaceAll(';', ',') },
  { name: 'two signatures', credential: (c) => `${c}, Signature=${'0'.repeat(64)}` },
  { name: 'fields in another order', credential: (c) => c.replace(/(Access=[^,]*), (SignedHeaders=[^,]*)/, '$2, $1') },
  { name: 'line feed behind the signature', credential: (c) => `${c}\n` },
];

function payload(stated: string): Pick<Forgery, 'signed' | 'sent'> {
  const draft = header(post(), 'X-Sdk-Content-Sha256', stated);
  return { signed: draft, sent: draft };
}

describe('forgeries are refused with 90002', () => {
  it('there are at least 60 of them, each with its own name', () => {
    expect(new Set(FORGERIES.map((forgery) => forgery.name)).size).toBe(FORGERIES.length);
    expect(FORGERIES.length).toBeGreaterThanOrEqual(60);
  });

  it.each(FORGERIES)('$name', async (forgery) => {
    const signed = forgery.signed ?? post();
    const { credential } = sign(signed, forgery.choices);
    const full = bearer(forgery.credential?.(credential) ?? credential);
    const authorization = forgery.header ? forgery.header(full) : full;
    const error = await verify(forgery.sent ?? signed, authorization, forgery.now).catch((e: unknown) => e);
    expect(error).toBeInstanceOf(AppError);
    expect((error as AppError).spec).toMatchObject({ code: 90002 });
    expect((error as AppError).message).not.toContain('example-secret');
  });

  it('wrong key and wrong signature read the same', async () => {
    const draft = post();
    const messages = await Promise.all(
      [{ accessKey: 'nobody' }, { secret: 'wrong' }].map((choices) =>
        verify(draft, bearer(sign(draft, choices).credential)).then(
          () => 'accepted',
          (error: Error) => error.message,
        ),
      ),
    );
    expect(messages[0]).toBe(messages[1]);
    expect(messages[0]).not.toBe('accepted');
  });

  it('any one changed bit of the credential', () =>
    fc.assert(
      fc.asyncProperty(fc.nat(), fc.integer({ min: 0, max: 6 }), async (position, bit) => {
        const draft = post();
        const bytes = Buffer.from(sign(draft).credential);
        const at = position % bytes.length;
        bytes[at] = (bytes[at] ?? 0) ^ (1 << bit);
        await expect(verify(draft, `Bearer ${bytes.toString('base64')}`)).rejects.toMatchObject({ kind: 'GATEWAY_AUTHORIZED_ERROR' });
      }),
      { numRuns: 500, seed: 5 },
    ));
});
