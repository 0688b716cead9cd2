import { mixInto } from '../../imaging/mix.ts';
import type { Context } from '../context.ts';

/** Expects `restored`; guarantees it mixed with the source by `trust` (1: as it is, 0: the source) and by the `grain` that is left. */
export function blend({ restored, picture, trust, grain = 0 }: Context): void {
  if (restored !== picture.rgb) mixInto(restored, picture.rgb, trust * (1 - grain));
}
