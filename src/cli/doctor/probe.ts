/** What was found of one thing that the processes of a service share, or could. */
export interface Probe {
  readonly part: 'database' | 'queue' | 'storage' | 'rate limits';
  /** What it is, e.g. `PostgreSQL`. */
  readonly kind: string;
  /** Where it is, without credentials. */
  readonly place: string;
  /** Whether processes on several machines can use it together. */
  readonly shared: boolean;
  readonly reachable: boolean;
  readonly version?: string;
  /** Milliseconds of the answer. */
  readonly milliseconds?: number;
  /** Milliseconds by which its clock is ahead of this machine's. */
  readonly skew?: number;
  /** What else is known, in words. */
  readonly details: readonly string[];
  /** Works, but perhaps not as meant. */
  readonly notes: readonly string[];
  /** What must be put right. */
  readonly problems: readonly string[];
}

/** An answer with the time it took and, where the other side told its time, how far that is ahead of ours. */
export interface Timed<T> {
  readonly value: T;
  readonly milliseconds: number;
  /** @param theirs milliseconds since 1970 as the other side had them when it answered */
  skewOf(theirs: number): number;
}

/** The other side's clock is taken to have been read half way through the exchange. */
export async function timed<T>(ask: () => Promise<T>): Promise<Timed<T>> {
  const began = Date.now();
  const start = performance.now();
  const value = await ask();
  const milliseconds = performance.now() - start;
  return { value, milliseconds, skewOf: (theirs) => Math.round(theirs - (began + milliseconds / 2)) };
}

/** Host and port of a URL, which may hold a password. */
export function placeOf(url: string): string {
  return URL.canParse(url) ? new URL(url).host : 'a URL that cannot be read';
}

/** Why something cannot be used, in one line and without the URL. */
export function reasonOf(error: unknown): string {
  const first = error instanceof AggregateError ? error.errors[0] : error;
  const { code, message, cause } = (first ?? {}) as { code?: unknown; message?: string; cause?: unknown };
  if (typeof code === 'string' && code !== '') return code;
  if (cause !== undefined) return reasonOf(cause);
  return message?.split('\n')[0] || 'it does not answer';
}

/** One line of what was found. */
export function describeProbe({ kind, version, place, reachable, milliseconds, skew, details }: Probe): string {
  const facts = [
    reachable ? '' : 'NOT USABLE',
    milliseconds === undefined ? '' : `${milliseconds.toFixed(1)} ms`,
    skew === undefined ? '' : `clock ${skew < 0 ? '' : '+'}${skew} ms`,
    ...details,
  ];
  return `${kind}${version === undefined ? '' : ` ${version}`} at ${place}: ${facts.filter((fact) => fact !== '').join('; ')}`;
}
