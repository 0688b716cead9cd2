import { FACE_SIDE } from '../imaging/faces/template.ts';
import { FORMS } from '../imaging/forms.ts';
import { type Static, Type } from '../schema.ts';

/** What a picture mostly suffers from, as far as analyse can tell. */
export const Suffering = Type.Union([Type.Literal('compression'), Type.Literal('noise'), Type.Literal('blur')]);
export type Suffering = Static<typeof Suffering>;
export const SUFFERINGS: readonly Suffering[] = Suffering.anyOf.map((one) => one.const);

/** Numbers a network computes in: 32-bit floating point, or 8-bit integers. */
export const Precision = Type.Union([Type.Literal('fp32'), Type.Literal('int8')]);
export type Precision = Static<typeof Precision>;

const ModelFile = Type.Object({
  file: Type.String({ pattern: '^[A-Za-z0-9._-]+\\.onnx$' }),
  sha256: Type.String({ pattern: '^[0-9a-f]{64}$' }),
});
/** A file of a model, and the checksum it must have. */
export type ModelFile = Static<typeof ModelFile>;

const NetworkFile = Type.Object({
  ...ModelFile.properties,
  when: Type.Union([Suffering, Type.Literal('any')]),
  /** Without it fp32. An int8 network stands beside the fp32 one it was made from, which serves where int8 does not pay. */
  precision: Type.Optional(Precision),
  /** Names of the conditioning numbers the network takes, in order (see `imaging/conditions.ts`). */
  conditions: Type.Array(Type.String()),
  /** Context this network needs, where that is less than the tile rule's `halo`. */
  halo: Type.Optional(Type.Integer({ minimum: 0, maximum: 256 })),
});
export type NetworkFile = Static<typeof NetworkFile>;

/**
 * What a network is for. `restore` covers same-size repair and enlargement; `face` is one aligned
 * face of `tile.size` pixels; `face-detect` finds boxes and landmarks.
 */
export const ModelTask = Type.Union([Type.Literal('restore'), Type.Literal('face'), Type.Literal('face-detect')]);
export type ModelTask = Static<typeof ModelTask>;

/** How pixels lie in a tensor of one picture. */
export const PixelTensor = Type.Object(
  {
    layout: Type.Union([Type.Literal('NHWC'), Type.Literal('NCHW')]),
    type: Type.Union([Type.Literal('uint8'), Type.Literal('float32')]),
    channels: Type.Union([Type.Literal('RGB'), Type.Literal('BGR')]),
    /** The values of black and white. Without it 0 and 255; uint8 allows nothing else. */
    range: Type.Optional(Type.Tuple([Type.Number(), Type.Number()])),
    /** The tensor's name in the graph. Without it the first one that is no scalar of `scalars`. */
    name: Type.Optional(Type.String({ minLength: 1, maxLength: 128 })),
  },
  { additionalProperties: false },
);
export type PixelTensor = Static<typeof PixelTensor>;

/** A further input of one number, such as CodeFormer's fidelity weight. */
export const ScalarInput = Type.Object(
  {
    name: Type.String({ minLength: 1, maxLength: 128 }),
    type: Type.Union([Type.Literal('float32'), Type.Literal('float64')]),
    shape: Type.Array(Type.Literal(1), { maxItems: 4 }),
    value: Type.Number(),
  },
  { additionalProperties: false },
);
export type ScalarInput = Static<typeof ScalarInput>;

/** How a picture is cut for a network; the fields are those of `imaging/tiles.ts`. */
export const Tile = Type.Object(
  {
    multiple: Type.Integer({ minimum: 1, maximum: 256 }),
    halo: Type.Integer({ minimum: 0, maximum: 256 }),
    max: Type.Integer({ minimum: 16, maximum: 4096 }),
    /** The only side the network takes, for exports with a fixed input shape. */
    size: Type.Optional(Type.Integer({ minimum: 16, maximum: 4096 })),
  },
  { additionalProperties: false },
);
export type Tile = Static<typeof Tile>;

export const Scale = Type.Union([Type.Literal(1), Type.Literal(2), Type.Literal(4)]);
export type Scale = Static<typeof Scale>;

export const ModelName = Type.String({ pattern: '^[a-z0-9][a-z0-9._-]{0,63}$' });

/** In which forms each tile goes through the network; the result is the mean of what they give, turned back. */
export const Forms = Type.Array(Type.Union(FORMS.map((form) => Type.Literal(form))), { minItems: 1, maxItems: 8, uniqueItems: true });

/** One of several networks for the same pictures: less (`fast`) or more work (`best`) than the model it belongs to. */
export const Tier = Type.Object({ of: ModelName, level: Type.Union([Type.Literal('fast'), Type.Literal('best')]) });
export type Tier = Static<typeof Tier>;

/** Families of face detectors whose output tensors are understood (`imaging/faces/decode.ts`); mingxi: our own. */
export const Detector = Type.Union([Type.Literal('mingxi'), Type.Literal('yunet'), Type.Literal('scrfd')]);
export type Detector = Static<typeof Detector>;

/** What a model is, needs and costs. `models/NAME/manifest.json`; checked when it is loaded. */
export const Manifest = Type.Object({
  name: ModelName,
  version: Type.String(),
  task: ModelTask,
  /** Networks of one shape; `when` says which pictures each is for. One with `any` serves alone. */
  networks: Type.Array(NetworkFile, { minItems: 1 }),
  description: Type.String(),
  input: PixelTensor,
  /** Without it like `input`. */
  output: Type.Optional(PixelTensor),
  scalars: Type.Optional(Type.Array(ScalarInput, { maxItems: 4 })),
  /** Needed with the task `face-detect`. */
  detector: Type.Optional(Detector),
  /** With the task `face-detect`: a second network that looks at each of the first one's candidates again (`imaging/faces/refine.ts`). */
  refiner: Type.Optional(ModelFile),
  /**
   * With the task `face-detect`: what it scores at least for something in a picture with a face that lies or stands on
   * its head, before that is turned: a picture without is not turned. Without this, every picture with no face found is.
   */
  hint: Type.Optional(Type.Number({ minimum: 0, maximum: 1 })),
  /** With the task `face`: name of a second picture input, which takes the face as the general restoration left it. */
  beside: Type.Optional(Type.String({ minLength: 1, maxLength: 128 })),
  /** With the task `face`: how much of its result is blended in when nobody says (1). */
  faceStrength: Type.Optional(Type.Number({ minimum: 0, maximum: 1 })),
  scale: Scale,
  tile: Tile,
  /** Without it as the picture is. */
  forms: Type.Optional(Forms),
  tier: Type.Optional(Tier),
  cost: Type.Object({ parameters: Type.Integer(), gmacPerMegapixel: Type.Optional(Type.Number()) }),
  licence: Type.Object({ weights: Type.String(), data: Type.Record(Type.String(), Type.String()) }),
  training: Type.Record(Type.String(), Type.Unknown()),
});
export type Manifest = Static<typeof Manifest>;

/** How the network's result lies in its tensor. */
export function outputTensor(manifest: Pick<Manifest, 'input' | 'output'>): PixelTensor {
  if (manifest.output) return manifest.output;
  const { name: _, ...same } = manifest.input;
  return same;
}

/**
 * What the schema alone cannot say; the first contradiction in words, or undefined. Holds for every
 * manifest, shipped or imported.
 */
export function contradiction(
  manifest: Pick<Manifest, 'task' | 'input' | 'output' | 'scale' | 'tile' | 'detector'> &
    Partial<Pick<Manifest, 'networks' | 'refiner' | 'hint' | 'beside' | 'tier'>>,
): string | undefined {
  const { task, input, scale, tile, detector, refiner, hint, beside, tier, networks = [] } = manifest;
  for (const { file, when, precision } of networks)
    if (precision === 'int8' && !networks.some((other) => other.when === when && other.precision !== 'int8'))
      return `networks: expected one in fp32 with when ${when} beside ${file}, received none`;
  for (const { file, halo = tile.halo } of networks)
    if (halo > tile.halo || (halo !== tile.halo && (2 * halo) % tile.multiple !== 0))
      return `networks: expected a halo of at most ${tile.halo} (tile.halo), twice of it a multiple of ${tile.multiple}, for ${file}, received ${halo}`;
  for (const [which, tensor] of [['input', manifest.input] as const, ['output', outputTensor(manifest)] as const]) {
    const [black, white] = tensor.range ?? [0, 255];
    if (tensor.type === 'uint8' && (black !== 0 || white !== 255))
      return `${which}.range: expected [0, 255] for uint8, received [${black}, ${white}]`;
    if (black >= white) return `${which}.range: expected black below white, received [${black}, ${white}]`;
  }
  const side = tile.size ?? tile.max;
  if (tile.size !== undefined && tile.size % tile.multiple !== 0)
    return `tile.size: expected a multiple of ${tile.multiple} (tile.multiple), received ${tile.size}`;
  if (tile.size === undefined && tile.max < tile.multiple)
    return `tile.max: expected at least ${tile.multiple} (tile.multiple), received ${tile.max}`;
  if (task === 'restore' && side < 2 * tile.halo + tile.multiple)
    return `tile.halo: expected at most ${Math.max(0, Math.floor((side - tile.multiple) / 2))} with tiles of ${side}, received ${tile.halo}`;
  // Else tiles begin between the network's own strides and tiled would not equal untiled; a fixed side leaves no choice.
  if (task === 'restore' && tile.size === undefined && (2 * tile.halo) % tile.multiple !== 0)
    return `tile.halo: expected twice of it to be a multiple of ${tile.multiple} (tile.multiple), received ${tile.halo}`;
  if (task !== 'restore' && scale !== 1) return `scale: expected 1 with the task ${task}, received ${scale}`;
  if (beside !== undefined && task !== 'face') return `beside: expected none with the task ${task}, received ${beside}`;
  if (beside !== undefined && beside === input.name) return `beside: expected another input than ${input.name}, received ${beside}`;
  if (task === 'face' && tile.size !== FACE_SIDE)
    return `tile.size: expected ${FACE_SIDE} with the task face, received ${tile.size ?? 'none'}`;
  if (task === 'face-detect' && (tile.size ?? tile.multiple) % 32 !== 0)
    return `tile.${tile.size === undefined ? 'multiple' : 'size'}: expected a multiple of 32, the detectors' coarsest stride, received ${tile.size ?? tile.multiple}`;
  if (task === 'face-detect' && detector === undefined)
    return 'detector: expected mingxi, yunet or scrfd with the task face-detect, received none';
  if (tier !== undefined && (task !== 'restore' || scale !== 1))
    return `tier: expected none with the task ${task} and the scale ${scale}, received ${tier.level} of ${tier.of}`;
  if (task !== 'face-detect' && refiner !== undefined) return `refiner: expected none with the task ${task}, received ${refiner.file}`;
  if (task !== 'face-detect' && hint !== undefined) return `hint: expected none with the task ${task}, received ${hint}`;
  return undefined;
}
