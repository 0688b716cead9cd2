/** RFC 9110 tokens only: anything else in a step's name would end the header's grammar. */
const TOKEN = /^[A-Za-z0-9_-]{1,32}$/;

/** The `Server-Timing` header: milliseconds by name. */
export function serverTiming(durations: Readonly<Record<string, number>>): string {
  return Object.entries(durations)
    .filter(([name, milliseconds]) => TOKEN.test(name) && Number.isFinite(milliseconds))
    .map(([name, milliseconds]) => `${name};dur=${milliseconds.toFixed(1)}`)
    .join(', ');
}

/** Sums step timings over several pictures. */
export function sumTimings(all: readonly Readonly<Record<string, number>>[]): Record<string, number> {
  const sums: Record<string, number> = {};
  for (const timings of all) {
    for (const [name, milliseconds] of Object.entries(timings)) sums[name] = (sums[name] ?? 0) + milliseconds;
  }
  return sums;
}
