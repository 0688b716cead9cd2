import type { Pyramid } from './messages.ts';
import type { Pixels } from './pool.ts';

/** Decoded pictures kept: two selections back and forth. A 16-megapixel one holds 85 MB. */
const KEPT = 4;

/** Decoded files, the latest used ones; the others' memory is given back. */
export class PyramidCache {
  readonly #pixels: Pixels;
  readonly #known = new Map<Blob, Promise<Pyramid>>();

  constructor(pixels: Pixels) {
    this.#pixels = pixels;
  }

  /** The file's pyramid, decoded or from memory. @throws Error when the browser cannot decode it */
  get(blob: Blob): Promise<Pyramid> {
    const pyramid = this.#known.get(blob) ?? this.#pixels.do('decode', { blob });
    this.#known.delete(blob);
    this.#known.set(blob, pyramid); // last in the order of use
    return pyramid;
  }

  /** Gives back the memory of what was not used for longest; call it when the new picture is shown. */
  trim(): void {
    for (const [blob, pyramid] of [...this.#known].slice(0, Math.max(0, this.#known.size - KEPT))) {
      this.#known.delete(blob);
      pyramid.then(release, () => undefined);
    }
  }
}

/** Ends the bitmaps of a pyramid at once, instead of when the collector comes by. */
export function release(pyramid: Pyramid): void {
  for (const { tiles } of pyramid.levels) for (const { bitmap } of tiles) bitmap.close();
}
