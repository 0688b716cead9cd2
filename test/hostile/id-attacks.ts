import type { Arsenal, HttpAttack } from './attack.ts';
import type { Dice } from './dice.ts';
import { PATHS } from './json-attacks.ts';

const NONE = Buffer.alloc(0);
const hex = (dice: Dice, digits: number) => Array.from({ length: digits }, () => dice.below(16).toString(16)).join('');

/** Ids, file names and query values that try to leave their place; all must end as "not there". */
export function idAttack(dice: Dice, { query }: Arsenal): HttpAttack {
  const id = dice.weighted([
    [3, dice.pick(PATHS)],
    [1, encodeURIComponent(dice.pick(PATHS))],
    [1, hex(dice, 46)],
    [1, `${hex(dice, 46)}.jpg`],
    [1, `${hex(dice, 46)}.jpg/../../../../server.key`],
    [1, `${hex(dice, 46)}.jpg%00.png`],
    [1, dice.bytes(20).toString('latin1')],
    [1, '00000000-0000-0000-0000-000000000000'],
  ]);
  const safe = encodeURI(id).replaceAll('#', '%23').replaceAll('?', '%3f');
  const [surface, method, path] = dice.pick<readonly [HttpAttack['surface'], string, string]>([
    ['open', 'GET', `/v1/results/${safe}`],
    ['open', 'GET', `/v1/results/${safe}.jpg`],
    ['open', 'GET', `/${safe}`],
    ['open', 'GET', `/docs/static/${safe}`],
    ['open', 'GET', `/assets/${safe}`],
    ['v1', 'GET', `/v1/query?${query}&msg_id=${encodeURIComponent(id)}`],
    ['v1', 'POST', `/v1/query?${query}&msg_id=${encodeURIComponent(id)}&msg_id=x`],
    ['gateway', 'GET', `/api/v1/sdk/status?${query}&task_id=${encodeURIComponent(id)}`],
    ['v2', 'GET', `/v2/jobs/${safe}?${query}`],
    ['v2', 'DELETE', `/v2/jobs/${safe}?${query}`],
    ['v2', 'GET', `/v2/jobs/${safe}/events?${query}`],
    ['v2', 'GET', `/v2/jobs/${safe}/result?${query}`],
    ['v1', 'POST', `/v1/aiquality?api_key=${encodeURIComponent(id)}&api_secret=${encodeURIComponent(id)}`],
    ['v1', 'GET', `/v1/usage?${query}&days=${encodeURIComponent(id)}`],
  ]);
  return { kind: 'http', family: 'ids', name: `${method} ${path.slice(0, 90)}`, surface, method, path, headers: {}, body: NONE };
}
