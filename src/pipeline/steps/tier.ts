import type { Precision } from '../../models/manifest.ts';
import type { ModelEntry } from '../../models/registry.ts';
import type { Context, Engine } from '../context.ts';
import { NOISY_SIGMA } from './gate.ts';

/** A better network must fit so many times into what is left: its own time is only extrapolated. */
const AMPLE = 2;
/** Times the same in 8-bit integers, where those are used (`LOG.md` of the training: 2.4 and 3.0). */
const FULL_PRECISION = 3;
/** Above this JPEG quality, without noise, more work gains less than anybody sees (`docs/guide/engine.md`). */
const VISIBLE_QUALITY = 90;

/**
 * Expects `model`, `analysis`, `gate`; guarantees the `model` that restores, `choice` (why it is that one) and
 * `work`. With the model `auto` it is the default one; its fast tier where the time left does not do
 * for the default; its best tier where that was configured, the damage can be seen and the time is ample.
 */
export async function tier(context: Context): Promise<void> {
  const { task, gate, engine, model } = context;
  const ordinary = model;
  if (task.options.model !== 'auto') context.choice = 'asked for by name';
  else if (task.options.scale !== 1) context.choice = `the first network that enlarges ×${task.options.scale}`;
  else if (gate.action !== 'copy' && task.options.strength > 0)
    [context.model, context.choice] = await choose(context, engine.tiers(model));
  context.work = await workOf(context.model, task.options.model === 'auto' ? ordinary : engine.model('auto', 1), engine);
}

/** The tiers of a model that there are. */
export interface Tiers {
  readonly fast?: ModelEntry;
  readonly best?: ModelEntry;
}

async function choose({ task, engine, model, analysis }: Context, { fast, best }: Tiers): Promise<[ModelEntry, string]> {
  const { time } = task;
  if (fast && time && time.expected > time.left)
    return [fast, `fast: the default network would take about ${seconds(time.expected)}, ${seconds(time.left)} are left`];
  const visible = analysis.rawSigma >= NOISY_SIGMA || analysis.jpeg === undefined || analysis.jpeg.quality < VISIBLE_QUALITY;
  if (best && engine.autoBest && visible) {
    if (!time) return [best, 'best: the time is not limited'];
    const work = (await workOf(best, model, engine)) ?? 1;
    if (time.expected * work * AMPLE <= time.left) return [best, `best: ${seconds(time.left)} are left`];
  }
  return [model, 'the default'];
}

/** How many times the other model's time; undefined where one does not say what it computes. */
async function workOf(entry: ModelEntry, ordinary: ModelEntry, engine: Engine): Promise<number | undefined> {
  const cost = ({ manifest }: ModelEntry, precision: Precision) => {
    const compute = manifest.cost.gmacPerMegapixel;
    return compute === undefined ? undefined : compute * (precision === 'fp32' ? FULL_PRECISION : 1);
  };
  const [own, other] = [cost(entry, await engine.precision(entry)), cost(ordinary, await engine.precision(ordinary))];
  return own === undefined || other === undefined ? undefined : own / other;
}

const seconds = (value: number) => `${value.toFixed(1)} s`;
