import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { checkNetwork } from '../../src/inference/check/check-network.ts';
import type { Draft } from '../../src/models/draft.ts';
import { importModel } from '../../src/models/import.ts';
import type { Manifest } from '../../src/models/manifest.ts';

/** Registers a generated network as `models add` does, but checks it in this process: we made it ourselves. */
export async function addTestModel(dir: string, name: string, network: Buffer, draft: Draft): Promise<Manifest> {
  mkdirSync(dir, { recursive: true });
  const file = join(dir, `${name}.onnx`);
  writeFileSync(file, network);
  return importModel({ file, name, draft, dir, shipped: [], maxBytes: 1e8, check: () => checkNetwork(network, draft) });
}
