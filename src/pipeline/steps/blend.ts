import type { Context } from '../context.ts';

/**
 * Expects `restored`; guarantees it mixed with the source by the caller's `strength`, by `trust` (1: as it is, 0: the source) and by
 * the `grain` that is left.
 */
export function blend(context: Context): void {
  const { restored, picture, task, trust, grain = 0 } = context;
  const strength = task.options.strength * trust * (1 - grain);
  if (restored === picture.rgb || strength === 1) return;
  const source = picture.rgb;
  for (let i = 0; i < restored.length; i++) {
    const from = source[i] as number;
    restored[i] = Math.round(from + strength * ((restored[i] as number) - from));
  }
}
