import { cpSync, existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { findPrecision, precisionFor } from '../../src/inference/precision.ts';
import { openNetwork } from '../../src/inference/session.ts';
import { createRegistry, type ModelEntry, networkFor, shippedModelsDir } from '../../src/models/registry.ts';

const shipped = createRegistry({ shippedDir: shippedModelsDir() }).get('general');

let dir: string;
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'mingxi-precision-'));
});
afterEach(() => rmSync(dir, { recursive: true, force: true }));

/** The shipped model as an imported one would be: without 8-bit networks. */
function withoutInt8(): ModelEntry {
  cpSync(shipped.dir, join(dir, 'plain'), { recursive: true });
  const manifest = {
    ...shipped.manifest,
    name: 'plain',
    networks: shipped.manifest.networks.filter((network) => network.precision !== 'int8'),
  };
  writeFileSync(join(dir, 'plain', 'manifest.json'), JSON.stringify(manifest));
  return createRegistry({ shippedDir: dir }).get('plain');
}

const findings = () => readdirSync(dir).filter((file) => file.startsWith('precision-'));

describe('precision of a model on this machine', () => {
  it('is what was asked for, where the model has it', async () => {
    expect(await precisionFor(shipped, { wish: 'fp32', provider: 'cpu' })).toBe('fp32');
    expect(await precisionFor(shipped, { wish: 'int8', provider: 'cpu' })).toBe('int8');
  });

  it.each(['auto', 'int8'] as const)('%s is fp32 for a model without 8-bit networks', async (wish) => {
    const entry = withoutInt8();
    const precision = await precisionFor(entry, { wish, provider: 'cpu', dir });
    expect(precision).toBe('fp32');
    expect(networkFor(entry, 'noise', 'int8').file).toBe('noise.onnx');
    expect(findings()).toEqual([]);
  });

  it('auto is fp32 on other providers, which are built for it', async () => {
    expect(await precisionFor(shipped, { wish: 'auto', provider: 'cuda', dir })).toBe('fp32');
    expect(findings()).toEqual([]);
  });

  it('auto measures both, keeps the finding, and several at once agree', async () => {
    const wishes = [0, 1].map(() => precisionFor(shipped, { wish: 'auto', provider: 'cpu', dir }));
    const [first, second] = await Promise.all(wishes);
    expect(second).toBe(first);
    const files = findings();
    expect(files).toHaveLength(1);
    const found = JSON.parse(readFileSync(join(dir, files[0] as string), 'utf8'));
    expect(found).toMatchObject({ precision: first, speedup: expect.any(Number) });
    // The rule itself: faster by a quarter at least, and the same picture but for rounding.
    expect(found.precision).toBe(found.speedup >= 1.25 && found.difference <= 6 ? 'int8' : 'fp32');
    expect(found.difference).toBeGreaterThan(0);
    expect(found.difference).toBeLessThan(3);
  });

  it('a kept finding decides without a measurement; a damaged one is made anew', async () => {
    await findPrecision(shipped, dir);
    const file = join(dir, findings()[0] as string);
    writeFileSync(file, JSON.stringify({ precision: 'fp32', speedup: 0.5, difference: 1 }));
    expect(await findPrecision(shipped, dir)).toEqual({ precision: 'fp32', speedup: 0.5, difference: 1 });
    writeFileSync(file, '{"precision":');
    const again = await findPrecision(shipped, dir);
    expect(again.speedup).not.toBe(0.5);
    expect(JSON.parse(readFileSync(file, 'utf8'))).toEqual(again);
  });

  it('a folder that is not there is not made', async () => {
    const absent = join(dir, 'absent');
    expect((await findPrecision(shipped, absent)).speedup).toBeGreaterThan(0);
    expect(existsSync(absent)).toBe(false);
  });
});

describe('an 8-bit network', () => {
  it('gives the same bytes in every run and every session', async () => {
    const picture = Uint8Array.from({ length: 128 * 96 * 3 }, (_, i) => (i * 37 + ((i * i) >> 7)) & 255);
    const results: Buffer[] = [];
    for (let i = 0; i < 2; i++) {
      const network = await openNetwork(shipped, networkFor(shipped, 'noise', 'int8'), { threads: 1 + i, provider: 'cpu' });
      expect(network.precision).toBe('int8');
      for (let j = 0; j < 2; j++) results.push(Buffer.from(await network.run(picture, 128, 96, Float32Array.of(0.2, 0.2, 0.3, 0.3))));
      await network.close();
    }
    for (const result of results) expect(result.equals(results[0] as Buffer)).toBe(true);
  });
});
