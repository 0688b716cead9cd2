/** The program of a lane: sessions of its own, and tiles of whatever picture it is given. */
import { parentPort, workerData } from 'node:worker_threads';
import { toPlainError } from '../plain-error.ts';
import type { LaneReply, LaneRequest } from './lane.ts';
import { type Network, openNetwork, type SessionOptions } from './session.ts';
import { doTiles } from './tile-work.ts';

const options = workerData as SessionOptions;
const networks = new Map<string, Network>();

parentPort?.on('message', (request: LaneRequest) => {
  obey(request).then(
    () => reply({ id: request.id }),
    (error) => reply({ id: request.id, error: toPlainError(error) }),
  );
});

async function obey(request: LaneRequest): Promise<void> {
  switch (request.type) {
    case 'open':
      if (!networks.has(request.key)) networks.set(request.key, await openNetwork(request.entry, request.file, options));
      return;
    case 'tiles':
      return doTiles(networks.get(request.key) as Network, request.work);
    case 'close':
      for (const network of networks.values()) await network.close();
      // Nothing else holds this thread: it ends by itself, between two runs.
      parentPort?.unref();
  }
}

function reply(message: LaneReply): void {
  parentPort?.postMessage(message);
}
