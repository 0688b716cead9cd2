import { blendFace, mayBeSeen } from '../../imaging/faces/blend.ts';
import { type Face, scaled, sizeClass, smallestFace } from '../../imaging/faces/face.ts';
import { givenFace } from '../../imaging/faces/given.ts';
import { FACE_LIMITS } from '../../imaging/faces/limits.ts';
import type { Point } from '../../imaging/faces/similarity.ts';
import type { Context } from '../context.ts';
import { findFaces, findInBox, type Pixels } from '../faces/find.ts';
import { inTurn } from '../faces/in-turn.ts';
import { restoreFace } from '../faces/restore-face.ts';
import { scoresOf } from '../faces/scores.ts';
import { type Selection, selectFaces } from '../faces/select.ts';
import type { FaceTools } from '../faces/tools.ts';
import type { RestoreReport } from '../report.ts';
import { isSurelyCompressed } from './gate.ts';

/**
 * Expects `picture` and `restored` upright; guarantees `faces` and `faceStage`, and faces restored from
 * the source's own pixels blended into `restored`, which stays the very same array where no face was
 * changed. Memory is that of `AT_ONCE` aligned faces, however many there are, and of the picture where faces lie close together.
 */
export async function faces(context: Context): Promise<void> {
  const { task } = context;
  context.faces = [];
  context.faceStage = { detector: null, model: null };
  if (task.options.face === 'off' || task.options.strength === 0 || task.options.faceStrength === 0) return;
  const tools = await context.engine.faceTools();
  const missing = whatIsMissing(tools, task.options.facePoints !== undefined);
  if (missing !== undefined) {
    context.faceStage = { ...context.faceStage, note: missing };
    if (task.options.face === 'only') context.warnings.push(`Nothing was restored: ${missing}.`);
    return;
  }
  context.faceStage = { detector: task.options.facePoints ? null : (tools.detector?.name ?? null), model: tools.restorer?.name ?? null };
  const found = await facesIn(context, tools);
  const scores = tools.detector && scoresOf(tools.detector);
  // The amounts and the least change were measured with the shipped network in the whole restoration.
  const measured = tools.restorer?.shipped === true && task.options.face !== 'only' && task.options.faceStrength === undefined;
  const demands = {
    scale: context.model.manifest.scale,
    sure: scores?.sure ?? 0,
    sureLarge: scores?.sureLarge ?? 0,
    compressed: isSurelyCompressed(context.analysis),
    measured,
  };
  const selections = [...found.without, ...selectFaces(found.faces, context.picture, demands)];
  await restoreSelected(context, tools, selections, measured ? FACE_LIMITS.change : 0);
}

function whatIsMissing({ detector, restorer }: FaceTools, given: boolean): string | undefined {
  if (!restorer) return 'no face network is installed';
  return detector || given ? undefined : 'no face detector is installed';
}

/** Found or given faces, and given boxes in which none was found. */
async function facesIn(context: Context, { detector }: FaceTools): Promise<{ faces: Face[]; without: Selection[] }> {
  const { restored, picture, task } = context;
  // Noise and blocks hide faces: they are looked for where most of both is gone.
  const pixels: Pixels = { rgb: restored, width: picture.width, height: picture.height };
  const given = task.options.facePoints as readonly (readonly Point[])[] | undefined;
  if (!given) return { faces: detector ? await findFaces(pixels, detector) : [], without: [] };
  const faces: Face[] = [];
  const without: Selection[] = [];
  const { scale } = context.model.manifest;
  for (const points of given) {
    const known = givenFace(points.map(([x, y]): Point => [x * scale, y * scale]));
    if ('points' in known) faces.push(known);
    else {
      const face = detector && (await findInBox(pixels, known.box, detector));
      if (face) faces.push({ ...face, score: 1 });
      else without.push({ face: { box: known.box, score: 1, points: NO_POINTS }, reason: 'no face was found in the box' });
    }
  }
  return { faces, without };
}

/** Faces that are on their way at the same time. */
const AT_ONCE = 2;

const NO_POINTS = [] as unknown as Face['points'];

/** Changes below `least` are left out. */
async function restoreSelected(
  context: Context,
  { detector, restorer }: FaceTools,
  selections: readonly Selection[],
  least: number,
): Promise<void> {
  const { picture, task, analysis } = context;
  if (!restorer) return;
  const strength = (task.options.faceStrength ?? restorer.strength) * task.options.strength;
  const { width, height } = picture;
  const chosen = selections.flatMap(({ toFace }) => (toFace ? [toFace] : []));
  // None may see what another changed, whichever is ready first.
  const seen = chosen.some((one) => chosen.some((other) => one !== other && mayBeSeen(one, other, width, height)));
  const shown = { rgb: seen && context.restored !== picture.rgb ? context.restored.slice() : context.restored, width, height };
  const order = { source: picture, shown, network: restorer.network, detector, grey: analysis.grey };
  // While the network is at one face, this thread aligns the next and compares the last one.
  const results = inTurn(selections, AT_ONCE, async ({ face: { points }, toFace }) => toFace && restoreFace({ ...order, toFace, points }));
  for await (const [{ face, toFace, amount, reason }, result] of results) {
    if (!toFace || !result) {
      context.faces.push(reported(context, face, 'left', reason));
      continue;
    }
    if ('reason' in result) {
      context.faces.push(reported(context, face, 'dropped', result.reason));
    } else if (result.size < least) {
      context.faces.push(reported(context, face, 'left', 'the restoration of the picture did all there was to do'));
    } else {
      // The source stays as it is for the faces to come, and for 16-bit results.
      if (context.restored === picture.rgb) context.restored = picture.rgb.slice();
      // Who names a strength gets it.
      const part = task.options.faceStrength === undefined ? Math.min(amount, result.most) : amount;
      const others = chosen.filter((other) => other !== toFace);
      const blended = strength * part;
      blendFace(context.restored, width, height, { change: result.change, toFace, amount: blended }, others);
      context.faces.push({ ...reported(context, face, 'restored'), amount: Math.round(blended * 100) / 100 });
    }
    context.progress(0.9 + (0.08 * (chosen.indexOf(toFace) + 1)) / chosen.length);
  }
}

/** In the source's pixels, whatever the enlargement. */
function reported(
  context: Context,
  face: Face,
  action: RestoreReport['faces'][number]['action'],
  reason?: string,
): RestoreReport['faces'][number] {
  const { picture, model } = context;
  const { box, points, score } = scaled(face, 1 / model.manifest.scale);
  const tenth = (value: number) => Math.round(value * 10) / 10;
  return {
    box: box.map(tenth) as [number, number, number],
    score: Math.round(score * 1000) / 1000,
    points: points.map(([x, y]): [number, number] => [tenth(x), tenth(y)]),
    size: sizeClass(box[2], smallestFace(Math.min(picture.width, picture.height) / model.manifest.scale)),
    action,
    ...(reason === undefined ? {} : { reason }),
  };
}
