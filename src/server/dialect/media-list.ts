import { AppError } from '../../errors.ts';
import { facePointsOf } from './face-points.ts';
import { isWireObject, kindOf, type WireObject } from './json-body.ts';

/** Where one entry's picture comes from. */
export type WireSource = { readonly kind: 'link'; readonly link: string } | { readonly kind: 'base64'; readonly text: string };

/** One entry of `media_info_list`. */
export interface WireEntry {
  readonly source: WireSource;
  readonly facePoints: [number, number][][] | undefined;
}

/**
 * `media_info_list` as typed entries. The label only tells link from base64, and a text that begins
 * with http(s):// is a link under any label: no base64 text can begin so.
 * @throws AppError PARAM_MISSING_ERROR, PARAM_TYPE_ERROR, PARAM_VALUE_ERROR for too many entries
 */
export function parseMediaList(body: WireObject, maxEntries: number): WireEntry[] {
  const list = body.media_info_list;
  if (list === undefined || list === null || list === '') throw missing('media_info_list');
  if (!Array.isArray(list)) throw wrongType('media_info_list', 'an array', list);
  if (list.length === 0) throw missing('media_info_list');
  if (list.length > maxEntries) {
    throw new AppError('PARAM_VALUE_ERROR', `media_info_list has ${list.length} entries; at most ${maxEntries} are accepted.`);
  }
  return list.map((entry, index) => parseEntry(entry, `media_info_list[${index}]`));
}

function parseEntry(entry: unknown, name: string): WireEntry {
  if (entry === undefined || entry === null) throw missing(name);
  if (!isWireObject(entry)) throw wrongType(name, 'an object', entry);
  const data = entry.media_data;
  if (data === undefined || data === null) throw missing(`${name}.media_data`);
  if (typeof data !== 'string') throw wrongType(`${name}.media_data`, 'a string', data);
  if (!/\S/.test(data)) throw missing(`${name}.media_data`);
  return { source: sourceOf(data, labelOf(entry, name)), facePoints: facePointsOf(entry.media_extra) };
}

function sourceOf(data: string, label: string): WireSource {
  return label === 'url' || /^\s*https?:\/\//i.test(data) ? { kind: 'link', link: data } : { kind: 'base64', text: data };
}

/** The label in lower case; absent profiles, null and PHP's empty array all mean "none". */
function labelOf(entry: WireObject, name: string): string {
  const profiles = entry.media_profiles;
  if (profiles === undefined || profiles === null || Array.isArray(profiles)) return '';
  if (!isWireObject(profiles)) throw wrongType(`${name}.media_profiles`, 'an object', profiles);
  return String(profiles.media_data_type ?? '')
    .trim()
    .toLowerCase();
}

const missing = (name: string) => new AppError('PARAM_MISSING_ERROR', `${name} is missing or empty.`);
const wrongType = (name: string, expected: string, received: unknown) =>
  new AppError('PARAM_TYPE_ERROR', `${name}: expected ${expected}, received ${kindOf(received)}.`);
