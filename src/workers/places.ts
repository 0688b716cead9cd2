/** A place in the queue, kept for a picture that is still being received. */
export interface Place {
  /** False once it was given up, or kept for as long as a place is kept. */
  readonly isKept: boolean;
  /** For somebody else; safe to call twice. */
  giveUp(): void;
}

/** Who sends a picture slowly must not keep others away meanwhile, ms. */
const KEPT_FOR = 2_000;

/**
 * Places promised to pictures that are not there yet. Without them every call that arrives while one place
 * is free would be told to send its picture, and all but one would be refused after that.
 */
export class Places {
  #count = 0;

  get count(): number {
    return this.#count;
  }

  keep(): Place {
    this.#count++;
    let isKept = true;
    const giveUp = () => {
      if (!isKept) return;
      isKept = false;
      clearTimeout(timer);
      this.#count--;
    };
    const timer = setTimeout(giveUp, KEPT_FOR);
    timer.unref();
    return {
      get isKept() {
        return isKept;
      },
      giveUp,
    };
  }
}
