import type { Blockiness } from '../imaging/blockiness.ts';
import type { SourceFacts } from '../imaging/codec.ts';
import type { Drawn } from '../imaging/drawn.ts';
import type { EarlierJpeg } from '../imaging/earlier-jpeg.ts';
import type { EnlargedJpeg } from '../imaging/enlarged-jpeg.ts';
import type { FineStructure } from '../imaging/fine-structure.ts';
import type { Header } from '../imaging/header.ts';
import type { JpegQuality } from '../imaging/jpeg-quality.ts';
import type { Lattice } from '../imaging/lattice.ts';
import type { ContainerFormat } from '../imaging/metadata-blocks.ts';
import type { Difference } from '../imaging/noise-or-texture.ts';
import type { Picture } from '../imaging/picture.ts';
import type { TiledNetwork } from '../inference/lanes.ts';
import type { Precision, Scale, Suffering } from '../models/manifest.ts';
import type { ModelEntry } from '../models/registry.ts';
import type { FaceTools } from './faces/tools.ts';
import type { RestoreTask } from './options.ts';
import type { RestoreOutcome, RestoreReport } from './report.ts';
import type { Tiers } from './steps/tier.ts';

/** What the steps need beside the picture: networks by name, loaded once per process. */
export interface Engine {
  /** That compute for one picture. */
  readonly threads: number;
  /** @throws AppError PARAM_VALUE_ERROR for an unknown name, or a scale that the model does not offer */
  model(name: string, scale: Scale): ModelEntry;
  /** The fast and the best network for what this one is for, as far as there are any. */
  tiers(entry: ModelEntry): Tiers;
  /** Whether `auto` may choose the best tier. */
  readonly autoBest: boolean;
  /** The model's network for a picture that suffers from this. */
  network(entry: ModelEntry, suffering: Suffering): Promise<TiledNetwork>;
  /** HWC uint8 RGB where all threads see it: the same array, or a copy that takes its place. */
  share(rgb: Uint8Array): Uint8Array;
  /** Noise, blocks and blur of a picture, by another thread where there is one. */
  look(picture: Picture): Promise<FineStructure>;
  /** The networks of the face stage, as far as there are any. */
  faceTools(): Promise<FaceTools>;
}

export interface Analysis {
  /** The file's own tables. */
  readonly jpeg: JpegQuality | undefined;
  /** What it was before it became this file, where that was clearly coarser: then that is what is repaired. */
  readonly earlier: EarlierJpeg | undefined;
  readonly rawSigma: number;
  readonly coarseSigma: number;
  /** How evenly the coarse noise lies over the picture, 0…1 (`imaging/noise.ts`). */
  readonly evenness: number;
  /** Why what reads as noise is none; undefined where it may be. */
  readonly drawn: Drawn | undefined;
  readonly blur: number;
  readonly blocks: Blockiness;
  /** The file is a WebP, whose lossy form leaves blocks, too. */
  readonly webp: boolean;
  readonly grey: boolean;
}

/**
 * One picture on its way through the steps. Each step reads what earlier ones set and sets its own
 * fields; the comment names the step. The order of `STEPS` is what makes a field valid.
 */
export interface Context {
  readonly task: RestoreTask;
  readonly engine: Engine;
  readonly progress: (done: number) => void;
  readonly warnings: string[];
  readonly timings: Record<string, number>;
  /** probe */
  bytes: Buffer;
  /** probe */
  header: Header;
  /** limits, tier */
  model: ModelEntry;
  /** decode: in stored orientation until orient, upright after it; enlarge: as large as the result */
  picture: Picture;
  /** decode */
  facts: SourceFacts;
  /** analyse */
  analysis: Analysis;
  /** gate, weigh, trust, softness, undersize */
  gate: RestoreReport['gate'];
  /** gate, weigh */
  suffering: Suffering;
  /** weigh: the file is compressed, but its noise is more to be repaired */
  weighed?: boolean;
  /** gate, weigh, trust: how much of the restoration is blended in, 0…1 */
  trust: number;
  /** trust: what the noise network took away, where it was asked for */
  taken?: Difference;
  /** grain: the part of weak noise that is left, 0…1; undefined: none */
  grain?: number;
  /** softness: how much of what the network for soft pictures makes of it is blended in, 0…1; undefined: nothing */
  softness?: number;
  /** softness: blocks of another side than 8 px, where they were looked for */
  lattice?: Lattice;
  /** undersize: the JPEG that it was before somebody enlarged it, where that was repaired */
  enlarged?: EnlargedJpeg;
  /** tier; undefined where nothing but faces is to be restored */
  choice?: string;
  /** tier: the network's work in units of the default one's; undefined where nobody knows */
  work?: number | undefined;
  /** restore, deblur, undersize; undefined where nothing was restored */
  precision?: Precision;
  /** restore, trust, blend, deblur, undersize, guard, strength, orient, faces: HWC uint8 RGB; the picture's own array where nothing was changed */
  restored: Uint8Array;
  /** begin: of the result */
  format: ContainerFormat;
  /** begin: the result's file without its metadata, as it is if no face is changed */
  begun?: Promise<Buffer>;
  /** faces */
  faces: RestoreReport['faces'];
  /** faces */
  faceStage: NonNullable<RestoreReport['faceStage']>;
  /** encode */
  outcome: Omit<RestoreOutcome, 'report'>;
}

/** One step: reads and writes the context, throws AppError to refuse the picture. */
export type Step = (context: Context) => Promise<void> | void;
