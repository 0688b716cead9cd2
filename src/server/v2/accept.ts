import { AppError } from '../../errors.ts';

/** The forms a result can be answered in: as a picture of a format, or as JSON about it. */
export type Form = { readonly kind: 'json' } | { readonly kind: 'picture'; readonly format: 'jpg' | 'png' | 'webp' | undefined };

const FORMS: readonly { readonly type: string; readonly form: Form }[] = [
  { type: 'image/jpeg', form: { kind: 'picture', format: 'jpg' } },
  { type: 'image/png', form: { kind: 'picture', format: 'png' } },
  { type: 'image/webp', form: { kind: 'picture', format: 'webp' } },
  { type: 'application/json', form: { kind: 'json' } },
];
const ANY_PICTURE: Form = { kind: 'picture', format: undefined };

/**
 * The form a client wants by `Accept` (RFC 9110 §12.5.1): highest quality first, then the order sent.
 * Without the header, or with a wildcard, a picture in the source's or the asked format.
 * @throws AppError NOT_ACCEPTABLE when nothing it names can be made
 */
export function readAccept(header: string | undefined): Form {
  if (header === undefined || header.trim() === '') return ANY_PICTURE;
  const ranges = header
    .split(',')
    .map(readRange)
    .filter((range) => range.quality > 0)
    .sort((a, b) => b.quality - a.quality);
  for (const { type } of ranges) {
    if (type === '*/*' || type === 'image/*') return ANY_PICTURE;
    if (type === 'application/*') return { kind: 'json' };
    const match = FORMS.find((one) => one.type === type);
    if (match) return match.form;
  }
  throw new AppError('NOT_ACCEPTABLE', `Results are ${FORMS.map(({ type }) => type).join(', ')}; Accept names none of them.`);
}

function readRange(part: string): { type: string; quality: number } {
  const [type = '', ...parameters] = part.split(';').map((word) => word.trim().toLowerCase());
  const given = parameters.find((parameter) => parameter.startsWith('q='));
  const quality = given === undefined ? 1 : Number(given.slice(2));
  return { type, quality: Number.isFinite(quality) ? quality : 0 };
}
