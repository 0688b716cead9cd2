import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { fields, integers } from '../../src/models/onnx/wire.ts';
import { createRegistry, shippedModelsDir } from '../../src/models/registry.ts';

const files = createRegistry({ shippedDir: shippedModelsDir() })
  .list()
  .flatMap(({ dir, manifest }) => manifest.networks.filter((network) => network.precision === 'int8').map(({ file }) => join(dir, file)))
  // A model that is derived from another has no files of its own.
  .filter(existsSync);

/** TensorProto: dims 1, data_type 2 (3 is int8), raw_data 9. */
interface Weights {
  readonly dims: readonly number[];
  readonly values: Int8Array;
}

/** The int8 initialisers of four dimensions (output channel, input channel, row, column): the convolutions' weights. */
function weightsOf(file: string): Weights[] {
  const found: Weights[] = [];
  for (const model of fields(readFileSync(file))) {
    if (model.number !== 7) continue;
    for (const graph of fields(model.bytes)) {
      if (graph.number !== 5) continue;
      const dims: number[] = [];
      let type = 0;
      let values: Int8Array = new Int8Array(0);
      for (const part of fields(graph.bytes)) {
        if (part.number === 1) dims.push(...integers(part));
        if (part.number === 2) type = part.value;
        if (part.number === 9) values = new Int8Array(part.bytes.buffer, part.bytes.byteOffset, part.bytes.length);
      }
      if (type === 3 && dims.length === 4) found.push({ dims, values });
    }
  }
  return found;
}

/** The furthest that two weights of neighbouring input channels go in one direction, at one place of the kernel. */
function furthestPair({ dims, values }: Weights): number {
  const [outputs = 0, inputs = 0, rows = 0, columns = 0] = dims;
  const area = rows * columns;
  let furthest = 0;
  for (let output = 0; output < outputs; output++)
    for (let input = 0; input < inputs; input += 2)
      for (let place = 0; place < area; place++) {
        const a = values[(output * inputs + input) * area + place] ?? 0;
        const b = input + 1 < inputs ? (values[(output * inputs + input + 1) * area + place] ?? 0) : 0;
        furthest = Math.max(furthest, Math.max(a, 0) + Math.max(b, 0), Math.max(-a, 0) + Math.max(-b, 0));
      }
  return furthest;
}

// `vpmaddubsw`, which x86 without VNNI multiplies with, adds two neighbouring products to 16 bits and overflows silently.
describe('8-bit sums are the same on every processor', () => {
  it('the three networks of both tiers are looked at', () => expect(files).toHaveLength(6));

  it.each(files)('%s: no two products that are added first leave 16 bits', (file) => {
    const weights = weightsOf(file);
    expect(weights.length).toBeGreaterThan(8);
    for (const each of weights) {
      expect(each.values.length).toBe(each.dims.reduce((product, size) => product * size, 1));
      expect(each.dims.slice(1).reduce((product, size) => product * size, 1) % 2).toBe(0);
      expect(255 * furthestPair(each)).toBeLessThanOrEqual(32_767);
    }
  });
});
