/** The program of a lane: sessions of its own, and tiles of whatever picture it is given. */
import { parentPort, workerData } from 'node:worker_threads';
import { type FineStructure, fineStructureOf } from '../imaging/fine-structure.ts';
import { toPlainError } from '../plain-error.ts';
import type { LaneReply, LaneRequest } from './lane.ts';
import { type Network, openNetwork, type SessionOptions } from './session.ts';
import { doTiles } from './tile-work.ts';

const options = workerData as SessionOptions;
const networks = new Map<string, Network>();

parentPort?.on('message', (request: LaneRequest) => {
  obey(request).then(
    (seen) => reply({ id: request.id, ...(seen ? { seen } : {}) }),
    (error) => reply({ id: request.id, error: toPlainError(error) }),
  );
});

async function obey(request: LaneRequest): Promise<FineStructure | undefined> {
  switch (request.type) {
    case 'open':
      if (!networks.has(request.key)) networks.set(request.key, await openNetwork(request.entry, request.file, options));
      return undefined;
    case 'tiles':
      await doTiles(networks.get(request.key) as Network, request.work);
      return undefined;
    case 'look':
      return fineStructureOf(request.picture.rgb, request.picture.width, request.picture.height);
    case 'close':
      for (const network of networks.values()) await network.close();
      // Nothing else holds this thread: it ends by itself, between two runs.
      parentPort?.unref();
      return undefined;
  }
}

function reply(message: LaneReply): void {
  parentPort?.postMessage(message);
}
