/** The program of a lane: sessions of its own, and tiles of whatever picture it is given. */
import { parentPort, workerData } from 'node:worker_threads';
import { fineStructureOf } from '../imaging/fine-structure.ts';
import { toPlainError } from '../plain-error.ts';
import type { LaneAnswer, LaneReply, LaneRequest } from './lane.ts';
import { type Network, openNetwork, type SessionOptions } from './session.ts';
import { doTiles } from './tile-work.ts';

const options = workerData as SessionOptions;
const networks = new Map<string, Network>();

parentPort?.on('message', (request: LaneRequest) => {
  obey(request).then(
    (answer) => reply({ id: request.id, ...answer }),
    (error) => reply({ id: request.id, error: toPlainError(error) }),
  );
});

async function obey(request: LaneRequest): Promise<LaneAnswer> {
  switch (request.type) {
    case 'open': {
      const { key, entry, file, threads = options.threads } = request;
      if (!networks.has(key)) networks.set(key, await openNetwork(entry, file, { ...options, threads }));
      return {};
    }
    case 'tiles':
      await doTiles(networks.get(request.key) as Network, request.work);
      return {};
    case 'run': {
      const { rgb, width, height } = request.picture;
      const network = networks.get(request.key) as Network;
      return { pixels: await network.run(rgb, width, height, request.conditions, request.beside) };
    }
    case 'look':
      return { seen: fineStructureOf(request.picture.rgb, request.picture.width, request.picture.height) };
    case 'close':
      for (const network of networks.values()) await network.close();
      // Nothing else holds this thread: it ends by itself, between two runs.
      parentPort?.unref();
      return {};
  }
}

function reply(message: LaneReply): void {
  parentPort?.postMessage(message);
}
