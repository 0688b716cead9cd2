import type { Context } from '../context.ts';

/** Expects `restored`; guarantees it mixed with the source by the caller's `strength` and the gate's `trust` (1: as it is, 0: the source). */
export function blend(context: Context): void {
  const { restored, picture, task, trust } = context;
  const strength = task.options.strength * trust;
  if (restored === picture.rgb || strength === 1) return;
  const source = picture.rgb;
  for (let i = 0; i < restored.length; i++) {
    const from = source[i] as number;
    restored[i] = Math.round(from + strength * ((restored[i] as number) - from));
  }
}
