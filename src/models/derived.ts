import { type Static, Type } from '../schema.ts';
import { Forms, type Manifest, ModelName, Tier } from './manifest.ts';

/** A manifest without networks of its own: it uses those of another model in another way, and inherits the rest. */
export const DerivedManifest = Type.Object(
  {
    name: ModelName,
    version: Type.String(),
    derivedFrom: ModelName,
    description: Type.String(),
    forms: Forms,
    tier: Type.Optional(Tier),
  },
  { additionalProperties: false },
);
export type DerivedManifest = Static<typeof DerivedManifest>;

/** The whole manifest: networks, tiles, licences and training are the base's; the compute is that of all forms. */
export function inherit(base: Manifest, { derivedFrom: _, ...own }: DerivedManifest): Manifest {
  const { tier: __, forms: ___, ...rest } = base;
  const { parameters, gmacPerMegapixel } = base.cost;
  const compute = gmacPerMegapixel === undefined ? {} : { gmacPerMegapixel: Math.round(gmacPerMegapixel * own.forms.length * 10) / 10 };
  return { ...rest, ...own, cost: { parameters, ...compute } };
}
