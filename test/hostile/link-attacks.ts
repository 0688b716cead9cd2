import type { Arsenal, HttpAttack } from './attack.ts';
import type { Dice } from './dice.ts';
import { BAD_MANNERS, SOURCE_ADDRESS } from './hostile-hosts.ts';

/** One IPv4 address in the many spellings that URL parsers take for it. */
function spell(address: string, dice: Dice): string {
  const [a, b, c, d] = address.split('.').map(Number) as [number, number, number, number];
  const number = ((a << 24) | (b << 16) | (c << 8) | d) >>> 0;
  const hex = (value: number, digits = 2) => value.toString(16).padStart(digits, '0');
  const [high, low] = [hex((a << 8) | b, 4), hex((c << 8) | d, 4)];
  const wide = (text: string) => [...text].map((sign) => (/\d/.test(sign) ? String.fromCodePoint(0xff10 + Number(sign)) : sign)).join('');
  return dice.pick([
    address,
    `${address}.`,
    String(number),
    `0x${hex(number, 8)}`,
    `0${number.toString(8)}`,
    `${a}.${number & 0xffffff}`,
    `${a}.${b}.${(c << 8) | d}`,
    `0${a.toString(8)}.0x${hex(b)}.${c}.0${d.toString(8)}`,
    `0x${hex(a)}.0x${hex(b)}.0x${hex(c)}.0x${hex(d)}`,
    `0000${a.toString(8).padStart(8, '0')}.${b}.${c}.${d}`,
    wide(address),
    address.replaceAll('.', '。'),
    address.replaceAll('.', '%2e'),
    [...address].map((sign) => `%${hex(sign.charCodeAt(0))}`).join(''),
    `[::ffff:${address}]`,
    `[::ffff:${high}:${low}]`,
    `[0:0:0:0:0:ffff:${high}:${low}]`,
    `[::${address}]`,
    `[::ffff:0:${address}]`,
    `[64:ff9b::${high}:${low}]`,
    `[2002:${high}:${low}::1]`,
    `[::ffff:${address}%25lo]`,
    `${a + 256}.${b}.${c}.${d}`,
  ]);
}

const NAMES = [
  'localhost',
  'LOCALHOST',
  'localhost.',
  'ip6-localhost',
  'localhost.localdomain',
  'metadata',
  'metadata.google.internal',
  'kubernetes.default.svc',
  '0',
  '[::]',
  '[::1]',
  '[0:0:0:0:0:0:0:1]',
  '[fe80::1%25eth0]',
  '[fd00::2]',
  '169.254.169.254',
  '[fd00:ec2::254]',
  '100.100.100.200',
  '0.0.0.0',
  '255.255.255.255',
  '224.0.0.1',
];
const SCHEMES = [
  'ftp',
  'file',
  'gopher',
  'ws',
  'javascript',
  'data',
  'unix',
  'jar:http',
  'http+unix',
  ' http',
  'hTtP',
  'http:http',
  'dict',
  'ldap',
  'blob:http',
  'view-source:http',
];

/** A link that leads to a private address, if it leads anywhere. */
function privateLink(dice: Dice, { canaryPort, canaries, source }: Arsenal): string {
  const v4 = canaries.filter((address) => address.includes('.'));
  const v6 = canaries.filter((address) => address.includes(':') && !address.startsWith('fe80')).map((address) => `[${address}]`);
  const host = dice.weighted([
    [6, spell(dice.pick(v4), dice)],
    [1, dice.pick([...v6, '[::1]'])],
    [2, dice.pick(NAMES)],
  ]);
  const target = `${host}:${canaryPort}`;
  const good = source.base.slice('http://'.length);
  return dice.weighted([
    [10, `http://${target}/x.jpg`],
    [1, `https://${target}/x.jpg`],
    [1, `HTTP://${target}`],
    [1, `http://${good}@${target}/`],
    [1, `http://${good}#@${target}/`],
    [1, `http://${target}#@${good}/`],
    [1, `http://${target}\\@${good}/`],
    [1, `http://${good}\\@${target}/`],
    [1, `http://user:pass@${target}/`],
    [1, `http:///${target}/`],
    [1, `http:${target}`],
    [1, `\thttp://${target}\n/`],
    [1, `http://${SOURCE_ADDRESS}.${target}/`],
    [1, `http://${host}\t:${canaryPort}/`],
    [1, `http://${host}:${canaryPort + 65_536}/`],
    [1, `http://${host}:0${canaryPort}/`],
    [1, `${dice.pick(SCHEMES)}://${target}/etc/passwd`],
    [1, '\u0000http://x'],
    [1, `//${target}/`],
  ]);
}

/** A link to somewhere it must not lead, directly or by redirect, or to somebody who misbehaves. */
export function linkAttack(dice: Dice, arsenal: Arsenal): HttpAttack {
  const { source, query } = arsenal;
  const [name, link] = dice.weighted<() => [string, string]>([
    [8, () => ['private', privateLink(dice, arsenal)]],
    [6, () => ['redirect', `${source.base}/redirect/${encodeURIComponent(privateLink(dice, arsenal))}`]],
    [2, () => ['raw redirect', `${source.base}/redirect-raw/${encodeURIComponent(privateLink(dice, arsenal))}`]],
    [
      1,
      () => [
        'redirect twice',
        `${source.base}/redirect/${encodeURIComponent(`${source.base}/redirect/${encodeURIComponent(privateLink(dice, arsenal))}`)}`,
      ],
    ],
    [1, () => ['status', `${source.base}/status/${dice.pick([201, 204, 206, 300, 304, 401, 404, 416, 500, 503])}`]],
    [4, () => ['bad manners', `${source.base}/${dice.pick(BAD_MANNERS)}`]],
  ])();
  const json = { 'content-type': 'application/json' };
  const media = (label: string) => ({
    media_info_list: [{ media_data: link, media_profiles: { media_data_type: label } }],
    parameter: { strength: 0 },
  });
  const [surface, path, body] = dice.weighted<readonly [HttpAttack['surface'], string, object]>([
    [8, ['v1', '/v1/aiquality', media('url')]],
    [2, ['v1', '/v1/aiquality', media('jpg')]],
    [1, ['v1', '/v1/aiquality_async', media('url')]],
    [2, ['v1', '/v1/aiquality_async', { media_info_list: [{ media_data: 'AAAA' }], parameter: {}, extra: { callback_url: link } }]],
    [3, ['v2', '/v2/restore', { image: { url: link }, options: { strength: 0 } }]],
    [
      2,
      [
        'gateway',
        '/api/v1/sdk/sync/push',
        { task: '/v1/aiquality', init_images: [{ url: link, profile: { media_profiles: { media_data_type: 'url' } } }], params: '{}' },
      ],
    ],
  ]);
  return {
    kind: 'http',
    family: 'links',
    name: `${name} ${link.slice(0, 120)} to ${path}`,
    surface,
    method: 'POST',
    path: `${path}?${query}`,
    headers: json,
    body: Buffer.from(JSON.stringify(body)),
  };
}
