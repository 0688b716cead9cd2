import type { Context } from '../context.ts';

/** Expects `restored`; guarantees it mixed with the source by `strength` (1: as it is, 0: the source). */
export function blend(context: Context): void {
  const { restored, picture, task } = context;
  const strength = task.options.strength;
  if (restored === picture.rgb || strength === 1) return;
  const source = picture.rgb;
  for (let i = 0; i < restored.length; i++) {
    const from = source[i] as number;
    restored[i] = Math.round(from + strength * ((restored[i] as number) - from));
  }
}
