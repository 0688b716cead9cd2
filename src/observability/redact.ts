const HIDDEN = '***';
const MAX_DEPTH = 8;
const MAX_TEXT = 4000;

/** Names whose values are never written, whatever their case and separators. */
const SECRET_NAMES = new Set([
  'apikey',
  'apisecret',
  'xapikey',
  'xapisecret',
  'authorization',
  'proxyauthorization',
  'cookie',
  'setcookie',
  'secret',
  'password',
  'serverkey',
  'mediadata',
  'accesskey',
  'secretkey',
]);

const PARAMETERS = /\b(api_?key|api_?secret|signature|token|x-api-key|x-api-secret)(=|%3D|"?\s*:\s*"?)[^&\s"',}]+/gi;
const BEARER = /\b(Bearer|Basic)\s+[A-Za-z0-9+/_.=-]{8,}/gi;
const LINK_CREDENTIALS = /\b([a-z][a-z0-9+.-]*:\/\/)[^/\s@]+@/gi;

/** A text without credentials: query parameters, header values and user names in links. */
export function redactText(text: string): string {
  const short = text.length > MAX_TEXT ? `${text.slice(0, MAX_TEXT)}… (${text.length} characters)` : text;
  return short.replace(PARAMETERS, `$1$2${HIDDEN}`).replace(BEARER, `$1 ${HIDDEN}`).replace(LINK_CREDENTIALS, `$1${HIDDEN}@`);
}

/**
 * A copy of a log record without secrets: values under secret names at any depth, credentials
 * inside texts, picture bytes. Errors become plain objects with their cause.
 */
export function redact(value: unknown, depth = 0): unknown {
  if (typeof value === 'string') return redactText(value);
  if (value === null || typeof value !== 'object') return value;
  if (depth > MAX_DEPTH) return '…';
  if (ArrayBuffer.isView(value)) return `(${value.byteLength} bytes)`;
  if (value instanceof Date || value instanceof URL) return redactText(String(value));
  if (value instanceof Error) return redactError(value, depth);
  if (Array.isArray(value)) return value.slice(0, 100).map((item) => redact(item, depth + 1));
  return Object.fromEntries(Object.entries(value).map(([name, inner]) => [name, isSecretName(name) ? HIDDEN : redact(inner, depth + 1)]));
}

function isSecretName(name: string): boolean {
  return SECRET_NAMES.has(name.toLowerCase().replace(/[-_]/g, ''));
}

function redactError(error: Error, depth: number): unknown {
  const own = redact({ ...error }, depth + 1) as object;
  return {
    type: error.name,
    message: redactText(error.message),
    stack: redactText(error.stack ?? ''),
    ...own,
    ...(error.cause === undefined ? {} : { cause: redact(error.cause, depth + 1) }),
  };
}
