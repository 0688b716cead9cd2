import type { Picture } from '../picture.ts';

export type Dialect = 'modern' | 'wire';
export type Form = 'curl' | 'json';

/** The same restoration as a call, to paste into a shell or a program. */
export function snippet(picture: Picture, dialect: Dialect, form: Form, origin: string): string {
  return dialect === 'modern' ? modern(picture, form, origin) : wire(picture, form, origin);
}

function modern(picture: Picture, form: Form, origin: string): string {
  const options = chosen(picture);
  if (form === 'json') {
    const image = picture.source.kind === 'link' ? { url: picture.source.url } : { base64: 'BASE64 OF THE FILE' };
    return JSON.stringify({ image, options }, null, 2);
  }
  const head = [`curl -fS ${quote(`${origin}/v2/restore`)}`, '-H "X-Api-Key: $API_KEY"', '-H "X-Api-Secret: $API_SECRET"'];
  if (picture.source.kind === 'link') {
    const body = JSON.stringify({ image: { url: picture.source.url }, options });
    return [...head, '-H "Content-Type: application/json"', `-d ${quote(body)}`, `-o ${quote(resultName(picture))}`].join(' \\\n  ');
  }
  const fields = Object.entries(options).map(([name, value]) => `-F ${quote(`${name}=${value}`)}`);
  return [...head, `-F ${quote(`image=@${picture.name}`)}`, ...fields, `-o ${quote(resultName(picture))}`].join(' \\\n  ');
}

function wire(picture: Picture, form: Form, origin: string): string {
  const { strength, face, model } = { strength: 1, face: 'auto', model: 'auto', ...chosen(picture) };
  const parameter = {
    rsp_media_type: 'base64',
    ...(strength === 1 ? {} : { strength }),
    ...(face === 'auto' ? {} : { face }),
    ...(model === 'auto' ? {} : { model }),
  };
  const isLink = picture.source.kind === 'link';
  const media = picture.source.kind === 'link' ? picture.source.url : form === 'curl' ? 'MEDIA' : 'BASE64 OF THE FILE';
  const body = {
    media_info_list: [{ media_data: media, media_profiles: { media_data_type: isLink ? 'url' : 'jpg' } }],
    parameter,
    extra: {},
  };
  if (form === 'json') return JSON.stringify(body, null, 2);
  const url = `"${origin}/v1/aiquality?api_key=$API_KEY&api_secret=$API_SECRET"`;
  if (isLink) return `curl -X POST ${url} \\\n  -H "Content-Type: application/json" \\\n  -d ${quote(JSON.stringify(body))}`;
  const [before, after] = JSON.stringify(body).split('MEDIA');
  return [
    `{ printf '%s' ${quote(before ?? '')}; base64 -w0 ${quote(picture.name)}; printf '%s' ${quote(after ?? '')}; } |`,
    `curl -X POST ${url}`,
    '-H "Content-Type: application/json" -d @-',
  ].join(' \\\n  ');
}

/** Only what differs from the defaults. */
function chosen({ settings, strength }: Picture): Record<string, string | number> {
  return {
    ...(strength === 1 ? {} : { strength }),
    ...(settings.face === 'auto' ? {} : { face: settings.face }),
    ...(settings.model === 'auto' ? {} : { model: settings.model }),
    ...(settings.metadata === 'keep' ? {} : { metadata: settings.metadata }),
  };
}

/** The format a result has without a wish is the source's, as far as it is written. */
const WRITTEN: Readonly<Record<string, string>> = {
  jpg: 'jpg',
  jpeg: 'jpg',
  png: 'png',
  webp: 'webp',
  tif: 'png',
  tiff: 'png',
  avif: 'webp',
};

function resultName({ name }: Picture): string {
  const [, stem = name, ending = ''] = /^(.+)\.([^.]*)$/.exec(name) ?? [];
  return `${stem}-restored.${WRITTEN[ending.toLowerCase()] ?? 'jpg'}`;
}

/** One shell word (POSIX 2.2.2). */
function quote(text: string): string {
  return `'${text.replaceAll("'", "'\\''")}'`;
}
