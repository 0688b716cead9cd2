import type { Config } from '../../config.ts';
import { AppError } from '../../errors.ts';
import type { SyncRouteSpec } from '../routes/aiquality.ts';
import { familyInterfaces } from '../routes/family.ts';

/**
 * Finds the interface that a task name means. `/v1/aiquality`, `v1/aiquality`, `v1_aiquality_async`
 * and `mtlab/v1/aiquality` all mean one: the name is compared without case, leading slash and
 * `_async`, `/` and `_` being the same, and a name may have something before. Configured aliases, by
 * their ends too, mean the documented interface.
 */
export class TaskNames {
  readonly #known: ReadonlyMap<string, SyncRouteSpec>;

  constructor(config: Pick<Config, 'interfaces' | 'taskAliases'>) {
    const interfaces = familyInterfaces(config);
    const documented = interfaces[0] as SyncRouteSpec;
    this.#known = new Map([
      ...config.taskAliases.map((alias): [string, SyncRouteSpec] => [normal(alias), documented]),
      ...interfaces.map((spec): [string, SyncRouteSpec] => [normal(spec.path), spec]),
    ]);
  }

  /** @throws AppError PARAM_VALUE_ERROR */
  find(task: string): SyncRouteSpec {
    const name = normal(task);
    const exact = this.#known.get(name);
    if (exact) return exact;
    for (const [known, spec] of this.#known) if (name.endsWith(`_${known}`)) return spec;
    throw new AppError('PARAM_VALUE_ERROR', `task: no interface here is called ${JSON.stringify(task.slice(0, 64))}.`);
  }
}

function normal(task: string): string {
  return task
    .trim()
    .toLowerCase()
    .replaceAll('/', '_')
    .replace(/^_+|_+$/g, '')
    .replace(/_async$/, '');
}
