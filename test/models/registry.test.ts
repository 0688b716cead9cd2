import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createRegistry, networkFor, readVerified, shippedModelsDir } from '../../src/models/registry.ts';

let dir: string;
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'mingxi-models-'));
});
afterEach(() => rmSync(dir, { recursive: true, force: true }));

const copyOfGeneral = (name: string) => {
  cpSync(join(shippedModelsDir(), 'general'), join(dir, name), { recursive: true });
  return join(dir, name, 'manifest.json');
};

describe('shipped models', () => {
  const registry = createRegistry({ shippedDir: shippedModelsDir() });

  it('are there, with checksums that hold', () => {
    expect(registry.list().map((entry) => entry.manifest.name)).toContain('general');
    for (const result of registry.verify()) expect(result).toEqual({ name: result.name, ok: true });
  });

  it('name the licence of their weights and of every training source', () => {
    for (const { manifest } of registry.list()) {
      expect(manifest.licence.weights).not.toBe('');
      expect(Object.keys(manifest.licence.data).length).toBeGreaterThan(0);
    }
  });

  it('have a card with figures', () => {
    expect(registry.card('general')).toMatch(/live1-jpeg/);
  });

  it('choose the network by what the picture suffers from', () => {
    const entry = registry.get('general');
    expect(networkFor(entry, 'compression').when).toBe('compression');
    expect(networkFor(entry, 'noise').when).toBe('noise');
  });

  it('an unknown name is refused with the names there are', () => {
    expect(() => registry.get('nonesuch')).toThrow(/general/);
  });
});

describe('models that use the networks of another', () => {
  const derived = (own: Record<string, unknown>) => {
    mkdirSync(join(dir, 'mine'));
    const manifest = { name: 'mine', version: '1', derivedFrom: 'general', description: 'Twice.', forms: ['as-is', 'x'], ...own };
    writeFileSync(join(dir, 'mine', 'manifest.json'), JSON.stringify(manifest));
    return createRegistry({ shippedDir: dir });
  };

  it('have its files, licences and tiles, and the compute of all forms', () => {
    copyOfGeneral('general');
    const registry = derived({});
    const [base, mine] = [registry.get('general'), registry.get('mine')];
    expect(mine.base).toBe(base);
    expect(mine.manifest).toMatchObject({ ...base.manifest, name: 'mine', version: '1', description: 'Twice.', cost: expect.anything() });
    expect(mine.manifest.cost.gmacPerMegapixel).toBe(2 * (base.manifest.cost.gmacPerMegapixel ?? 0));
    expect(registry.verify()).toEqual([
      { name: 'general', ok: true },
      { name: 'mine', ok: true },
    ]);
  });

  it('are damaged when it is', () => {
    copyOfGeneral('general');
    writeFileSync(join(dir, 'general', 'noise.onnx'), 'not a network');
    expect(derived({}).verify()).toContainEqual({ name: 'mine', ok: false, problem: expect.stringContaining('noise.onnx') });
  });

  it.each<[string, Record<string, unknown>, RegExp]>([
    ['of a model that is not there', { derivedFrom: 'nonesuch' }, /derivedFrom: there is no model nonesuch/],
    ['of itself', { derivedFrom: 'mine' }, /derivedFrom: there is no model mine/],
    ['in a form that there is not', { forms: ['upside-down'] }, /manifest\.json/],
    ['in one form twice', { forms: ['x', 'x'] }, /manifest\.json/],
    ['in no form', { forms: [] }, /manifest\.json/],
  ])('%s: reported and never listed', (_, own, problem) => {
    copyOfGeneral('general');
    const registry = derived(own);
    expect(registry.list().map((entry) => entry.manifest.name)).toEqual(['general']);
    expect(registry.verify()).toContainEqual({ name: 'mine', ok: false, problem: expect.stringMatching(problem) });
  });

  it('are the tiers of the model they name', () => {
    copyOfGeneral('general');
    const registry = derived({ tier: { of: 'general', level: 'best' } });
    expect(registry.tiers(registry.get('general'))).toEqual({ best: registry.get('mine') });
    expect(registry.tiers(registry.get('mine'))).toEqual({});
  });
});

describe('damaged models', () => {
  it('a changed file is refused by its checksum, and verify says so', () => {
    copyOfGeneral('general');
    writeFileSync(join(dir, 'general', 'noise.onnx'), 'not a network');
    const registry = createRegistry({ shippedDir: dir });
    expect(registry.verify()).toEqual([{ name: 'general', ok: false, problem: expect.stringContaining('noise.onnx') }]);
    const entry = registry.get('general');
    expect(() => readVerified(entry, networkFor(entry, 'noise'))).toThrow(/checksum/);
    expect(readVerified(entry, networkFor(entry, 'compression')).length).toBeGreaterThan(1e5);
  });

  it.each<[string, (manifest: Record<string, unknown>) => unknown]>([
    ['no JSON', () => '{'],
    ['a path outside its folder', (m) => ({ ...m, networks: [{ file: '../general/noise.onnx', sha256: '0'.repeat(64), when: 'any' }] })],
    ['no networks', (m) => ({ ...m, networks: [] })],
    ['a name that is no name', (m) => ({ ...m, name: '../x' })],
  ])('a manifest with %s is reported and never listed', (_, change) => {
    const file = copyOfGeneral('broken');
    const changed = change(JSON.parse(readFileSync(file, 'utf8')));
    writeFileSync(file, typeof changed === 'string' ? changed : JSON.stringify(changed));
    const registry = createRegistry({ shippedDir: dir });
    expect(registry.list()).toEqual([]);
    expect(registry.verify()).toEqual([{ name: 'broken', ok: false, problem: expect.stringContaining('manifest.json') }]);
  });

  it('folders without a manifest and a missing folder are no models', () => {
    mkdirSync(join(dir, 'empty'));
    expect(createRegistry({ shippedDir: dir, importedDir: join(dir, 'absent') }).list()).toEqual([]);
  });
});
