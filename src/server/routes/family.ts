import type { Config } from '../../config.ts';
import { siblingParameters } from '../dialect/sibling-parameters.ts';
import { AIQUALITY, type SyncRouteSpec } from './aiquality.ts';

/**
 * Every interface of the family that means restoration: the documented one and the configured
 * siblings. Each is served as it stands, as `…_async`, and as a task of the gateway. A sibling's scope
 * is the last part of its path in lower case.
 */
export function familyInterfaces(config: Pick<Config, 'interfaces'>): readonly SyncRouteSpec[] {
  const byPath = new Map([[AIQUALITY.path.toLowerCase(), AIQUALITY]]);
  for (const entry of config.interfaces) {
    const path = `/${entry.replace(/^\/+|\/+$/g, '')}`;
    if (path === '/' || byPath.has(path.toLowerCase())) continue;
    const scope = path.slice(path.lastIndexOf('/') + 1).toLowerCase();
    byPath.set(path.toLowerCase(), { path, scope, summary: `Like ${AIQUALITY.path}`, mapParameter: siblingParameters });
  }
  return [...byPath.values()];
}
