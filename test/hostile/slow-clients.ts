import { connect } from 'node:net';

/** What they did to us and we to them. */
export interface Slowness {
  opened: number;
  closedByServer: number;
  /** Longest life of one connection, milliseconds; of those that read, for the others do not notice their end. */
  longest: number;
}

const PACE = 5000;

/** How a connection wastes the server's time: what it says first, what it then adds every five seconds, whether it reads. */
const MANNERS: readonly { readonly first: (query: string) => string; readonly drop: string; readonly reads: boolean }[] = [
  { first: () => '', drop: '', reads: true },
  { first: () => 'POST /v1/aiquality HTTP/1.1\r\nHost: x\r\n', drop: 'X-A: b\r\n', reads: true },
  { first: () => 'GET /livez HTTP/1.1\r\nHost: ', drop: 'x', reads: true },
  { first: (query) => `POST /v1/aiquality?${query} HTTP/1.1\r\nHost: x\r\nContent-Length: 60000000\r\n\r\n{`, drop: ' ', reads: true },
  {
    first: (query) => `POST /v2/restore?${query} HTTP/1.1\r\nHost: x\r\nContent-Type: image/png\r\nTransfer-Encoding: chunked\r\n\r\n`,
    drop: '1\r\na\r\n',
    reads: true,
  },
  { first: () => 'GET /openapi.json HTTP/1.1\r\nHost: x\r\n\r\n'.repeat(20), drop: '', reads: false },
];

/** Keeps so many slow connections open at once; those that the server ends come back. */
export function slowClients(count: number, url: string, query: string): { readonly seen: Slowness; stop(): void } {
  const { hostname, port } = new URL(url);
  const seen: Slowness = { opened: 0, closedByServer: 0, longest: 0 };
  const open = new Set<() => void>();
  let over = false;
  const start = (turn: number) => {
    const manner = MANNERS[turn % MANNERS.length];
    if (over || !manner) return;
    const socket = connect(Number(port), hostname);
    const began = performance.now();
    seen.opened++;
    const timer = setInterval(() => {
      if (manner.drop !== '') socket.write(manner.drop);
      if (manner.reads) seen.longest = Math.max(seen.longest, performance.now() - began);
    }, PACE);
    const end = () => {
      clearInterval(timer);
      socket.destroy();
      open.delete(end);
    };
    open.add(end);
    socket.on('error', () => undefined);
    socket.once('connect', () => socket.write(manner.first(query)));
    if (manner.reads) socket.resume();
    socket.once('close', () => {
      if (!open.has(end)) return;
      seen.closedByServer++;
      end();
      setTimeout(start, 1000, turn).unref();
    });
  };
  for (let i = 0; i < count; i++) start(i);
  return {
    seen,
    stop: () => {
      over = true;
      for (const end of [...open]) end();
    },
  };
}
