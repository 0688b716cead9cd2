import type { Arsenal, HttpAttack } from './attack.ts';
import type { Dice } from './dice.ts';

const VALUES = [
  '',
  ' ',
  '0',
  '-1',
  'a'.repeat(7000),
  '*',
  '*/*;q=x',
  ',,,,',
  '"',
  '\u00ff',
  '%00',
  '../..',
  '{"a":1}',
  '1e999',
  'respond-async, wait=-1',
  'wait=1e9',
  'bytes=0-',
  'W/"x"',
  '<script>',
  'Bearer ',
  'Bearer !!!!',
  'Basic Og==',
  'SDK-HMAC-SHA256 Access=x',
  'gzip',
  'Thu, 01 Jan 1970 00:00:00 GMT',
  '20240102T030405Z',
];
const NAMES = [
  'accept',
  'accept-encoding',
  'authorization',
  'content-encoding',
  'cookie',
  'host',
  'idempotency-key',
  'if-none-match',
  'if-range',
  'last-event-id',
  'origin',
  'prefer',
  'range',
  'referer',
  'traceparent',
  'user-agent',
  'x-api-key',
  'x-api-secret',
  'x-forwarded-for',
  'x-forwarded-host',
  'x-forwarded-proto',
  'x-http-method-override',
  'x-original-url',
  'x-request-id',
  'x-sdk-content-sha256',
  'x-sdk-date',
  'access-control-request-method',
];

/** Hosts that a result's link, or a cache before us, must not take over. */
export const FOREIGN_HOST = 'evil.example';

/** A good request with up to four headers that mean harm. The link in its answer may not lead elsewhere. */
export function headerAttack(good: string, dice: Dice, { query }: Arsenal): HttpAttack {
  const headers: Record<string, string> = { 'content-type': 'application/json' };
  for (let i = 1 + dice.below(4); i > 0; i--) headers[dice.pick(NAMES)] = dice.pick(VALUES);
  if (dice.chance(0.4))
    Object.assign(headers, {
      host: FOREIGN_HOST,
      'x-forwarded-host': FOREIGN_HOST,
      'x-forwarded-proto': 'https',
      forwarded: `host=${FOREIGN_HOST}`,
    });
  const [surface, method, path] = dice.pick<readonly [HttpAttack['surface'], string, string]>([
    ['v1', 'POST', `/v1/aiquality?${query}`],
    ['v1', 'POST', `/v1/aiquality?${query}`],
    ['v2', 'POST', `/v2/restore?${query}`],
    ['gateway', 'POST', `/api/v1/sdk/push?${query}`],
    ['gateway', 'POST', '/demo/authorization'],
    ['open', 'OPTIONS', '/v1/aiquality'],
    ['open', 'GET', '/'],
    ['open', 'GET', '/metrics'],
    ['open', 'GET', '/readyz'],
    ['open', 'PUT', '/v1/aiquality'],
  ]);
  const bodies: Readonly<Record<string, string>> = {
    v1: JSON.stringify({ media_info_list: [{ media_data: good }], parameter: { strength: 0, rsp_media_type: 'url' } }),
    v2: JSON.stringify({ image: { base64: good }, options: { strength: 0 } }),
    gateway: JSON.stringify({ task: '/v1/aiquality', init_images: [{ url: good }], params: '{"parameter":{"strength":0}}' }),
  };
  const names = Object.keys(headers).filter((name) => name !== 'content-type');
  return {
    kind: 'http',
    family: 'headers',
    name: `${method} ${path.split('?')[0]} with ${names.join(', ')}`,
    surface,
    method,
    path,
    headers,
    body: Buffer.from(method === 'POST' ? (bodies[surface] ?? '') : ''),
  };
}
