/**
 * Weights of the newest picture: the estimate follows a machine that becomes slower within about two pictures
 * and one that becomes faster within about five. Too low an estimate breaks promises, too high a one does not.
 */
const SLOWER = 0.5;
const FASTER = 0.2;
/** One picture may not pull further than so many times the mean: many faces in one say nothing of the next. */
const OUTLIER = 4;
/** Weight and multiple of the mean deviation, as TCP bounds its round trips with them (RFC 6298, section 2). */
const DEVIATION = 0.25;
const MULTIPLE = 4;
/** Below this a picture costs its fixed part (spawned decode, encode, one tile) whatever its size. */
const SMALLEST_MEGAPIXELS = 0.25;

/** Seconds a picture takes in a child. */
export interface Expected {
  /** On average: what a queue of many adds up to. */
  readonly mean: number;
  /** Nearly always less than this: what one alone may be promised. */
  readonly most: number;
}

/**
 * Seconds one picture takes, learned from finished ones as exponentially weighted means: per
 * megapixel where the caller knew the pixels, per picture where not. Starts from a cautious guess: a
 * burst right after the start is let in by it alone.
 */
export class CostEstimate {
  readonly #perMegapixel: Measured;
  readonly #perPicture: Measured;
  /** False while all it knows is the first guess. */
  learned = false;

  constructor(perMegapixel = 1.5, perPicture = 2) {
    this.#perMegapixel = new Measured(perMegapixel);
    this.#perPicture = new Measured(perPicture);
  }

  /** For a picture of so many pixels (undefined: size unknown). */
  of(pixels: number | undefined): Expected {
    return pixels === undefined ? this.#perPicture.times(1) : this.#perMegapixel.times(megapixels(pixels));
  }

  /** Learns from a picture that took so many seconds in a child. */
  learn(seconds: number, pixels: number | undefined): void {
    this.learned = true;
    this.#perPicture.learn(seconds);
    if (pixels !== undefined) this.#perMegapixel.learn(seconds / megapixels(pixels));
  }
}

/** A running mean and its mean deviation. */
class Measured {
  #mean: number;
  #deviation: number;

  constructor(guess: number) {
    this.#mean = guess;
    this.#deviation = guess / 4;
  }

  times(count: number): Expected {
    return { mean: this.#mean * count, most: (this.#mean + MULTIPLE * this.#deviation) * count };
  }

  learn(value: number): void {
    const seen = Math.min(value, OUTLIER * this.#mean);
    this.#deviation += DEVIATION * (Math.abs(seen - this.#mean) - this.#deviation);
    this.#mean += (seen > this.#mean ? SLOWER : FASTER) * (seen - this.#mean);
  }
}

function megapixels(pixels: number): number {
  return Math.max(SMALLEST_MEGAPIXELS, pixels / 1e6);
}
