import type { Registry } from '../../models/registry.ts';
import { isWireObject, type WireObject } from './json-body.ts';
import { parseMediaList, type WireEntry } from './media-list.ts';
import { parameterOf, parseParameter, type WireParameter } from './parameter.ts';

/** A request of the documented interface and its siblings, understood and checked. */
export interface WireRequest extends WireParameter {
  readonly entries: readonly WireEntry[];
  /** The member `extra`; empty when absent or no object. */
  readonly extra: WireObject;
}

/** What differs from route to route. */
export interface DialectSpec {
  readonly maxEntries: number;
  readonly models: Pick<Registry, 'get' | 'list'>;
  /** Turns a sibling's own parameters into ours before they are checked. */
  readonly mapParameter?: (parameter: WireObject) => WireObject;
}

/**
 * The one reader of the wire dialect, shared by the synchronous, asynchronous and sibling routes and
 * the gateway. Explicit steps rather than schema coercion: what is tolerated is written down here.
 * @throws AppError of the field checks (PARAM_…)
 */
export function parseWireRequest(body: WireObject, spec: DialectSpec): WireRequest {
  const entries = parseMediaList(body, spec.maxEntries);
  const parameter = parameterOf(body);
  return {
    entries,
    ...parseParameter(spec.mapParameter ? spec.mapParameter(parameter) : parameter, spec.models),
    extra: isWireObject(body.extra) ? body.extra : {},
  };
}
