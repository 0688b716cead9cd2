/** Weight of the newest picture: the estimate follows a change of load within about five pictures. */
const WEIGHT = 0.3;
/** Below this a picture costs its fixed part (spawned decode, encode, one tile) whatever its size. */
const SMALLEST_MEGAPIXELS = 0.25;

/**
 * Seconds one picture takes, learned from finished ones as exponentially weighted means: per
 * megapixel where the caller knew the pixels, per picture where not. Starts from a cautious guess.
 */
export class CostEstimate {
  #perMegapixel: number;
  #perPicture: number;

  constructor(perMegapixel = 0.6, perPicture = 1) {
    this.#perMegapixel = perMegapixel;
    this.#perPicture = perPicture;
  }

  /** Expected seconds for a picture of so many pixels (undefined: size unknown). */
  of(pixels: number | undefined): number {
    return pixels === undefined ? this.#perPicture : this.#perMegapixel * megapixels(pixels);
  }

  /** Learns from a picture that took so many seconds in a child. */
  learn(seconds: number, pixels: number | undefined): void {
    this.#perPicture += WEIGHT * (seconds - this.#perPicture);
    if (pixels !== undefined) this.#perMegapixel += WEIGHT * (seconds / megapixels(pixels) - this.#perMegapixel);
  }
}

function megapixels(pixels: number): number {
  return Math.max(SMALLEST_MEGAPIXELS, pixels / 1e6);
}
