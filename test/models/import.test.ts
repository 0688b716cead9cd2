import { mkdirSync, readdirSync, readFileSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeEach, describe, expect, it } from 'vitest';
import type { Completed } from '../../src/models/draft.ts';
import { type ImportOrder, importModel, nameFrom, removeModel } from '../../src/models/import.ts';
import { presetDraft } from '../../src/models/presets.ts';
import { createRegistry } from '../../src/models/registry.ts';
import { temporaryFolder } from '../support/temporary.ts';

let root: string;
let dir: string;
beforeEach(() => {
  root = temporaryFolder();
  dir = join(root, 'models');
  writeFileSync(join(root, 'mine.onnx'), 'any bytes: the check is not what is tested here');
});

const draft = presetDraft('scunet');
const completed: Completed = { input: draft.input, output: draft.input, scalars: [], tile: draft.tile, parameters: 7 };
const order = (changes: Partial<ImportOrder> = {}): ImportOrder => ({
  ...{ file: join(root, 'mine.onnx'), name: 'mine', draft, dir, shipped: ['general'], maxBytes: 1000 },
  check: async () => completed,
  ...changes,
});
const imported = () => createRegistry({ shippedDir: join(root, 'none'), importedDir: dir });

describe('importing', () => {
  it('registers a copy that no longer depends on the file', async () => {
    await importModel(order());
    writeFileSync(join(root, 'mine.onnx'), 'changed afterwards');
    expect(imported().verify()).toEqual([{ name: 'mine', ok: true }]);
    expect(imported().get('mine').manifest).toMatchObject({ cost: { parameters: 7 }, version: 'imported' });
  });

  it('checks the copy, and before it has a name', async () => {
    let seen = '';
    const check = async (copy: string) => {
      seen = readFileSync(copy, 'utf8');
      expect(imported().list()).toEqual([]);
      return completed;
    };
    await importModel(order({ check }));
    expect(seen).toMatch(/^any bytes/);
  });

  it('leaves nothing when the check fails or the caller gives up', async () => {
    const control = new AbortController();
    control.abort(new Error('enough'));
    await expect(importModel(order({ check: () => Promise.reject(new Error('no')) }))).rejects.toThrow('no');
    await expect(importModel(order({ signal: control.signal }))).rejects.toThrow();
    expect(readdirSync(dir)).toEqual([]);
  });

  it('a file as large as allowed is taken, one byte more is not', async () => {
    writeFileSync(join(root, 'mine.onnx'), Buffer.alloc(1000));
    await importModel(order());
    writeFileSync(join(root, 'mine.onnx'), Buffer.alloc(1001));
    await expect(importModel(order({ name: 'other' }))).rejects.toThrow(/1001 bytes; at most 1000/);
  });

  it('a folder is no file', async () => {
    await expect(importModel(order({ file: root }))).rejects.toThrow(/There is no file/);
  });

  it.each([
    ['Real-ESRGAN x4plus.onnx', 'real-esrgan-x4plus'],
    ['../weights/GFPGANv1.4.onnx', 'gfpganv1.4'],
    ['__x.onnx', 'x'],
    ['明晰.onnx', ''],
  ])('the name of %s is %j', (file, name) => {
    expect(nameFrom(file)).toBe(name);
  });
});

describe('what a killed process left', () => {
  const leftover = (name: string, ageMs: number) => {
    mkdirSync(join(dir, name, 'inner'), { recursive: true });
    writeFileSync(join(dir, name, 'manifest.json'), '{}');
    const then = (Date.now() - ageMs) / 1000;
    utimesSync(join(dir, name), then, then);
  };

  it('is never listed, goes with a later import when old, and stays when another may still work on it', async () => {
    leftover('.adding-old', 7_200_000);
    leftover('.removing-old', 7_200_000);
    leftover('.adding-new', 1000);
    expect(imported().verify()).toEqual([]);
    await importModel(order());
    expect(readdirSync(dir).sort()).toEqual(['.adding-new', 'mine']);
  });

  it('is not removed by its name', async () => {
    leftover('.adding-new', 1000);
    await expect(removeModel(dir, '.adding-new', [])).rejects.toThrow(/not among the imported models/);
  });
});

describe('manifests that contradict themselves are reported by verify, and not listed', () => {
  it.each<[string, object, RegExp]>([
    ['a halo that leaves nothing', { tile: { multiple: 8, halo: 200, max: 256 } }, /tile\.halo: expected at most 124/],
    ['a halo out of step', { tile: { multiple: 16, halo: 10, max: 256 } }, /tile\.halo: expected twice of it to be a multiple of 16/],
    ['a face network that enlarges', { task: 'face', scale: 2 }, /scale: expected 1 with the task face/],
    ['a face network without a side', { task: 'face' }, /tile\.size: expected/],
    [
      'a detector of no family',
      { task: 'face-detect', tile: { multiple: 1, halo: 0, max: 640, size: 640 } },
      /detector: expected mingxi, yunet or scrfd/,
    ],
    [
      'a detector out of step with its strides',
      { task: 'face-detect', detector: 'yunet', tile: { multiple: 8, halo: 0, max: 640 } },
      /tile\.multiple: expected a multiple of 32, .* received 8/,
    ],
    [
      'faces of another side',
      { task: 'face', tile: { multiple: 8, halo: 0, max: 256, size: 256 } },
      /tile\.size: expected 512 .* received 256/,
    ],
    ['black above white', { input: { ...draft.input, range: [1, 0] } }, /expected black below white, received \[1, 0\]/],
    ['a tile that is no multiple', { tile: { multiple: 64, halo: 0, max: 100, size: 100 } }, /tile\.size: expected a multiple of 64/],
  ])('%s', async (_, changes, problem) => {
    await importModel(order());
    const file = join(dir, 'mine', 'manifest.json');
    writeFileSync(file, JSON.stringify({ ...JSON.parse(readFileSync(file, 'utf8')), output: undefined, ...changes }));
    expect(imported().list()).toEqual([]);
    expect(imported().verify()).toEqual([{ name: 'mine', ok: false, problem: expect.stringMatching(problem) }]);
  });
});
