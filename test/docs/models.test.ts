import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { readDraft } from '../../src/models/draft.ts';
import { contradiction } from '../../src/models/manifest.ts';
import { PRESETS } from '../../src/models/presets.ts';
import { addTestModel } from '../support/imported.ts';
import { multiplier } from '../support/onnx.ts';
import { temporaryFolder } from '../support/temporary.ts';
import { codeBlocks } from './code-blocks.ts';

const page = 'guide/models.md';

test('the manifest of the guide is one, and a network that fits it is taken', async () => {
  const [block] = codeBlocks(page, 'json');
  const folder = temporaryFolder();
  writeFileSync(join(folder, 'manifest.json'), block?.code ?? '');
  const draft = readDraft(join(folder, 'manifest.json'));
  const network = multiplier({ tensor: draft.input });
  expect(await addTestModel(join(folder, 'models'), 'mine', network, draft)).toMatchObject({ licence: { weights: 'CC BY 4.0' } });
});

test('the guide names every preset, and none contradicts itself', () => {
  const text = readFileSync(join(import.meta.dirname, '..', '..', 'docs', page), 'utf8');
  for (const [name, preset] of Object.entries(PRESETS)) {
    expect(text).toContain(`\`${name}\``);
    expect(contradiction(preset)).toBeUndefined();
  }
});
