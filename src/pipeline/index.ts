import { toAppError } from '../errors.ts';
import { refuseUnsafeLoaders } from '../imaging/codec.ts';
import { createLanes, type TiledNetwork } from '../inference/lanes.ts';
import { type PrecisionOptions, type PrecisionWish, precisionFor } from '../inference/precision.ts';
import { type Precision, SUFFERINGS } from '../models/manifest.ts';
import { createRegistry, networkFor, networkKey, shippedModelsDir } from '../models/registry.ts';
import { once } from '../once.ts';
import type { Context, Engine, Step } from './context.ts';
import { type FaceTools, openFaceTools } from './faces/tools.ts';
import type { RestoreTask } from './options.ts';
import type { RestoreOutcome } from './report.ts';
import { reportOf } from './report-of.ts';
import { analyse } from './steps/analyse.ts';
import { begin } from './steps/begin.ts';
import { blend } from './steps/blend.ts';
import { deblur } from './steps/deblur.ts';
import { decode } from './steps/decode.ts';
import { encode } from './steps/encode.ts';
import { enlarge } from './steps/enlarge.ts';
import { faces } from './steps/faces.ts';
import { gate } from './steps/gate.ts';
import { grain } from './steps/grain.ts';
import { guard } from './steps/guard.ts';
import { limits } from './steps/limits.ts';
import { orient } from './steps/orient.ts';
import { probe } from './steps/probe.ts';
import { restore } from './steps/restore.ts';
import { softness } from './steps/softness.ts';
import { strength } from './steps/strength.ts';
import { tier } from './steps/tier.ts';
import { trust } from './steps/trust.ts';
import { undersize } from './steps/undersize.ts';
import { weigh } from './steps/weigh.ts';

/**
 * The way of one picture. Restoration runs in stored orientation, where a JPEG's block grid starts
 * at (0, 0); faces want upright pixels.
 */
export const STEPS: readonly Step[] = [
  probe,
  limits,
  decode,
  analyse,
  gate,
  tier,
  weigh,
  restore,
  trust,
  grain,
  blend,
  softness,
  deblur,
  undersize,
  enlarge,
  guard,
  strength,
  orient,
  begin,
  faces,
  encode,
];

export interface PipelineOptions {
  readonly threads: number;
  readonly provider?: string;
  /** Folder of imported networks. */
  readonly modelsDir?: string;
  /** Network that `auto` means. */
  readonly defaultModel?: string;
  /** Networks of the face stage; absent: the shipped ones. */
  readonly faceModel?: string;
  readonly faceDetector?: string;
  /** Whether `auto` may choose the best tier; absent: no. */
  readonly autoBest?: boolean;
  /** Numbers the networks compute in; absent: what is faster here. */
  readonly precision?: PrecisionWish;
  /** Folder where what was measured on this machine is kept. */
  readonly findings?: string;
}

export interface Pipeline {
  /** @throws AppError with the picture's own code, or PROCESS_ERROR */
  restore(task: RestoreTask, onProgress?: (done: number) => void): Promise<RestoreOutcome>;
  /** Loads the default model's networks, so that the first picture does not wait for it. */
  warmUp(): Promise<void>;
  close(): Promise<void>;
}

/** Blocks its thread while it computes: belongs in a child process. */
export function createPipeline(options: PipelineOptions): Pipeline {
  refuseUnsafeLoaders();
  const registry = createRegistry({ shippedDir: shippedModelsDir(), ...(options.modelsDir ? { importedDir: options.modelsDir } : {}) });
  const lanes = createLanes({ threads: options.threads, provider: options.provider ?? 'cpu' });
  const networks = new Map<string, Promise<TiledNetwork>>();
  const precisions = new Map<string, Promise<Precision>>();
  const wish: PrecisionOptions = {
    wish: options.precision ?? 'auto',
    provider: options.provider ?? 'cpu',
    ...(options.findings === undefined ? {} : { dir: options.findings }),
  };
  let faceTools: Promise<FaceTools> | undefined;
  const engine: Engine = {
    threads: options.threads,
    model: (name, scale) => registry.choose(name, scale, options.defaultModel ?? 'general'),
    tiers: (entry) => registry.tiers(entry),
    autoBest: options.autoBest ?? false,
    async network(entry, suffering) {
      const source = entry.base ?? entry;
      const { forms } = entry.manifest;
      const precision = await once(precisions, source.dir, () => precisionFor(source, wish));
      const file = networkFor(source, suffering, precision);
      const network = await once(networks, networkKey(source, file), () => lanes.open(source, file));
      if (!forms) return network;
      return { ...network, restore: (picture, conditions, how) => network.restore(picture, conditions, { ...how, forms }) };
    },
    share: (rgb) => lanes.share(rgb),
    // Its other planes would be copied to the thread as well.
    look: ({ rgb, width, height }) => lanes.look({ rgb, width, height }),
    faceTools() {
      const { faceModel = 'auto', faceDetector = 'auto', threads, provider = 'cpu' } = options;
      faceTools ??= openFaceTools(registry, { faceModel, faceDetector }, { threads, provider }, lanes.openAside);
      faceTools.catch(() => {
        faceTools = undefined;
      });
      return faceTools;
    },
  };
  return {
    restore: (task, onProgress) => run(task, engine, onProgress ?? (() => {})),
    async warmUp() {
      for (const suffering of SUFFERINGS) await engine.network(engine.model('auto', 1), suffering);
      await engine.faceTools();
    },
    async close() {
      networks.clear();
      await lanes.close();
      await (await faceTools)?.detector?.close();
    },
  };
}

async function run(task: RestoreTask, engine: Engine, progress: (done: number) => void): Promise<RestoreOutcome> {
  // Later fields are set by the steps, in the order of the list.
  const context = { task, engine, progress, warnings: [], timings: {} } as unknown as Context;
  try {
    for (const step of STEPS) {
      const began = performance.now();
      await step(context);
      context.timings[step.name] = Math.round((performance.now() - began) * 10) / 10;
    }
  } catch (error) {
    throw toAppError(error);
  }
  progress(1);
  return { ...context.outcome, ...(context.work === undefined ? {} : { work: context.work }), report: reportOf(context) };
}
