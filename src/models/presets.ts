import { AppError } from '../errors.ts';
import type { Draft } from './draft.ts';
import type { Scale } from './manifest.ts';

const UNIT = { layout: 'NCHW', type: 'float32', channels: 'RGB', range: [0, 1] } as const satisfies Draft['input'];
const SIGNED = { ...UNIT, range: [-1, 1] } as const satisfies Draft['input'];
const FACE_TILE = { multiple: 1, halo: 0, max: 512, size: 512 };
/** An export with a fixed input shape sets the size by itself. */
const DETECTOR_TILE = { multiple: 32, halo: 0, max: 4096 };

/**
 * The usual ONNX exports of well-known networks, as their projects feed them. Licences are those the
 * projects state for their own weights; whoever brings a file knows where it is from.
 */
export const PRESETS = {
  gfpgan: face('GFPGAN: aligned faces, 512 px', 'Apache-2.0 with parts for non-commercial use (StyleGAN2), as its project states'),
  codeformer: {
    ...face('CodeFormer: aligned faces, 512 px, fidelity weight w', 'S-Lab License 1.0 (non-commercial), as its project states'),
    scalars: [{ value: 0.7 }],
  },
  restoreformer: face('RestoreFormer: aligned faces, 512 px', 'Apache-2.0, as its project states'),
  realesrgan: {
    description: 'Real-ESRGAN: enlargement',
    task: 'restore',
    input: UNIT,
    scale: 4,
    // Even sides: the ×2 network halves them first. Tiles of 256: 64 channels at full resolution are large.
    tile: { multiple: 4, halo: 16, max: 256 },
    licence: 'BSD-3-Clause, as its project states',
  },
  scunet: {
    description: 'SCUNet: blind denoising',
    task: 'restore',
    input: UNIT,
    scale: 1,
    tile: { multiple: 64, halo: 64, max: 512 },
    licence: 'Apache-2.0, as its project states',
  },
  nafnet: {
    description: 'NAFNet: denoising or deblurring',
    task: 'restore',
    input: UNIT,
    scale: 1,
    tile: { multiple: 16, halo: 64, max: 512 },
    licence: 'MIT, as its project states',
  },
  yunet: {
    description: 'YuNet: face detection with five landmarks',
    task: 'face-detect',
    detector: 'yunet',
    input: { layout: 'NCHW', type: 'float32', channels: 'BGR' },
    scale: 1,
    tile: DETECTOR_TILE,
    licence: 'MIT, as its project states',
  },
  scrfd: {
    description: 'SCRFD: face detection with five landmarks',
    task: 'face-detect',
    detector: 'scrfd',
    // (value − 127.5) / 128
    input: { ...UNIT, range: [-127.5 / 128, 127.5 / 128] },
    scale: 1,
    tile: DETECTOR_TILE,
    licence: 'non-commercial research only, as its project states',
  },
} as const satisfies Record<string, Draft>;

/** @throws AppError PARAM_VALUE_ERROR for an unknown preset, or a scale that it cannot have */
export function presetDraft(preset: string, scale?: Scale): Draft {
  const draft: Draft | undefined = Object.hasOwn(PRESETS, preset) ? PRESETS[preset as keyof typeof PRESETS] : undefined;
  if (!draft)
    throw new AppError('PARAM_VALUE_ERROR', `There is no preset ${JSON.stringify(preset)}; there are: ${Object.keys(PRESETS).join(', ')}.`);
  if (scale === undefined || scale === draft.scale) return draft;
  if (draft.scale === 1) throw new AppError('PARAM_VALUE_ERROR', `scale: the preset ${preset} does not enlarge, received ${scale}.`);
  return { ...draft, scale };
}

function face(description: string, licence: string): Draft {
  return { description, task: 'face', input: SIGNED, scale: 1, tile: FACE_TILE, licence };
}
