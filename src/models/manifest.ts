import { type Static, Type } from 'typebox';

/** What a picture mostly suffers from, as far as analyse can tell. */
export const Suffering = Type.Union([Type.Literal('compression'), Type.Literal('noise')]);
export type Suffering = Static<typeof Suffering>;

const NetworkFile = Type.Object({
  file: Type.String({ pattern: '^[A-Za-z0-9._-]+\\.onnx$' }),
  sha256: Type.String({ pattern: '^[0-9a-f]{64}$' }),
  when: Type.Union([Suffering, Type.Literal('any')]),
  /** Names of the conditioning numbers the network takes, in order (see `imaging/conditions.ts`). */
  conditions: Type.Array(Type.String()),
});
export type NetworkFile = Static<typeof NetworkFile>;

/** What a model is, needs and costs. `models/NAME/manifest.json`; checked when it is loaded. */
export const Manifest = Type.Object({
  name: Type.String({ pattern: '^[a-z0-9][a-z0-9._-]{0,63}$' }),
  version: Type.String(),
  task: Type.Union([Type.Literal('restore')]),
  /** Networks of one shape; `when` says which pictures each is for. One with `any` serves alone. */
  networks: Type.Array(NetworkFile, { minItems: 1 }),
  description: Type.String(),
  input: Type.Object({ layout: Type.Literal('NHWC'), type: Type.Literal('uint8'), channels: Type.Literal('RGB') }),
  scale: Type.Literal(1),
  tile: Type.Object({
    multiple: Type.Integer({ minimum: 1, maximum: 64 }),
    halo: Type.Integer({ minimum: 0, maximum: 256 }),
    max: Type.Integer({ minimum: 64, maximum: 4096 }),
  }),
  cost: Type.Object({ parameters: Type.Integer(), gmacPerMegapixel: Type.Number() }),
  licence: Type.Object({ weights: Type.String(), data: Type.Record(Type.String(), Type.String()) }),
  training: Type.Record(Type.String(), Type.Unknown()),
});
export type Manifest = Static<typeof Manifest>;
