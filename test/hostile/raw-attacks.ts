import type { Arsenal, RawAttack } from './attack.ts';
import type { Dice } from './dice.ts';

const CRLF = '\r\n';
const body = '{"media_info_list":[],"parameter":{}}';

/** A POST as text; `headers` are lines of their own. */
const post = (query: string, headers: readonly string[], payload = body, line = `POST /v1/aiquality?${query} HTTP/1.1`) =>
  [line, 'Host: mingxi', ...headers, '', payload].join(CRLF);

type Make = (query: string, dice: Dice) => string | readonly string[];

/** What HTTP parsers disagree about, or take too much of. */
const KINDS: Readonly<Record<string, Make>> = {
  'two lengths': (q) => post(q, ['Content-Length: 37', 'Content-Length: 3']),
  'length and chunks': (q) =>
    post(q, ['Content-Length: 37', 'Transfer-Encoding: chunked'], `0${CRLF}${CRLF}GET /livez HTTP/1.1${CRLF}Host: x${CRLF}${CRLF}`),
  'chunks in disguise': (q, dice) =>
    post(
      q,
      [
        dice.pick([
          'Transfer-Encoding: xchunked',
          'Transfer-Encoding : chunked',
          'Transfer-Encoding:\tchunked',
          'Transfer-Encoding: chunked, identity',
          ' Transfer-Encoding: chunked',
        ]),
      ],
      `25${CRLF}${body}${CRLF}0${CRLF}${CRLF}`,
    ),
  'chunk sizes that are none': (q, dice) =>
    post(
      q,
      ['Transfer-Encoding: chunked'],
      `${dice.pick(['-1', 'ffffffffffffffff', 'zz', '1'.repeat(5000), '5;a="'])}${CRLF}${body}${CRLF}0${CRLF}${CRLF}`,
    ),
  'chunk extensions without end': (q) => post(q, ['Transfer-Encoding: chunked'], `1;${'x'.repeat(40_000)}${CRLF}a${CRLF}0${CRLF}${CRLF}`),
  'a chunk a byte': (q) =>
    post(q, ['Transfer-Encoding: chunked'], `${[...body].map((c) => `1${CRLF}${c}${CRLF}`).join('')}0${CRLF}${CRLF}`),
  'a negative length': (q) => post(q, ['Content-Length: -1']),
  'a length beyond all': (q) => post(q, ['Content-Length: 99999999999999999999']),
  'a length longer than the body, then the end': (q) => post(q, ['Content-Length: 50000', 'Connection: close']),
  'a header of 100 kB': (q) => post(q, [`X-A: ${'a'.repeat(100_000)}`, 'Content-Length: 37']),
  '5000 headers': (q) => post(q, [...Array.from({ length: 5000 }, (_, i) => `X-${i}: 1`), 'Content-Length: 37']),
  'a path of 100 kB': (q) => post(q, ['Content-Length: 37'], body, `POST /${'a'.repeat(100_000)} HTTP/1.1`),
  'control characters in a header': (q, dice) =>
    post(q, [`X-Request-Id: a${dice.pick(['\x00', '\r', '\n', '\x7f', '\x1b[31m', '\u00e9'])}b`, 'Content-Length: 37']),
  'lines that only feed': (q) => post(q, ['Content-Length: 37']).replaceAll('\r\n', '\n'),
  'folded headers': (q) => post(q, ['X-A: a', '\tb', 'Content-Length: 37']),
  'no host': (q) => `POST /v1/aiquality?${q} HTTP/1.1${CRLF}Content-Length: 37${CRLF}${CRLF}${body}`,
  'two hosts': (q) => post(q, ['Host: evil.example', 'Content-Length: 37']),
  'an absolute target': (q) => post(q, ['Content-Length: 37'], body, `POST http://127.0.0.1:1/v1/aiquality?${q} HTTP/1.1`),
  CONNECT: () => `CONNECT 127.0.0.1:22 HTTP/1.1${CRLF}Host: x${CRLF}${CRLF}`,
  TRACE: () => `TRACE / HTTP/1.1${CRLF}Host: x${CRLF}X-Api-Secret: s${CRLF}${CRLF}`,
  'a method of ours': () => `RESTORE / HTTP/1.1${CRLF}Host: x${CRLF}${CRLF}`,
  'HTTP/0.9': () => `GET /${CRLF}`,
  'HTTP/2 preface': () => `PRI * HTTP/2.0${CRLF}${CRLF}SM${CRLF}${CRLF}`,
  'HTTP/9.9': () => `GET /livez HTTP/9.9${CRLF}Host: x${CRLF}${CRLF}`,
  'TLS hello': () => '\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03',
  'an upgrade': () =>
    `GET /v2/jobs/x/events HTTP/1.1${CRLF}Host: x${CRLF}Connection: Upgrade${CRLF}Upgrade: websocket${CRLF}Sec-WebSocket-Key: x${CRLF}${CRLF}`,
  'an expectation': (q, dice) => post(q, [`Expect: ${dice.pick(['100-continue', '200-ok'])}`, 'Content-Length: 37']),
  'ten requests at once': () => `GET /livez HTTP/1.1${CRLF}Host: x${CRLF}${CRLF}`.repeat(10),
  'ranges by the thousand': () => `GET /v1/results/x.jpg HTTP/1.1${CRLF}Host: x${CRLF}Range: bytes=${'0-1,'.repeat(3000)}0-1${CRLF}${CRLF}`,
  'a gone client': (q) => post(q, ['Content-Length: 5000']).slice(0, 150),
  noise: (_q, dice) => dice.bytes(dice.below(2000)).toString('latin1'),
  'noise in a good request': (q, dice) => {
    const text = post(q, ['Content-Length: 37', 'Content-Type: application/json']);
    const at = dice.below(text.length);
    return text.slice(0, at) + String.fromCharCode(dice.below(256)) + text.slice(at + dice.below(3));
  },
  'in pieces': (q) => [...post(q, ['Content-Length: 37']).matchAll(/.{1,40}/gs)].map((piece) => piece[0]),
};

/** Bytes that are no well-formed request, or one at the edge. */
export function rawAttack(dice: Dice, { query }: Arsenal): RawAttack {
  const name = dice.pick(Object.keys(KINDS));
  const made = KINDS[name]?.(query, dice) ?? '';
  return {
    kind: 'raw',
    family: 'raw HTTP',
    name,
    parts: (typeof made === 'string' ? [made] : made).map((part) => Buffer.from(part, 'latin1')),
  };
}
