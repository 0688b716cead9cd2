import type { ModelEntry } from '../../models/registry.ts';
import type { Context } from '../context.ts';
import type { RestoreTask } from '../options.ts';
import { NOISY_SIGMA } from './gate.ts';

/** A better network must fit so many times into what is left: its own time is only extrapolated. */
const AMPLE = 2;
/** Above this JPEG quality, without noise, more work gains less than anybody sees (`docs/guide/engine.md`). */
const VISIBLE_QUALITY = 90;

/**
 * Expects `model`, `analysis`; guarantees the `model` that restores, `choice` (why it is that one) and
 * `work`. With the model `auto` it is the default one; its fast tier where the time left does not do
 * for the default; its best tier where that was configured, the damage can be seen and the time is ample.
 */
export function tier(context: Context): void {
  const { task, engine, model } = context;
  const ordinary = model;
  if (task.options.model !== 'auto') context.choice = 'asked for by name';
  else if (task.options.scale !== 1) context.choice = `the first network that enlarges ×${task.options.scale}`;
  else if (task.options.face !== 'only' && task.options.strength > 0)
    [context.model, context.choice] = choose(context, engine.tiers(model));
  context.work = workOf(context.model, task.options.model === 'auto' ? ordinary : engine.model('auto', 1));
}

/** With the model `auto`: the default network would take longer than there is time. */
export const inHurry = ({ options, time }: RestoreTask): boolean =>
  options.model === 'auto' && time !== undefined && time.expected > time.left;

/** The tiers of a model that there are. */
export interface Tiers {
  readonly fast?: ModelEntry;
  readonly best?: ModelEntry;
}

function choose({ task, engine, model, analysis }: Context, { fast, best }: Tiers): [ModelEntry, string] {
  const { time } = task;
  if (fast && time && inHurry(task))
    return [fast, `fast: the default network would take about ${seconds(time.expected)}, ${seconds(time.left)} are left`];
  const jpeg = analysis.earlier ?? analysis.jpeg;
  const visible = analysis.rawSigma >= NOISY_SIGMA || jpeg === undefined || jpeg.quality < VISIBLE_QUALITY;
  if (best && engine.autoBest && visible) {
    if (!time) return [best, 'best: the time is not limited'];
    const work = workOf(best, model) ?? 1;
    if (time.expected * work * AMPLE <= time.left) return [best, `best: ${seconds(time.left)} are left`];
  }
  return [model, 'the default'];
}

/** How many times the compute of the other model; undefined where one does not say its own. */
function workOf({ manifest }: ModelEntry, ordinary: ModelEntry): number | undefined {
  const [own, other] = [manifest.cost.gmacPerMegapixel, ordinary.manifest.cost.gmacPerMegapixel];
  return own === undefined || other === undefined ? undefined : own / other;
}

const seconds = (value: number) => `${value.toFixed(1)} s`;
