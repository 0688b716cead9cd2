import type { Context } from '../context.ts';
import { encodePixels, keepsItsBytes, resultFormat } from './encode.ts';

/**
 * Expects `restored` upright; guarantees `format`, and `begun` where the result is already being encoded while faces are
 * looked for: most pictures have none, and two threads then do side by side what took a tenth of a fast restoration. Not
 * where that would need memory of its own, nor where faces were pointed out, nor with one thread, which it would only keep
 * from something else.
 */
export function begin(context: Context): void {
  context.format = resultFormat(context);
  const { picture, facts, engine, task } = context;
  const copied = picture.alpha !== undefined || picture.deep !== undefined || facts.greyContainer;
  if (engine.threads === 1 || copied || task.options.facePoints !== undefined || keepsItsBytes(context)) return;
  context.begun = encodePixels(context);
  // Whoever waits for it hears of a failure.
  context.begun.catch(() => {});
}
