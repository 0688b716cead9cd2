import { createHash } from 'node:crypto';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { createLanes } from '../../src/inference/lanes.ts';
import { openNetwork } from '../../src/inference/session.ts';
import { contradiction, type Manifest, type NetworkFile } from '../../src/models/manifest.ts';
import { createRegistry } from '../../src/models/registry.ts';
import { onnx } from '../support/onnx.ts';

const SIDE = 512;
const shape = [1, SIDE, SIDE, 3];
/** Twice the second picture minus the first: neither alone, and not the same the other way round. */
const network = onnx({
  // The second first: which is which follows from the names, not from the order.
  inputs: [
    { name: 'shown', type: 'uint8', shape },
    { name: 'face', type: 'uint8', shape },
  ],
  outputs: [{ name: 'restored', type: 'uint8', shape }],
  nodes: [
    { operator: 'Cast', inputs: ['face'], output: 'a', attributes: { to: 1 } },
    { operator: 'Cast', inputs: ['shown'], output: 'b', attributes: { to: 1 } },
    { operator: 'Sub', inputs: ['b', 'a'], output: 'more' },
    { operator: 'Add', inputs: ['b', 'more'], output: 'sum' },
    { operator: 'Cast', inputs: ['sum'], output: 'restored', attributes: { to: 2 } },
  ],
});
const manifest: Manifest = {
  name: 'two-views',
  version: '1',
  task: 'face',
  networks: [{ file: 'face.onnx', sha256: createHash('sha256').update(network).digest('hex'), when: 'any', conditions: [] }],
  description: 'test',
  input: { layout: 'NHWC', type: 'uint8', channels: 'RGB', name: 'face' },
  beside: 'shown',
  scale: 1,
  tile: { multiple: 16, halo: 0, max: SIDE, size: SIDE },
  cost: { parameters: 0 },
  licence: { weights: 'MIT', data: {} },
  training: {},
};

let dir: string;
beforeAll(() => {
  dir = mkdtempSync(join(tmpdir(), 'mingxi-beside-'));
  mkdirSync(join(dir, manifest.name));
  writeFileSync(join(dir, manifest.name, 'face.onnx'), network);
  writeFileSync(join(dir, manifest.name, 'manifest.json'), JSON.stringify(manifest));
});
afterAll(() => rmSync(dir, { recursive: true }));

it.each([0, 1, 2, 5])(
  'a network of two views gets each under its name; one view stands for both (lanes for %i threads)',
  async (threads) => {
    const entry = createRegistry({ shippedDir: dir }).forFaces('face', manifest.name);
    if (!entry) throw new Error('expected the model to be found');
    const file = manifest.networks[0] as NetworkFile;
    const lanes = threads > 0 ? createLanes({ threads, provider: 'cpu' }) : undefined;
    const opened = lanes ? await lanes.openAside(entry, file) : await openNetwork(entry, file, { threads: 1, provider: 'cpu' });
    expect(opened).toMatchObject({ conditions: [], precision: 'fp32', scale: 1 });
    const [face, shown] = [new Uint8Array(SIDE * SIDE * 3).fill(40), new Uint8Array(SIDE * SIDE * 3).map((_, i) => 60 + (i % 70))];
    const restored = await opened.run(face, SIDE, SIDE, new Float32Array(), shown);
    expect(restored.every((value, i) => value === 2 * (60 + (i % 70)) - 40)).toBe(true);
    expect((await opened.run(face, SIDE, SIDE, new Float32Array())).every((value) => value === 40)).toBe(true);
    await (lanes ?? opened).close();
  },
);

it('a second view is for faces, and is not the first', () => {
  expect(contradiction(manifest)).toBeUndefined();
  expect(contradiction({ ...manifest, task: 'restore' })).toMatch(/^beside: expected none with the task restore, received shown$/);
  expect(contradiction({ ...manifest, beside: 'face' })).toMatch(/^beside: expected another input than face, received face$/);
});
