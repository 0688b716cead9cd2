import { lumaAt } from '../../imaging/picture.ts';
import type { Context } from '../context.ts';

/** Expects `restored`; guarantees that a grey picture stays grey. */
export function guard(context: Context): void {
  const { restored, picture, analysis } = context;
  if (restored === picture.rgb || !analysis.grey) return;
  for (let i = 0; i < restored.length; i += 3) {
    const luma = lumaAt(restored, i);
    restored[i] = luma;
    restored[i + 1] = luma;
    restored[i + 2] = luma;
  }
}
