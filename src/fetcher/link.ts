import { AppError } from '../errors.ts';

const MAX_LENGTH = 8192;

/**
 * A source link as a URL. Links are sent "not percent-encoded as a whole": spaces, Chinese file
 * names and other characters that a strict parser refuses are encoded here by the WHATWG rules,
 * which also turn every spelling of an IPv4 address (decimal, octal, hex, short) into dotted form.
 * @throws AppError INVALID_URL_ERROR
 */
export function parseLink(text: string): URL {
  const trimmed = text.trim();
  if (trimmed.length > MAX_LENGTH) throw invalid(`The link has ${trimmed.length} characters; at most ${MAX_LENGTH} are accepted.`);
  // The parser would also take "http:host", "http:/host" and "http:///host", which no one means by a link.
  if (!/^https?:\/\/[^/\\?#]/i.test(trimmed)) throw invalid('The link is not an absolute http or https address.');
  let url: URL;
  try {
    url = new URL(trimmed);
  } catch (error) {
    throw invalid('The link is no well-formed address.', error);
  }
  if (url.username !== '' || url.password !== '') throw invalid('The link carries a user name or password, which is not accepted.');
  url.hash = '';
  return url;
}

/** A link that cannot be used. The message is public: it must not tell what an address resolved to. */
export function invalid(message: string, cause?: unknown): AppError {
  return new AppError('INVALID_URL_ERROR', message, cause === undefined ? {} : { cause });
}
