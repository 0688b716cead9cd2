import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';

/** A way to PostgreSQL that can lose the answers to commits. */
export interface CommitCutter {
  readonly port: number;
  /** The next so many commits are done by the server, and their connections are lost before anyone hears of it. */
  cut(times: number): void;
  /** Commits that were cut. */
  readonly done: number;
  close(): Promise<void>;
}

/** Reads the driver's messages as they pass: a commit is the simple query `commit` (protocol 3, message Q). */
export async function commitCutter(target: { readonly host: string; readonly port: number }): Promise<CommitCutter> {
  let planned = 0;
  let done = 0;
  const sockets = new Set<Socket>();
  const server = createServer((near) => {
    const far = connect(target.port, target.host);
    let isCutting = false;
    for (const socket of [near, far]) {
      sockets.add(socket);
      socket.on('error', () => {});
      socket.on('close', () => {
        sockets.delete(socket);
        near.destroy();
        far.destroy();
      });
    }
    near.on('data', (chunk) => {
      if (planned > 0 && chunk.includes('commit\0')) {
        planned--;
        isCutting = true;
      }
      far.write(chunk);
    });
    far.on('data', (chunk) => {
      if (!isCutting) return near.write(chunk);
      done++;
      near.destroy();
    });
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    port: (server.address() as AddressInfo).port,
    get done() {
      return done;
    },
    cut: (times) => {
      planned = times;
    },
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        for (const socket of sockets) socket.destroy();
      }),
  };
}
