import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';

/**
 * What happens to a connection: bytes are passed on; new connections are refused and old ones reset;
 * nothing is passed on in either direction, but kept for later; bytes arrive late.
 */
export type LinkState = 'open' | 'refused' | 'held' | 'slow';

/** A TCP way to a server that can be cut. */
export interface FaultProxy {
  readonly host: string;
  readonly port: number;
  /** Connections that are open through it. */
  readonly connections: number;
  /** From now on, for old and new connections. */
  set(state: LinkState): void;
  /** Breaks the connections that are open with a reset; new ones are as before. */
  reset(): void;
  /** The connections that are open never say anything again, not even that they are over; new ones are as before. */
  lose(): void;
  close(): Promise<void>;
}

/** Each piece of data is this much late when the way is slow, ms. */
const DELAY = 150;

interface Pair {
  readonly near: Socket;
  readonly far: Socket;
  /** Sends what is due. */
  readonly pump: () => void;
}

/** A TCP proxy on a free port of `host` to the server at `target`. */
export async function faultProxy(target: { readonly host: string; readonly port: number }, host = '127.0.0.1'): Promise<FaultProxy> {
  let state: LinkState = 'open';
  const pairs = new Set<Pair>();
  const lost = new Set<Socket>();

  const join = (near: Socket) => {
    const far = connect(target.port, target.host);
    const waiting: { readonly due: number; readonly run: () => void }[] = [];
    let timer: NodeJS.Timeout | undefined;
    const pump = () => {
      clearTimeout(timer);
      while (waiting[0] && state !== 'held' && pairs.has(pair)) {
        const early = waiting[0].due - performance.now();
        if (early > 0) {
          timer = setTimeout(pump, Math.ceil(early));
          return;
        }
        waiting.shift()?.run();
      }
    };
    const pair: Pair = { near, far, pump };
    pairs.add(pair);
    // Everything of a connection passes one line, so that nothing overtakes when the state changes.
    const act = (run: () => void) => {
      waiting.push({ due: performance.now() + (state === 'slow' ? DELAY : 0), run });
      pump();
    };
    for (const [from, to] of [
      [near, far],
      [far, near],
    ] as const) {
      from.setNoDelay(true);
      from.on('data', (chunk) => act(() => to.write(chunk)));
      from.on('end', () => act(() => to.end()));
      from.on('error', () => act(() => to.resetAndDestroy()));
      from.on('close', () => {
        lost.delete(from);
        if (near.destroyed && far.destroyed) pairs.delete(pair);
      });
    }
  };
  const breakAll = () => {
    for (const { near, far } of pairs) {
      near.resetAndDestroy();
      far.destroy();
    }
    pairs.clear();
  };

  const server = createServer({ allowHalfOpen: true }, (near) => {
    if (state === 'refused') near.resetAndDestroy();
    else join(near);
  }).listen(0, host);
  await once(server, 'listening');
  return {
    host,
    port: (server.address() as AddressInfo).port,
    get connections() {
      return pairs.size;
    },
    set(next) {
      state = next;
      if (state === 'refused') breakAll();
      for (const pair of pairs) pair.pump();
    },
    reset: breakAll,
    lose() {
      for (const { near, far } of pairs) {
        // The server behind notices at once; who is in front hears nothing.
        far.destroy();
        near.removeAllListeners('data').on('data', () => {});
        lost.add(near);
      }
      pairs.clear();
    },
    async close() {
      breakAll();
      for (const socket of lost) socket.destroy();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
