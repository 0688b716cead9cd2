import { AppError } from '../../errors.ts';

const DATA_PREFIX = /^\s*data:[^,]{0,200},/i;

/**
 * The bytes of base64 text as real clients send it: with line breaks or spaces, without padding,
 * in the URL-safe alphabet, behind a `data:` prefix. Node's own decoder would silently skip what it
 * does not know, so the alphabet is checked first. Only searches that cannot backtrack: the text may
 * have tens of millions of characters.
 * @throws AppError GATEWAY_BASE64_DECODE_ERROR; PICTURE_OVERRUN_ERROR before decoding too much
 */
export function decodeBase64(text: string, maxBytes: number): Buffer {
  const prefix = DATA_PREFIX.exec(text)?.[0] ?? '';
  if (prefix !== '' && !/;base64,$/i.test(prefix)) throw wrong('A data: prefix without ";base64" is not accepted.');
  const symbols = text.slice(prefix.length).replace(/\s+/g, '');
  const end = withoutPadding(symbols);
  const bad = symbols.slice(0, end).search(/[^A-Za-z0-9+/_-]/);
  if (bad >= 0) throw wrong(`Character ${bad + 1} is not of the base64 alphabet (${symbols.length} characters received).`);
  // 4n+1 symbols cannot come from whole bytes (RFC 4648 §4).
  if (end === 0 || end % 4 === 1) throw wrong(`${end} characters are no whole number of bytes: the text is cut off.`);
  const bytes = Math.floor((end * 3) / 4);
  if (bytes > maxBytes) {
    throw new AppError('PICTURE_OVERRUN_ERROR', `The picture file has ${bytes} bytes; at most ${maxBytes} are accepted.`);
  }
  return Buffer.from(symbols, 'base64');
}

/** The length without up to two `=` at the end. */
function withoutPadding(symbols: string): number {
  let end = symbols.length;
  while (end > 0 && symbols.length - end < 2 && symbols[end - 1] === '=') end--;
  return end;
}

function wrong(detail: string): AppError {
  return new AppError('GATEWAY_BASE64_DECODE_ERROR', `media_data is no base64 of a file: ${detail}`);
}
