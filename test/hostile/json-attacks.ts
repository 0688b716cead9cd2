import type { Arsenal, HttpAttack } from './attack.ts';
import type { Dice } from './dice.ts';

const MB = 2 ** 20;
const nest = (depth: number, open: string, close: string) => open.repeat(depth) + close.repeat(depth);

/** Bodies that are large, deep or strange, by name. `GOOD` becomes a good picture's base64. */
const BODIES: Readonly<Record<string, (dice: Dice) => string>> = {
  'arrays inside each other': (dice) => nest(dice.pick([100, 10_000, 1_000_000]), '[', ']'),
  'objects inside each other': (dice) => nest(dice.pick([100, 10_000, 300_000]), '{"a":', '}').replace('}', '1}'),
  'deep in a field': (dice) => `{"media_info_list":${nest(dice.pick([5000, 500_000]), '[', ']')},"parameter":{}}`,
  'deep in extra': (dice) =>
    `{"media_info_list":[{"media_data":"GOOD"}],"parameter":{"strength":0},"extra":${nest(dice.pick([5000, 200_000]), '{"a":[', ']}')}}`,
  'a string of 10 MB as media_data': (dice) =>
    `{"media_info_list":[{"media_data":"${dice.pick(['A', '=', ' ', 'é', '\\u0000', '\\n']).repeat(dice.pick([MB, 10 * MB]) / 4)}"}],"parameter":{}}`,
  'a string of 10 MB elsewhere': (dice) =>
    `{"${'k'.repeat(MB)}":1,"media_info_list":[{"media_data":"GOOD"}],"parameter":{"strength":0,"model":"${'m'.repeat(10 * MB)}"},"x":"${'y'.repeat(dice.below(MB))}"}`,
  'a link of 10 MB': () =>
    `{"media_info_list":[{"media_data":"http://${'a'.repeat(10 * MB)}/","media_profiles":{"media_data_type":"url"}}],"parameter":{}}`,
  'many entries': (dice) =>
    `{"media_info_list":[${'{"media_data":"GOOD"},'.repeat(dice.pick([17, 500]))}{"media_data":"GOOD"}],"parameter":{"strength":0}}`,
  'entries by the hundred thousand': () => `{"media_info_list":[${'{},'.repeat(100_000)}{}],"parameter":{}}`,
  'keys by the hundred thousand': () =>
    `{${Array.from({ length: 100_000 }, (_, i) => `"k${i}":${i}`).join(',')},"media_info_list":[],"parameter":{}}`,
  'the same key again and again': () =>
    `{${'"parameter":{},'.repeat(20_000)}"media_info_list":[{"media_data":"GOOD"}],"parameter":{"strength":0}}`,
  'names of the prototype': () =>
    '{"__proto__":{"strength":0,"isAdmin":true},"constructor":{"prototype":{"x":1}},"media_info_list":[{"media_data":"GOOD","__proto__":{"media_data":1}}],"parameter":{"__proto__":{"model":"x"},"strength":0}}',
  'numbers beyond all': () =>
    '{"media_info_list":[{"media_data":"GOOD"}],"parameter":{"strength":1e999,"quality":-1e999,"scale":123456789012345678901234567890}}',
  'a number of 1 MB': () => `{"media_info_list":[{"media_data":"GOOD"}],"parameter":{"strength":0.${'1'.repeat(MB)}}}`,
  'no UTF-8': () => '{"media_info_list":[{"media_data":"\u00ff\u00fe\u00c0\u00af"}],"parameter":{}}',
  'half of a pair of surrogates': () => '{"media_info_list":[{"media_data":"\\ud800"}],"parameter":{"model":"\\udfff"}}',
  'control characters': () => '{"media_info_list":[{"media_data":"\u0001\u0002\u0000"}],"parameter":{}}',
  'JSON behind a byte order mark': () => '\ufeff{"media_info_list":[{"media_data":"GOOD"}],"parameter":{"strength":0}}',
  'JSON behind a comment': () => '// x\n{"media_info_list":[],"parameter":{}}',
  'two values': () => '{"media_info_list":[],"parameter":{}}{"a":1}',
  'blanks for 10 MB': () => `${' '.repeat(10 * MB)}{"media_info_list":[],"parameter":{}}`,
  'a name of a model that is a path': (dice) =>
    `{"media_info_list":[{"media_data":"GOOD"}],"parameter":{"strength":0,"model":${JSON.stringify(dice.pick(PATHS))}}}`,
  'a task that is a path': (dice) => `{"task":${JSON.stringify(dice.pick(PATHS))},"init_images":[{"url":"GOOD"}],"params":"{}"}`,
  'params inside params': () =>
    JSON.stringify({
      task: '/v1/aiquality',
      init_images: [{ url: 'GOOD' }],
      params: JSON.stringify({ parameter: JSON.stringify({ parameter: {} }) }),
    }),
  'params deep inside a string': () =>
    JSON.stringify({ task: '/v1/aiquality', init_images: [{ url: 'GOOD' }], params: nest(100_000, '[', ']') }),
  'face points by the million': () =>
    `{"media_info_list":[{"media_data":"GOOD","media_extra":{"face":[${'[1e308,-1e308],'.repeat(300_000)}[0,0]]}}],"parameter":{"strength":0}}`,
  'face points that are none': (dice) =>
    `{"media_info_list":[{"media_data":"GOOD","media_extra":${dice.pick(['[[[1]]]', '{"faces":[null]}', '{"landmark":{"x":{}}}', '[{"face_rectangle":{"left":1e999}}]', '"x"'])}}],"parameter":{"strength":0}}`,
};

/** Ids and names from outside that must not become a path. */
export const PATHS = [
  '../../../../etc/passwd',
  '..%2f..%2fetc%2fpasswd',
  '%2e%2e%2f%2e%2e%2fserver.key',
  '..\\..\\server.key',
  '....//....//server.key',
  '/etc/passwd',
  'general/../../server.key',
  'general\u0000.onnx',
  '%00',
  '.',
  '..',
  '~root',
  'con',
  'a'.repeat(5000),
  "' OR 1=1 --",
  '"; drop table jobs; --',
  // biome-ignore lint/suspicious/noTemplateCurlyInString: what a template engine would execute
  '${7*7}',
  '{{7*7}}',
  '$(id)',
  '__proto__',
];

const TARGETS: readonly (readonly [number, HttpAttack['surface'], string])[] = [
  [12, 'v1', '/v1/aiquality'],
  [2, 'v1', '/v1/aiquality_async'],
  [2, 'v1', '/v2/image_restoration'],
  [3, 'gateway', '/api/v1/sdk/sync/push'],
  [3, 'v2', '/v2/restore'],
];

/** A JSON body of the wrong sort, sent to one of the interfaces that read JSON. */
export function jsonAttack(good: string, dice: Dice, { query }: Arsenal): HttpAttack {
  const name = dice.pick(Object.keys(BODIES));
  const body = BODIES[name]?.(dice).replaceAll('GOOD', () => good) ?? '';
  const [, surface, path] = dice.weighted(TARGETS.map((target) => [target[0], target] as const));
  const type = dice.pick([
    'application/json',
    'application/json; charset=utf-7',
    'application/x-www-form-urlencoded',
    'text/plain',
    'application/json;'.repeat(20),
    'x',
  ]);
  const encoding = name === 'no UTF-8' ? 'latin1' : 'utf8';
  return {
    kind: 'http',
    family: 'JSON',
    name: `${name} to ${path}`,
    surface,
    method: 'POST',
    path: `${path}?${query}`,
    headers: { 'content-type': surface === 'v2' ? 'application/json' : type },
    body: Buffer.from(body, encoding),
  };
}
