import { createHash } from 'node:crypto';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
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

/** Puts a refiner beside a registered detector, as the shipped one has it. */
export function addTestRefiner(dir: string, name: string, network: Buffer): void {
  const manifest = join(dir, name, 'manifest.json');
  const refiner = { file: 'refiner.onnx', sha256: createHash('sha256').update(network).digest('hex') };
  writeFileSync(join(dir, name, refiner.file), network);
  writeFileSync(manifest, JSON.stringify({ ...JSON.parse(readFileSync(manifest, 'utf8')), refiner }));
}
