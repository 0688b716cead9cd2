import { mixInto } from '../../imaging/mix.ts';
import type { Context } from '../context.ts';

/** Expects `restored`; guarantees it mixed with the source by the caller's own `strength`. */
export function strength({ restored, picture, task }: Context): void {
  if (restored !== picture.rgb) mixInto(restored, picture.rgb, task.options.strength);
}
