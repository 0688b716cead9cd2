/**
 * Weights of the newest picture: the estimate follows a machine that becomes slower within about two pictures
 * and one that becomes faster within about five. Too low an estimate breaks promises, too high a one does not.
 */
const SLOWER = 0.5;
const FASTER = 0.2;
/** Below this a picture costs its fixed part (spawned decode, encode, one tile) whatever its size. */
const SMALLEST_MEGAPIXELS = 0.25;

/**
 * Seconds one picture takes, learned from finished ones as exponentially weighted means: per
 * megapixel where the caller knew the pixels, per picture where not. Starts from a cautious guess: a
 * burst right after the start is let in by it alone.
 */
export class CostEstimate {
  #perMegapixel: number;
  #perPicture: number;

  constructor(perMegapixel = 1.5, perPicture = 2) {
    this.#perMegapixel = perMegapixel;
    this.#perPicture = perPicture;
  }

  /** Expected seconds for a picture of so many pixels (undefined: size unknown). */
  of(pixels: number | undefined): number {
    return pixels === undefined ? this.#perPicture : this.#perMegapixel * megapixels(pixels);
  }

  /** Learns from a picture that took so many seconds in a child. */
  learn(seconds: number, pixels: number | undefined): void {
    this.#perPicture = towards(this.#perPicture, seconds);
    if (pixels !== undefined) this.#perMegapixel = towards(this.#perMegapixel, seconds / megapixels(pixels));
  }
}

function towards(estimate: number, seen: number): number {
  return estimate + (seen > estimate ? SLOWER : FASTER) * (seen - estimate);
}

function megapixels(pixels: number): number {
  return Math.max(SMALLEST_MEGAPIXELS, pixels / 1e6);
}
