import type { Dice } from './dice.ts';

/** Whose form an answer must have. `open`: no form of ours is promised (framework, static files). */
export type Surface = 'v1' | 'v2' | 'gateway' | 'open';

/** One whole HTTP request. */
export interface HttpAttack {
  readonly kind: 'http';
  /** What family of cases it belongs to, and what is special about it. */
  readonly family: string;
  readonly name: string;
  readonly surface: Surface;
  readonly method: string;
  /** Path and query, key included. */
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Buffer;
}

/** Bytes on a socket, which need be no HTTP at all. */
export interface RawAttack {
  readonly kind: 'raw';
  readonly family: string;
  readonly name: string;
  /** Written one after the other. */
  readonly parts: readonly Buffer[];
}

export type Attack = HttpAttack | RawAttack;

/** What attacks are made with. */
export interface Arsenal {
  /** `api_key=…&api_secret=…` of a valid key. */
  readonly query: string;
  /** A stranger's web server that the service may reach. */
  readonly source: { readonly base: string; serve(bytes: Buffer): string };
  /** Port of the listeners on private addresses that nobody may reach. */
  readonly canaryPort: number;
  /** Private addresses with a listener. */
  readonly canaries: readonly string[];
}

type Picture = { readonly family: string; readonly name: string; readonly bytes: Buffer };

/** The network computes in one case of so many: what is tested lies before and behind it. */
const COMPUTE = 12;

const json = { 'content-type': 'application/json' };

/** Sends a picture file over one of the ways a client has. */
export function deliver(picture: Picture, dice: Dice, arsenal: Arsenal): HttpAttack {
  const strength = dice.below(COMPUTE) === 0 ? 1 : 0;
  const way = dice.weighted(WAYS);
  return {
    kind: 'http',
    method: 'POST',
    family: picture.family,
    name: `${picture.name}, ${way.name}`,
    ...way.request(picture.bytes, strength, dice, arsenal),
  };
}

type Request = Pick<HttpAttack, 'surface' | 'path' | 'headers' | 'body'>;
interface Way {
  readonly name: string;
  request(bytes: Buffer, strength: number, dice: Dice, arsenal: Arsenal): Request;
}

const entry = (data: string, label: string) => ({ media_data: data, media_profiles: { media_data_type: label } });
const v1Body = (data: string, label: string, parameter: object) =>
  Buffer.from(JSON.stringify({ media_info_list: [entry(data, label)], parameter }));
const LABELS = ['jpg', 'png', 'webp', 'image', ''];

const WAYS: readonly (readonly [number, Way])[] = [
  [
    70,
    {
      name: 'base64',
      request: (bytes, strength, dice, { query }) => ({
        surface: 'v1',
        path: `/v1/aiquality?${query}`,
        headers: json,
        body: v1Body((dice.chance(0.1) ? 'data:image/png;base64,' : '') + bytes.toString('base64'), dice.pick(LABELS), {
          strength,
          rsp_media_type: dice.pick(['jpg', 'jpg', 'png', 'url']),
        }),
      }),
    },
  ],
  [
    4,
    {
      name: 'sibling interface',
      request: (bytes, strength, dice, { query }) => ({
        surface: 'v1',
        path: `${dice.pick(['/v1/image_restoration', '/v2/denoise', '/v1/night_denoise'])}?${query}`,
        headers: json,
        body: v1Body(bytes.toString('base64'), 'jpg', { strength: String(strength), use_denoise: '1' }),
      }),
    },
  ],
  [
    4,
    {
      name: 'link',
      request: (bytes, strength, _dice, { query, source }) => ({
        surface: 'v1',
        path: `/v1/aiquality?${query}`,
        headers: json,
        body: v1Body(source.serve(bytes), 'url', { strength }),
      }),
    },
  ],
  [
    12,
    {
      name: '/v2 raw',
      request: (bytes, strength, dice, { query }) => ({
        surface: 'v2',
        path: `/v2/restore?${query}&strength=${strength}&format=${dice.pick(['same', 'jpg', 'png', 'webp'])}&metadata=${dice.pick(['keep', 'strip'])}`,
        headers: {
          'content-type': dice.pick(['image/jpeg', 'image/png', 'image/webp', 'image/tiff', 'image/avif', 'application/octet-stream']),
        },
        body: bytes,
      }),
    },
  ],
  [
    4,
    {
      name: '/v2 form',
      request: (bytes, strength, dice, { query }) => form(bytes, strength, dice, query),
    },
  ],
  [
    3,
    {
      name: '/v2 JSON',
      request: (bytes, strength, _dice, { query }) => ({
        surface: 'v2',
        path: `/v2/restore?${query}`,
        headers: { ...json, accept: 'application/json' },
        body: Buffer.from(JSON.stringify({ image: { base64: bytes.toString('base64') }, options: { strength } })),
      }),
    },
  ],
  [
    1,
    {
      name: 'asynchronous',
      request: (bytes, strength, _dice, { query }) => ({
        surface: 'v1',
        path: `/v1/aiquality_async?${query}`,
        headers: json,
        body: v1Body(bytes.toString('base64'), 'jpg', { strength }),
      }),
    },
  ],
  [
    2,
    {
      name: 'gateway',
      request: (bytes, strength, _dice, { query }) => ({
        surface: 'gateway',
        path: `/api/v1/sdk/sync/push?${query}`,
        headers: json,
        body: Buffer.from(
          JSON.stringify({
            task: '/v1/aiquality',
            init_images: [{ url: bytes.toString('base64'), profile: { media_profiles: { media_data_type: 'jpg' } } }],
            params: JSON.stringify({ parameter: { strength } }),
            rsp_media_type: 'jpg',
          }),
        ),
      }),
    },
  ],
];

function form(bytes: Buffer, strength: number, dice: Dice, query: string): Request {
  const boundary = `x${dice.below(1e9)}`;
  const file = dice.pick(['a.jpg', '../../etc/passwd', 'a"b.png', '\u0000.png', 'x'.repeat(3000)]);
  const head = `--${boundary}\r\ncontent-disposition: form-data; name="strength"\r\n\r\n${strength}\r\n--${boundary}\r\ncontent-disposition: form-data; name="image"; filename="${file}"\r\ncontent-type: image/jpeg\r\n\r\n`;
  return {
    surface: 'v2',
    path: `/v2/restore?${query}`,
    headers: { 'content-type': `multipart/form-data; boundary=${boundary}` },
    body: Buffer.concat([Buffer.from(head, 'utf8'), bytes, Buffer.from(`\r\n--${boundary}--\r\n`)]),
  };
}
