/** What a client asks for with `Prefer` (RFC 7240). */
export interface Preference {
  readonly respondAsync: boolean;
  /** Seconds the client is willing to wait; past them it wants a 202. */
  readonly wait: number | undefined;
}

/** Reads `Prefer`; unknown or malformed preferences are ignored, as the RFC asks. */
export function readPrefer(header: string | readonly string[] | undefined): Preference {
  const text = typeof header === 'string' ? header : (header ?? []).join(',');
  let respondAsync = false;
  let wait: number | undefined;
  for (const part of text.split(',')) {
    const [name = '', value = ''] = (part.split(';', 1)[0] ?? '').split('=', 2).map((word) => word.trim().toLowerCase());
    if (name === 'respond-async') respondAsync = true;
    // The first of several wins (RFC 7240 §2).
    if (name === 'wait' && /^"?\d{1,6}"?$/.test(value)) wait ??= Number(value.replaceAll('"', ''));
  }
  return { respondAsync, wait };
}
