import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { faceMask } from '../../../src/imaging/faces/mask.ts';
import { FACE_TEMPLATE } from '../../../src/imaging/faces/template.ts';
import type { Draft } from '../../../src/models/draft.ts';
import { presetDraft } from '../../../src/models/presets.ts';
import type { RestoreOptions } from '../../../src/pipeline/options.ts';
import type { RestoreReport } from '../../../src/pipeline/report.ts';
import { knownFaceNetwork, paintedFaceDetector, patternAt } from '../../support/face-networks.ts';
import { addTestModel } from '../../support/imported.ts';
import { faceNetwork, multiplier, repeater } from '../../support/onnx.ts';
import { type PaintedFace, paint, pointsOf } from '../../support/painted-faces.ts';
import { openBench, samples } from '../pictures.ts';

const BYTES = { layout: 'NHWC', type: 'uint8', channels: 'RGB' } as const satisfies Draft['input'];
const SIGNED = { layout: 'NCHW', type: 'float32', channels: 'BGR', range: [-1, 1] } as const satisfies Draft['input'];
const FACE: Draft = { task: 'face', input: BYTES, scale: 1, tile: { multiple: 16, halo: 0, max: 512, size: 512 }, licence: 'MIT' };
/** What our detectors say of themselves. */
export const DETECTOR: Draft = { ...FACE, task: 'face-detect', detector: 'mingxi', tile: { multiple: 32, halo: 0, max: 4096 } };

/** Networks whose results can be predicted, by the names under which they are registered. */
const NETWORKS: Readonly<Record<string, (dir: string, name: string) => Promise<unknown>>> = {
  painted: (dir, name) => addTestModel(dir, name, paintedFaceDetector(), DETECTOR),
  same: (dir, name) => addTestModel(dir, name, knownFaceNetwork(), FACE),
  pattern: (dir, name) => addTestModel(dir, name, knownFaceNetwork({ pattern: true }), FACE),
  tint: (dir, name) => addTestModel(dir, name, knownFaceNetwork({ shift: [6, 0, -6] }), FACE),
  bright: (dir, name) => addTestModel(dir, name, knownFaceNetwork({ shift: [40, 40, 40] }), FACE),
  stranger: (dir, name) => addTestModel(dir, name, knownFaceNetwork({ flip: true }), FACE),
  gfpgan: (dir, name) => addTestModel(dir, name, multiplier({ tensor: SIGNED, side: 512 }), { ...presetDraft('gfpgan'), input: SIGNED }),
  codeformer: (dir, name) => addTestModel(dir, name, faceNetwork('float64'), { ...presetDraft('codeformer'), scalars: [{ value: 0.97 }] }),
  twice: (dir, name) => addTestModel(dir, name, repeater(2), presetDraft('realesrgan', 2)),
};

export interface Outcome {
  readonly report: RestoreReport;
  readonly data: Uint8Array;
  readonly file: Buffer;
}

export interface FaceBench {
  /** Folder of the networks. */
  readonly dir: string;
  /** A picture through the pipeline as PNG, faces only unless said otherwise: the general networks stay out of the sums. */
  through(file: Buffer, faceModel: string, options?: Partial<RestoreOptions>, faceDetector?: string, threads?: number): Promise<Outcome>;
  close(): void;
}

/** A folder with these networks, and the pipeline over it; the detector is the first of them unless a call says otherwise. */
export async function openFaceBench(detector: string, ...others: readonly string[]): Promise<FaceBench> {
  const dir = mkdtempSync(join(tmpdir(), 'mingxi-faces-'));
  for (const name of [detector, ...others]) await NETWORKS[name]?.(dir, name);
  return {
    dir,
    async through(file, faceModel, options = {}, faceDetector = detector, threads = 1) {
      const open = openBench({ modelsDir: dir, faceModel, faceDetector, threads });
      try {
        const { file: result, outcome } = await open.restore(file, { face: 'only', format: 'png', ...options }, { maxBytes: 1e8 });
        return { report: outcome.report, data: (await samples(result)).data, file: result };
      } finally {
        await open.close();
      }
    },
    close: () => rmSync(dir, { recursive: true }),
  };
}

/** Points of a face that lies exactly as the template does, at whole pixels. */
export const upright = (x: number, y: number): [number, number][] => FACE_TEMPLATE.map(([u, v]) => [u + x, v + y]);
/** A picture of noise alone. */
export const noiseOf = (width: number, height: number) => paint({ width, height, faces: [] });

/** What the pattern network's change amounts to at a pixel, where one face lies at (x, y) unscaled. */
export const change = (i: number, width: number, x: number, y: number) => {
  const [px, py] = [Math.floor(i / 3) % width, Math.floor(i / 3 / width)];
  return faceMask(px + 0.5 - x, py + 0.5 - y) * Math.round(patternAt(px - x, py - y));
};
/** Largest difference of a sample from what it should be. */
export const farthest = (found: Uint8Array, expected: (i: number) => number) =>
  found.reduce((most, value, i) => Math.max(most, Math.abs(value - expected(i))), 0);

/** How far the points of a found face are from where it was painted, at most. */
export function pointsOff(report: RestoreReport, face: PaintedFace, index = 0): number {
  const expected = pointsOf(face);
  const found = report.faces[index]?.points ?? [];
  return found.length === 5
    ? Math.max(...found.map(([x, y], i) => Math.hypot(x - (expected[i]?.[0] ?? 0), y - (expected[i]?.[1] ?? 0))))
    : Number.NaN;
}
