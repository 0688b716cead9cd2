import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import sharp from 'sharp';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { presetDraft } from '../../src/models/presets.ts';
import type { RestoreReport } from '../../src/pipeline/report.ts';
import { knownFaceNetwork } from '../support/face-networks.ts';
import { addTestModel } from '../support/imported.ts';
import { openBench } from './pictures.ts';

const SHARED = join(import.meta.dirname, '..', '..', '..', 'shared', 'data', 'face-detect');
const YUNET = join(SHARED, 'teachers', 'yunet_n_dynamic.onnx');
if (!existsSync(YUNET)) console.log(`skipped: no ${YUNET}`);

describe.skipIf(!existsSync(YUNET))('an imported detector on photographs', () => {
  const dir = mkdtempSync(join(tmpdir(), 'mingxi-faces-'));
  beforeAll(async () => {
    await addTestModel(dir, 'yunet', readFileSync(YUNET), presetDraft('yunet'));
    const bytes = { layout: 'NHWC', type: 'uint8', channels: 'RGB' } as const;
    await addTestModel(dir, 'same', knownFaceNetwork(), {
      task: 'face',
      input: bytes,
      scale: 1,
      tile: { multiple: 16, halo: 0, max: 512, size: 512 },
      licence: 'MIT',
    });
  });
  afterAll(() => rmSync(dir, { recursive: true }));
  const labels = JSON.parse(existsSync(YUNET) ? readFileSync(join(SHARED, 'labels.json'), 'utf8') : '{}') as Labels;
  const names = Object.keys(labels).filter((name) => labels[name]?.split === 'eval' && (labels[name]?.faces.length ?? 0) > 1);

  it('finds the faces that are labelled, with their points', async () => {
    const open = openBench({ modelsDir: dir, faceModel: 'same', faceDetector: 'yunet' });
    let [found, wanted, off] = [0, 0, 0];
    for (const name of names.slice(0, 4)) {
      const file = await sharp(readFileSync(join(SHARED, 'images', name)))
        .png()
        .toBuffer();
      const { report } = (await open.restore(file, { face: 'only', format: 'png' }, { maxBytes: 1e8 })).outcome;
      for (const { box, landmarks, status } of labels[name]?.faces ?? []) {
        const side = Math.sqrt((box[2] - box[0]) * (box[3] - box[1]));
        if (status !== 'face' || side < 48) continue;
        wanted += 1;
        const far = (points: RestoreReport['faces'][number]['points']) =>
          points.reduce((sum, [x, y], i) => sum + Math.hypot(x - (landmarks[i]?.[0] ?? 0), y - (landmarks[i]?.[1] ?? 0)), 0) / 5 / side;
        const nearest = Math.min(1, ...report.faces.map(({ points }) => far(points)));
        if (nearest > 0.15) continue;
        found += 1;
        off += nearest;
      }
    }
    await open.close();
    expect(wanted).toBeGreaterThan(4);
    expect(found / wanted).toBeGreaterThan(0.9);
    expect(off / found).toBeLessThan(0.05);
  });
});

interface Labels {
  readonly [name: string]: {
    readonly split: string;
    readonly faces: readonly {
      readonly box: readonly [number, number, number, number];
      readonly landmarks: readonly (readonly [number, number])[];
      readonly status: string;
    }[];
  };
}
