import type { WireObject } from './json-body.ts';

/**
 * Parameters that clients of the sibling interfaces send, in ours, where their meaning is plain:
 *
 * | theirs | ours |
 * | --- | --- |
 * | `use_hd_face_opt` | face stage on or off |
 * | `use_denoise` off | no general stage: nothing but faces; nothing at all with faces off too |
 *
 * Our own parameters win where both are given. All others (`outputType`, …) and values that are
 * neither yes nor no are ignored, as an unknown parameter is.
 */
export function siblingParameters(parameter: WireObject): WireObject {
  const faces = flag(parameter.use_hd_face_opt);
  const general = flag(parameter.use_denoise);
  const theirs: { face?: string; strength?: number } = {};
  if (faces !== undefined) theirs.face = faces ? 'auto' : 'off';
  if (general === false && faces !== false) theirs.face = 'only';
  if (general === false && faces === false) theirs.strength = 0;
  return { ...theirs, ...parameter };
}

/** Booleans arrive as strings and numbers. */
function flag(value: unknown): boolean | undefined {
  const text = String(value).trim().toLowerCase();
  if (['1', 'true', 'yes', 'on'].includes(text)) return true;
  return ['0', 'false', 'no', 'off'].includes(text) ? false : undefined;
}
