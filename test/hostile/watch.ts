import { readFileSync } from 'node:fs';
import { childrenOf } from '../e2e/server-process.ts';

const KB = 1024;

/** What was seen of the processes and the health of a service while it was attacked. Bytes, milliseconds. */
export interface Sightings {
  /** Most resident memory of the server, and of any one child. */
  serverPeak: number;
  childPeak: number;
  /** Resident memory of the server, every ten seconds. */
  readonly serverOverTime: number[];
  /** Different children seen. */
  children: number;
  /** Longest time `/livez` took, and how often it did not answer at all. */
  slowestLife: number;
  deaf: number;
}

/** Looks at a server four times a second and asks for a sign of life once; Linux only. */
export function watch(pid: number, url: string): { readonly seen: Sightings; stop(): void } {
  const seen: Sightings = { serverPeak: 0, childPeak: 0, serverOverTime: [], children: 0, slowestLife: 0, deaf: 0 };
  const pids = new Set<number>();
  let turn = 0;
  const timer = setInterval(() => {
    const server = memoryOf(pid);
    seen.serverPeak = Math.max(seen.serverPeak, server.peak);
    if (turn % 40 === 0) seen.serverOverTime.push(server.now);
    for (const child of childrenOf(pid)) {
      pids.add(child);
      seen.childPeak = Math.max(seen.childPeak, memoryOf(child).peak);
    }
    seen.children = pids.size;
    if (turn++ % 4 === 0) void askForLife(url, seen);
  }, 250);
  return { seen, stop: () => clearInterval(timer) };
}

async function askForLife(url: string, seen: Sightings): Promise<void> {
  const began = performance.now();
  try {
    const answer = await fetch(`${url}/livez`, { signal: AbortSignal.timeout(30_000) });
    if (answer.status !== 200) seen.deaf++;
    await answer.arrayBuffer();
  } catch {
    seen.deaf++;
  }
  seen.slowestLife = Math.max(seen.slowestLife, performance.now() - began);
}

function memoryOf(pid: number): { now: number; peak: number } {
  try {
    const status = readFileSync(`/proc/${pid}/status`, 'utf8');
    const of = (name: string) => Number(new RegExp(`^${name}:\\s+(\\d+)`, 'm').exec(status)?.[1] ?? 0) * KB;
    return { now: of('VmRSS'), peak: of('VmHWM') };
  } catch {
    return { now: 0, peak: 0 };
  }
}
